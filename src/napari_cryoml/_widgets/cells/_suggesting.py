"""Which cells are worth a label next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_cryoml._widgets.cells._desk import Desk
from napari_cryoml._widgets.classes import Browsing, Show, Training
from napari_cryoml.classification import SuggestRequest

if TYPE_CHECKING:
    from napari_cryoml.classification import NextCells

AT_ONCE = 20
"""Cells that are proposed at a time."""


class Suggesting:
    """Shows the cells in the gallery that teach the classifier most.

    Parameters
    ----------
    desk : Desk
    browsing : Browsing
    training : Training
    """

    def __init__(self, desk: Desk, browsing: Browsing, training: Training) -> None:
        self._desk = desk
        self._browsing = browsing
        self._training = training

    def suggest(self) -> None:
        """Ask which cells are worth a label next, and show them."""
        desk = self._desk
        with desk.telling():
            cells = desk.need_cells()
            numbers = cells.numbers(tuple(cells.classes.counts))
            fitted = cells.fitted
            chances = None if fitted is None else fitted.predictions.probabilities
            desk.note("Looking for cells that are worth a label…")
            self._training.ask_quick(
                lambda system: SuggestRequest(numbers, system, AT_ONCE, chances),
                "suggest",
                self._take,
            )

    def _take(self, found: NextCells) -> None:
        rows = tuple(int(row) for row in found.rows)
        self._desk.note(found.reason)
        if not rows:
            return
        words = f"{len(rows)} to label next"
        self._browsing.choose(Show("rows", rows=rows, words=words))
