"""Tables of a few lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

ROW_PX, HEAD_PX, _FRAME_PX = 20, 22, 4


class ShortTableModel(QAbstractTableModel):
    """Rows that know their texts.

    Each row has ``cell(column)``, the text of a column, and ``tip()``, the row in words.

    Parameters
    ----------
    parent : QObject, optional
    """

    headings: tuple[str, ...] = ()
    right_from = 1
    """The first column of numbers."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Any] = []

    @property
    def rows(self) -> list[Any]:
        """What is on show."""
        return self._rows

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of columns."""
        return len(self.headings)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what Qt asks for of a cell."""
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return row.cell(index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.tip()
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() >= self.right_from:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Return a heading."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.headings[section]
        return None


class ShortTable(QTableView):
    """A table without frills, whole rows of which are chosen, one at a time.

    Parameters
    ----------
    model : QAbstractTableModel
    widths : mapping of int to int
        Pixels of columns; one that is not named takes the room that is left.
    parent : QWidget, optional
    """

    navigation = frozenset({Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End})
    """Keys that the table takes; others are left to the dock, instead of searching."""

    def __init__(
        self, model: QAbstractTableModel, widths: Mapping[int, int], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        model.setParent(self)
        self.setModel(model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        header = self.horizontalHeader()
        header.setFixedHeight(HEAD_PX)
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for column, width in widths.items():
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            self.setColumnWidth(column, width)

    def show_lines(self, lines: int) -> None:
        """Take the height of so many lines."""
        self.setFixedHeight(HEAD_PX + lines * ROW_PX + _FRAME_PX)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move by the keys of `navigation`."""
        if event.key() in self.navigation:
            super().keyPressEvent(event)
        else:
            event.ignore()
