"""What the classifier makes of each class, one line each."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any, NamedTuple

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

HEADINGS = {
    "Class": "Name of the class.",
    "Lab.": "Labelled: crops that were given the class by hand.",
    "Pred.": "Predicted: crops that the classifier gives the class, at the threshold.",
    "Recall": "Share of the held-out crops of the class that were given it.",
    "Prec.": "Precision: share of the held-out crops given the class that are of it.",
}
"""What stands above the columns, and what it means."""

_WIDTH_PX = 50
_ROW_PX, _HEAD_PX, _LINES = 20, 22, 6


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


class _Model(QAbstractTableModel):
    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[ClassResult] = []

    def set_rows(self, rows: Sequence[ClassResult]) -> None:
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return len(self.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return len(HEADINGS)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return row.cell(index.column())
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            return QColor(row.colour)
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.tip()
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column():
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        found = {Qt.ItemDataRole.DisplayRole: 0, Qt.ItemDataRole.ToolTipRole: 1}
        return list(HEADINGS.items())[section][found[role]] if role in found else None


class ClassTable(QTableView):
    """A line a class: labelled, predicted, recall and precision."""

    chosen = Signal(str)
    """Name of the class that was clicked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = _Model(self)
        self.setModel(self._model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Result of each class")
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_ROW_PX)
        header = self.horizontalHeader()
        header.setFixedHeight(_HEAD_PX)
        header.setHighlightSections(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in range(1, len(HEADINGS)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            self.setColumnWidth(column, _WIDTH_PX)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.clicked.connect(lambda index: self.chosen.emit(self.rows[index.row()].name))
        self.set_rows(())

    @property
    def rows(self) -> list[ClassResult]:
        """What is on show."""
        return self._model.rows

    def set_rows(self, rows: Sequence[ClassResult]) -> None:
        """Show classes."""
        self._model.set_rows(rows)
        self.setFixedHeight(_HEAD_PX + min(max(len(rows), 1), _LINES) * _ROW_PX + 4)
