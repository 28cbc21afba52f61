"""The list of images with their counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

HEADINGS = ("Image", "Labels", "Picks")
_NAVIGATION = (
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
)


class ImageRow(NamedTuple):
    """One image in the list; a tuple, for thousands are made and compared after each click.

    Parameters
    ----------
    name : str
    positives, negatives : int
        Labels.
    picks : int or None
        Picks above the threshold; None if the image was not picked.
    stale : bool
        Whether labels have changed since it was picked, or the model has.
    """

    name: str
    positives: int = 0
    negatives: int = 0
    picks: int | None = None
    stale: bool = False

    def cell(self, column: int) -> str:
        """Return the text of a column."""
        if column == 0:
            return self.name
        if column == 1:
            negatives = f" +{self.negatives}×" if self.negatives else ""
            return f"{self.positives}{negatives}" if self.positives or negatives else "–"
        if self.picks is None:
            return "–"
        return f"{self.picks}{' old' if self.stale else ''}"

    def tip(self) -> str:
        """Return the row in words."""
        picks = "not picked yet" if self.picks is None else f"{self.picks} picks"
        if self.picks is not None and self.stale:
            picks += " of an older model or of older labels"
        return f"{self.name}: {self.positives} particles, {self.negatives} negatives, {picks}."


class ImageTableModel(QAbstractTableModel):
    """Rows of `ImageRow`; rows that did not change are not drawn again."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[ImageRow] = []

    @property
    def rows(self) -> list[ImageRow]:
        """What is on show."""
        return self._rows

    def set_rows(self, rows: Sequence[ImageRow]) -> bool:
        """Show other rows; return whether the list of names changed."""
        renamed = [row.name for row in rows] != [row.name for row in self._rows]
        if renamed:
            self.beginResetModel()
            self._rows = list(rows)
            self.endResetModel()
            return True
        changed = [i for i, (a, b) in enumerate(zip(rows, self._rows, strict=True)) if a != b]
        self._rows = list(rows)
        if changed:
            self.dataChanged.emit(self.index(changed[0], 1), self.index(changed[-1], 2))
        return False

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of images."""
        return len(self._rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of columns."""
        return len(HEADINGS)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what Qt asks for of a cell."""
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return row.cell(index.column())
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
        """Return a heading."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return HEADINGS[section]
        return None


class ImageTable(QTableView):
    """A short list of images, one of them chosen."""

    chosen = Signal(str)
    """Name of the image the user chose."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = ImageTableModel(self)
        self.setModel(self._model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(20)
        header = self.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            self.setColumnWidth(column, 64)
        header.setFixedHeight(22)
        self.setFixedHeight(22 + 4 * 20 + 4)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.selectionModel().currentRowChanged.connect(self._on_row)
        self._quiet = False

    def set_rows(self, rows: Sequence[ImageRow], current: str | None) -> None:
        """Show the images, `current` as the chosen one, without a signal."""
        self._quiet = True
        self._model.set_rows(rows)
        names = [row.name for row in self._model.rows]
        if current in names and self.currentIndex().row() != names.index(current):
            self.selectRow(names.index(current))
        self._quiet = False

    @property
    def rows(self) -> list[ImageRow]:
        """What is on show."""
        return self._model.rows

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move by the arrow keys; leave letters to napari's keys instead of searching."""
        if event.key() in _NAVIGATION:
            super().keyPressEvent(event)
        else:
            event.ignore()

    def _on_row(self, index: QModelIndex, _before: QModelIndex) -> None:
        if not self._quiet and index.isValid():
            self.chosen.emit(self._model.rows[index.row()].name)
