"""What the classifier makes of each class, one line each."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any, NamedTuple

from qtpy.QtCore import QModelIndex, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from napari_cryoml._widgets.frame import ShortTable, ShortTableModel

HEADINGS = {
    "Class": "Name of the class.",
    "Lab.": "Labelled: crops that were given the class by hand.",
    "Pred.": "Predicted: crops that the classifier gives the class, at the threshold.",
    "Recall": "Share of the held-out crops of the class that were given it.",
    "Prec.": "Precision: share of the held-out crops given the class that are of it.",
}
"""What stands above the columns, and what it means."""

_WIDTH_PX = 50
_LINES = 6


class ClassResult(NamedTuple):
    """One class.

    Parameters
    ----------
    name : str
    colour : str
        As "#RRGGBB".
    labelled : int
    predicted : int
        Crops of it by the classifier, at the threshold.
    recall, precision : float
        0 to 1, on crops held out; NaN if none were.
    """

    name: str
    colour: str
    labelled: int
    predicted: int
    recall: float = float("nan")
    precision: float = float("nan")

    def cell(self, column: int) -> str:
        """Return the text of a column."""
        if column == 0:
            return self.name
        value = self[column + 1]
        if isinstance(value, float):
            return "–" if isnan(value) else f"{100 * value:.0f}\N{NO-BREAK SPACE}%"
        return f"{value:,}"

    def tip(self) -> str:
        """Return the row in words."""
        text = f"{self.name}: {self.labelled:,} labelled, {self.predicted:,} predicted."
        if not isnan(self.recall):
            text += f" Of the held-out crops of it, {100 * self.recall:.0f} % were found."
        if not isnan(self.precision):
            text += f" Of those called it, {100 * self.precision:.0f} % were right."
        return f"{text} Click to see the predicted ones."


class _Model(ShortTableModel):
    headings = tuple(HEADINGS)

    def set_rows(self, rows: Sequence[ClassResult]) -> None:
        self.beginResetModel()
        self._rows = list(rows)
        self.endResetModel()

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            return QColor(self._rows[index.row()].colour)
        return super().data(index, role)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.ToolTipRole:
            return HEADINGS[self.headings[section]]
        return super().headerData(section, orientation, role)


class ClassTable(ShortTable):
    """A line a class: labelled, predicted, recall and precision."""

    chosen = Signal(str)
    """Name of the class that was clicked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self._model = _Model()
        super().__init__(self._model, dict.fromkeys(range(1, len(HEADINGS)), _WIDTH_PX), parent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Result of each class")
        self.clicked.connect(lambda index: self.chosen.emit(self.rows[index.row()].name))
        self.set_rows(())

    @property
    def rows(self) -> list[ClassResult]:
        """What is on show."""
        return self._model.rows

    def set_rows(self, rows: Sequence[ClassResult]) -> None:
        """Show classes."""
        self._model.set_rows(rows)
        self.show_lines(min(max(len(rows), 1), _LINES))
