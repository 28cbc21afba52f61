"""The gallery: the crops of the selection, and what is known of each."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._widgets.crops import Mark
from napari_cryoml._widgets.embedding._crop_line import CropLine
from napari_cryoml._widgets.embedding._desk import Desk
from napari_cryoml._widgets.embedding._orders import ordered
from napari_cryoml._widgets.embedding._row_cells import RowCells
from napari_cryoml._widgets.embedding._state import NOVELTY, SCORE, MapState
from napari_cryoml.averaging import ThumbnailsRequest
from napari_cryoml.data import NEGATIVE, POSITIVE, UNLABELLED, Crops

MOST_SHOWN = 5000
"""Crops in the gallery; of a larger selection a draw is shown."""

_CELL_ORDERS = ("centrality", "random")
"""Orders of the cells of proteins."""

NO_SELECTION = "Draw around points on the map to see their crops here."
NO_CROPS = "There are no crops of these rows: their images are not open in the Picker."

Rows = npt.NDArray[np.intp]


class Browsing:
    """Shows what is in the selection.

    Parameters
    ----------
    desk : Desk
    line : CropLine
    """

    def __init__(self, desk: Desk, line: CropLine) -> None:
        self._desk = desk
        self._line = line
        self._order = "centrality"
        desk.selected.connect(self.show)
        desk.named.connect(self.show_marks)

    def close(self) -> None:
        """Let go of the desk."""
        self._desk.selected.disconnect(self.show)
        self._desk.named.disconnect(self.show_marks)

    def begin(self, crops: Crops | None) -> None:
        """Take the crops of the rows on the map, or none."""
        self._line.begin(crops)
        gallery = self._desk.view.gallery
        gallery.forget_thumbnails()
        gallery.set_empty_text(NO_SELECTION if self._line.open else NO_CROPS)
        gallery.set_texts(self._text_of)
        self.show()

    def show(self) -> None:
        """Show the crops of the selection."""
        state, gallery = self._desk.state, self._desk.view.gallery
        if state is not None and state.row_cells is not None:
            self._show_cells(state, state.row_cells)
            return
        rows = np.empty(0, np.intp) if state is None else self._line.with_crops(state.selected)
        if state is None or not len(rows):
            gallery.set_rows([], self._order, 0)
            return
        gallery.set_orders(orders_of(state))
        shown = ordered(state, _drawn(rows), self._order)
        gallery.set_rows(shown, self._order, len(rows))
        self.show_marks()

    def _show_cells(self, state: MapState, cells: RowCells) -> None:
        """Show the cells of the selected proteins."""
        gallery, names = self._desk.view.gallery, state.embedding.ids[state.selected].tolist()
        gallery.set_orders(_CELL_ORDERS)
        order = self._order if self._order in _CELL_ORDERS else _CELL_ORDERS[0]
        crops = cells.of_rows(names, order)
        gallery.set_rows(crops, order, len(crops))
        gallery.set_marks({})

    def sort(self, order: str) -> None:
        """Show the crops in another order."""
        self._order = order
        self.show()

    def need(self, rows: list[int]) -> None:
        """Ask for thumbnails of rows."""
        state = self._desk.state
        if state is not None and state.row_cells is not None:
            crops = np.array(rows, np.intp)
            request = ThumbnailsRequest(crops, side=self._desk.view.gallery.side)
            self._line.ask(request, "thumbnails", self._take_cells)
            return
        wanted = self._line.with_crops(np.array(rows, np.intp))
        if len(wanted):
            self._line.ask(self._request(wanted), "thumbnails", self._take)

    def hover(self, row: int) -> None:
        """Show beside the point under the mouse what is known of it."""
        state = self._desk.state
        if state is None or row < 0:
            return
        self._desk.view.show_hover_text(row_text(state, row).replace(" · ", "\n"))
        crops = self._crops_of(state, row)
        if len(crops):
            show = self._desk.view.show_thumbnail
            request = ThumbnailsRequest(crops, side=self._desk.view.gallery.side)
            self._line.ask(request, "hover", lambda found: show(row, found.images[0]))

    def _crops_of(self, state: MapState, row: int) -> Rows:
        """Return the crop of a row, or the most central cell of a protein; nothing if none is."""
        if state.row_cells is not None:
            return state.row_cells.of_row(str(state.embedding.ids[row]))[:1]
        return self._line.crops_of(self._line.with_crops(np.array([row])))

    def show_marks(self) -> None:
        """Show labels and classes on the crops."""
        state, gallery = self._desk.state, self._desk.view.gallery
        if state is not None and state.row_cells is None:
            gallery.set_marks(marks_of(state, gallery.rows, self._desk.class_colours()))

    def _request(self, rows: Rows) -> ThumbnailsRequest:
        return ThumbnailsRequest(self._line.crops_of(rows), side=self._desk.view.gallery.side)

    def _take(self, found: Any) -> None:
        self._desk.view.gallery.set_thumbnails(self._line.rows_of(found.rows), found.images)
        if found.notes:
            self._desk.warn(found.notes[0])

    def _take_cells(self, found: Any) -> None:
        self._desk.view.gallery.set_thumbnails(found.rows, found.images)
        if found.notes:
            self._desk.warn(found.notes[0])

    def _text_of(self, row: int) -> str:
        state = self._desk.state
        if state is not None and state.row_cells is not None:
            return state.row_cells.title_of(row)
        return row_text(state, row) if state is not None and 0 <= row < len(state) else ""


def orders_of(state: MapState) -> list[str]:
    """Return the orders that there are columns for."""
    orders = ["centrality", *(name for name in (SCORE, NOVELTY) if name in state.names)]
    return [*orders, "random", "map"]


def marks_of(state: MapState, rows: Rows, colours: dict[str, str]) -> dict[int, Mark]:
    """Return the mark of each row that has a class or a label; a class goes first."""
    marks = {}
    names, codes = state.classes.names, state.classes.codes[rows].tolist()
    labels = state.labels
    for row, code in zip(rows.tolist(), codes, strict=True):
        if code >= 0:
            red, green, blue = bytes.fromhex(colours[names[code]][1:])
            marks[row] = Mark("class", names[code], (red, green, blue))
        elif labels is not None and labels[row] != UNLABELLED:
            marks[row] = Mark("positive" if labels[row] == POSITIVE else "negative")
    return marks


def row_text(state: MapState, row: int) -> str:
    """Return what is known of a row, in a few words."""
    embedding = state.embedding
    words = [str(embedding.ids[row]).replace("@", " · ")]
    if SCORE in embedding.table:
        words.append(f"score {float(embedding.table[SCORE][row]):.2f}")
    if state.labels is not None and state.labels[row] != UNLABELLED:
        words.append("not a particle" if state.labels[row] == NEGATIVE else "particle")
    if state.classes.codes[row] >= 0:
        words.append(state.classes.names[state.classes.codes[row]])
    return " · ".join(words)


def _drawn(rows: Rows) -> Rows:
    if len(rows) <= MOST_SHOWN:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, MOST_SHOWN, replace=False))
