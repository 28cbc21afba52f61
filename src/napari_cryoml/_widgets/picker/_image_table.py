"""The list of images with their counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from qtpy.QtCore import QModelIndex, Qt, Signal
from qtpy.QtWidgets import QWidget

from napari_cryoml._widgets.frame import ShortTable, ShortTableModel

_COUNT_PX, _LINES = 64, 4


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


class ImageTableModel(ShortTableModel):
    """Rows of `ImageRow`; rows that did not change are not drawn again."""

    headings = ("Image", "Labels", "Picks")

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


class ImageTable(ShortTable):
    """A short list of images, one of them chosen."""

    chosen = Signal(str)
    """Name of the image the user chose."""

    navigation = ShortTable.navigation | {Qt.Key.Key_PageUp, Qt.Key.Key_PageDown}

    def __init__(self, parent: QWidget | None = None) -> None:
        self._model = ImageTableModel()
        super().__init__(self._model, {1: _COUNT_PX, 2: _COUNT_PX}, parent)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.show_lines(_LINES)
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

    def _on_row(self, index: QModelIndex, _before: QModelIndex) -> None:
        if not self._quiet and index.isValid():
            self.chosen.emit(self._model.rows[index.row()].name)
