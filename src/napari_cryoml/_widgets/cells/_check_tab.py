"""Labels that are likely wrong, one line each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from qtpy.QtCore import QModelIndex, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_cryoml._widgets.frame import ShortTable, ShortTableModel, button, line_of, words

NOTHING = (
    "Press “Find likely errors”: labels are held out in turn, and those that a classifier doubts "
    "which has not seen them are listed here, the most doubtful first."
)
_CELL_PX, _SHARE_PX, _LINES = 66, 52, 9


class Doubt(NamedTuple):
    """A label that is likely wrong.

    Parameters
    ----------
    row : int
    title : str
        What the cell is called.
    label, better : str
        The class that it has, and the one that it looks like.
    chance : float
        Probability of its label, 0 to 1, by a classifier that has not seen it.
    colour : str
        Of the class that it looks like, as "#RRGGBB".
    """

    row: int
    title: str
    label: str
    better: str
    chance: float
    colour: str

    def cell(self, column: int) -> str:
        """Return the text of a column."""
        percent = f"{100 * self.chance:.0f}\N{NO-BREAK SPACE}%"
        return (self.title, self.label, self.better, percent)[column]

    def tip(self) -> str:
        """Return the line in words."""
        return (
            f"{self.title} is labelled {self.label}, which has a probability of "
            f"{100 * self.chance:.0f} % once its label is held out; it looks like {self.better}. "
            "Click to see it."
        )


class _Model(ShortTableModel):
    headings = ("Cell", "Label", "Looks like", "Chance")
    right_from = 3

    def set_rows(self, rows: Sequence[Doubt]) -> None:
        self.beginResetModel()
        self._rows = list(rows)
        self.endResetModel()

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 2:
            return QColor(self._rows[index.row()].colour)
        return super().data(index, role)


class DoubtTable(ShortTable):
    """A line a label."""

    chosen = Signal(int)
    """Row of the cell that was clicked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self._model = _Model()
        super().__init__(self._model, {0: _CELL_PX, 3: _SHARE_PX}, parent)
        self.setAccessibleName("Likely label errors")
        self.clicked.connect(lambda index: self.chosen.emit(self.rows[index.row()].row))
        self.set_rows(())

    @property
    def rows(self) -> list[Doubt]:
        """What is on show."""
        return self._model.rows

    @property
    def current(self) -> Doubt | None:
        """The line that was clicked last."""
        index = self.currentIndex()
        return self.rows[index.row()] if index.isValid() else None

    def set_rows(self, rows: Sequence[Doubt]) -> None:
        """Show lines."""
        self._model.set_rows(rows)
        self.show_lines(min(max(len(rows), 1), _LINES))


class CheckTab(QWidget):
    """The list, and what can be done with a line of it."""

    find_requested = Signal()
    """Look for labels that are likely wrong."""

    chosen = Signal(int)
    """Row of a cell to look at."""

    take_requested = Signal(int, str)
    """Give a cell (row) the class that it looks like."""

    gallery_requested = Signal()
    """Show all of them in the gallery."""

    def __init__(self) -> None:
        super().__init__()
        self.find = button(
            "Find likely errors",
            "Hold labels out in turn, and list those that a classifier doubts which has not seen "
            "them. Default: none.",
        )
        self.show_all = button("Show them", "Show these cells in the gallery, as they are listed.")
        self.take = button(
            "Take “looks like”", "Give the chosen cell the class that it looks like; can be undone."
        )
        self.text = words("What was found.", NOTHING)
        self.table = DoubtTable()
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(self.find)
        column.addWidget(self.text)
        column.addWidget(self.table)
        column.addLayout(line_of(self.show_all, self.take))
        column.addStretch(1)
        self.find.clicked.connect(lambda: self.find_requested.emit())
        self.show_all.clicked.connect(lambda: self.gallery_requested.emit())
        self.take.clicked.connect(self._on_take)
        self.table.chosen.connect(self._on_chosen)
        self.show_doubts((), "")

    def show_can_find(self, can: bool) -> None:
        """Show whether there are labels enough to look for errors among them."""
        self.find.setEnabled(can)

    def show_doubts(self, doubts: Sequence[Doubt], text: str) -> None:
        """Show labels that are likely wrong.

        Parameters
        ----------
        doubts : sequence of Doubt
            The most doubtful first.
        text : str
            What was found, in a sentence; "" where nobody has looked yet.
        """
        self.text.setText(text or NOTHING)
        self.table.set_rows(doubts)
        self.table.setVisible(bool(doubts))
        for made in (self.show_all, self.take):
            made.setVisible(bool(doubts))
        self.take.setEnabled(False)

    def _on_chosen(self, row: int) -> None:
        self.take.setEnabled(True)
        self.chosen.emit(row)

    def _on_take(self) -> None:
        doubt = self.table.current
        if doubt is not None:
            self.take_requested.emit(doubt.row, doubt.better)
