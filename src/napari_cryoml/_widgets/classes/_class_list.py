"""The classes: colour, key, name and how many crops are of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from qtpy.QtCore import QModelIndex, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QWidget

from napari_cryoml._widgets.frame import ShortTable, ShortTableModel

KEY, NAME, LABELLED, PREDICTED = range(4)
_FEWEST_LINES, _MOST_LINES = 3, 6


class ClassRow(NamedTuple):
    """One class in the list.

    Parameters
    ----------
    name : str
    colour : str
        As "#RRGGBB".
    key : str
        Digit that gives it; "" for none.
    labelled : int
        Crops that were given it by hand.
    predicted : int or None
        Crops that the classifier says are of it; None before there is one.
    """

    name: str
    colour: str
    key: str = ""
    labelled: int = 0
    predicted: int | None = None

    def cell(self, column: int) -> str:
        """Return the text of a column."""
        if column == KEY:
            return self.key
        if column == NAME:
            return self.name
        count = self.labelled if column == LABELLED else self.predicted
        return "–" if count is None else f"{count:,}"

    def tip(self) -> str:
        """Return the row in words."""
        predicted = "" if self.predicted is None else f", {self.predicted:,} predicted"
        key = f" Key {self.key} in the gallery." if self.key else ""
        return (
            f"{self.name}: {self.labelled:,} labelled{predicted}.{key} Double-click the name to "
            "change it, the colour for another one."
        )


class ClassTableModel(ShortTableModel):
    """Rows of `ClassRow`; a name that is typed in is told and comes back with the next rows."""

    headings = ("", "Class", "Labelled", "Predicted")
    right_from = LABELLED

    renamed = Signal(str, str)
    """The name before, and the one that was typed in."""

    def set_rows(self, rows: Sequence[ClassRow]) -> None:
        """Show other rows; a cell that is being edited stays open if the names are the same."""
        same = [row.name for row in rows] == [row.name for row in self._rows]
        if not same:
            self.beginResetModel()
        self._rows = list(rows)
        if not same:
            self.endResetModel()
        elif rows:
            # Not the names: one that is being typed would be written over.
            last = len(rows) - 1
            self.dataChanged.emit(self.index(0, KEY), self.index(last, KEY))
            self.dataChanged.emit(self.index(0, LABELLED), self.index(last, PREDICTED))

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what Qt asks for of a cell."""
        if role == Qt.ItemDataRole.EditRole:
            role = Qt.ItemDataRole.DisplayRole
        if role == Qt.ItemDataRole.DecorationRole and index.column() == KEY:
            return QColor(self._rows[index.row()].colour)
        return super().data(index, role)

    def setData(self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Tell that a name was typed in."""
        before, after = self._rows[index.row()].name, str(value).strip()
        if index.column() == NAME and after and after != before:
            self.renamed.emit(before, after)
        return False

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Return that names can be edited."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == NAME else flags


class ClassList(ShortTable):
    """A short list of classes, one of them chosen."""

    chosen = Signal(str)
    """Name of the class that was clicked."""

    renamed = Signal(str, str)
    """The name before, and the one that was typed in."""

    colour_requested = Signal(str)
    """Name of the class whose colour was clicked twice."""

    navigation = ShortTable.navigation | {Qt.Key.Key_F2}

    def __init__(self, parent: QWidget | None = None) -> None:
        self._model = ClassTableModel()
        super().__init__(self._model, {KEY: 40, LABELLED: 64, PREDICTED: 68}, parent)
        self._quiet = False
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setAccessibleName("Classes")
        self._fit()
        self._model.renamed.connect(self.renamed)
        self.selectionModel().currentRowChanged.connect(self._on_row)
        self.doubleClicked.connect(self._on_double)

    @property
    def rows(self) -> list[ClassRow]:
        """What is on show."""
        return self._model.rows

    @property
    def current(self) -> str:
        """Name of the chosen class; "" for none."""
        index = self.currentIndex()
        return self.rows[index.row()].name if index.isValid() else ""

    def set_rows(self, rows: Sequence[ClassRow], current: str) -> None:
        """Show classes, one of them as the chosen one, without a signal."""
        self._quiet = True
        self._model.set_rows(rows)
        self._fit()
        names = [row.name for row in rows]
        if current in names and self.current != current:
            self.selectRow(names.index(current))
        elif current not in names:
            self.clearSelection()
            self.setCurrentIndex(QModelIndex())
        self._quiet = False

    def _fit(self) -> None:
        """Take no more height than the classes need: the gallery below wants it."""
        self.show_lines(min(max(len(self.rows), _FEWEST_LINES), _MOST_LINES))

    def edit_name(self, name: str) -> None:
        """Let a name be typed over, if there is such a class."""
        names = [row.name for row in self.rows]
        if name in names:
            index = self._model.index(names.index(name), NAME)
            self.scrollTo(index)
            self.edit(index)

    def _on_row(self, index: QModelIndex, _before: QModelIndex) -> None:
        if not self._quiet and index.isValid():
            self.chosen.emit(self.rows[index.row()].name)

    def _on_double(self, index: QModelIndex) -> None:
        if index.column() == KEY:
            self.colour_requested.emit(self.rows[index.row()].name)
