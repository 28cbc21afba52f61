"""The classes: colour, key, name and how many crops are of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

HEADINGS = ("", "Class", "Labelled", "Predicted")
KEY, NAME, LABELLED, PREDICTED = range(4)
_NAVIGATION = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_F2)
_ROW_PX, _HEAD_PX = 20, 22
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


class ClassTableModel(QAbstractTableModel):
    """Rows of `ClassRow`; a name that is typed in is told and comes back with the next rows."""

    renamed = Signal(str, str)
    """The name before, and the one that was typed in."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[ClassRow] = []

    @property
    def rows(self) -> list[ClassRow]:
        """What is on show."""
        return self._rows

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

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of classes."""
        return len(self._rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of columns."""
        return len(HEADINGS)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what Qt asks for of a cell."""
        row, column = self._rows[index.row()], index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return row.cell(column)
        if role == Qt.ItemDataRole.DecorationRole and column == KEY:
            return QColor(row.colour)
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.tip()
        if role == Qt.ItemDataRole.TextAlignmentRole and column > NAME:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

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

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Return a heading."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return HEADINGS[section]
        return None


class ClassList(QTableView):
    """A short list of classes, one of them chosen."""

    chosen = Signal(str)
    """Name of the class that was clicked."""

    renamed = Signal(str, str)
    """The name before, and the one that was typed in."""

    colour_requested = Signal(str)
    """Name of the class whose colour was clicked twice."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = ClassTableModel(self)
        self._quiet = False
        self.setModel(self._model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setAccessibleName("Classes")
        self._lay_out()
        self._model.renamed.connect(self.renamed)
        self.selectionModel().currentRowChanged.connect(self._on_row)
        self.doubleClicked.connect(self._on_double)

    def _lay_out(self) -> None:
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_ROW_PX)
        header = self.horizontalHeader()
        header.setFixedHeight(_HEAD_PX)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        for column, width in ((KEY, 40), (LABELLED, 64), (PREDICTED, 68)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            self.setColumnWidth(column, width)
        header.setHighlightSections(False)
        self._fit()
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

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
        lines = min(max(len(self.rows), _FEWEST_LINES), _MOST_LINES)
        self.setFixedHeight(_HEAD_PX + lines * _ROW_PX + 4)

    def edit_name(self, name: str) -> None:
        """Let a name be typed over, if there is such a class."""
        names = [row.name for row in self.rows]
        if name in names:
            index = self._model.index(names.index(name), NAME)
            self.scrollTo(index)
            self.edit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move by the arrow keys; leave letters to the keys of the dock instead of searching."""
        if event.key() in _NAVIGATION:
            super().keyPressEvent(event)
        else:
            event.ignore()

    def _on_row(self, index: QModelIndex, _before: QModelIndex) -> None:
        if not self._quiet and index.isValid():
            self.chosen.emit(self.rows[index.row()].name)

    def _on_double(self, index: QModelIndex) -> None:
        if index.column() == KEY:
            self.colour_requested.emit(self.rows[index.row()].name)
