"""Labels that are likely wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.cells._check_tab import Doubt
from napari_cryoml._widgets.cells._desk import Desk
from napari_cryoml._widgets.cells._linking import Linking
from napari_cryoml._widgets.classes import UNSURE, Browsing, Labelling, Show, Training
from napari_cryoml._widgets.frame import Connections
from napari_cryoml.classification import DoubtRequest

if TYPE_CHECKING:
    from napari_cryoml.classification import LabelErrors

MOST = 200
"""Labels that are listed; there are seldom as many."""

_LEAST = 2
_MANY = 0.3
"""Share of labels in doubt above which it is the classifier that is in doubt."""


class Checking:
    """Lists labels that a classifier doubts which has not seen them.

    Parameters
    ----------
    desk : Desk
    browsing : Browsing
    training : Training
    labelling : Labelling
    linking : Linking
    """

    def __init__(
        self,
        desk: Desk,
        browsing: Browsing,
        training: Training,
        labelling: Labelling,
        linking: Linking,
    ) -> None:
        self._desk = desk
        self._browsing = browsing
        self._training = training
        self._labelling = labelling
        self._linking = linking
        self._found: list[Doubt] = []
        self._text = ""
        self._connections = Connections(
            (desk.replaced, self._begin), (desk.labelled, self._on_labels)
        )

    def close(self) -> None:
        """Let go of the desk."""
        self._connections.close()

    def _begin(self) -> None:
        self._show([], "")
        self._tell()

    def _on_labels(self) -> None:
        """Take labels off the list that are others by now."""
        cells = self._desk.cells
        if cells is not None and self._found:
            texts = cells.classes.texts
            left = [doubt for doubt in self._found if texts[doubt.row] == doubt.label]
            if len(left) < len(self._found):
                self._show(left, self._text)
        self._tell()

    def _tell(self) -> None:
        cells = self._desk.cells
        counts = {} if cells is None else cells.classes.counts
        enough = [name for name, count in counts.items() if count >= _LEAST]
        self._desk.view.check.show_can_find(len(enough) > 1)

    def find(self) -> None:
        """Look for labels that are likely wrong."""
        desk = self._desk
        with desk.telling():
            cells = desk.need_cells()
            names = tuple(n for n, count in cells.classes.counts.items() if count >= _LEAST)
            if len(names) < 2:
                raise InputError("Two classes of two labels or more are needed: label some more.")
            desk.view.check.show_doubts((), "Labels are held out in turn…")
            self._training.ask_quick(
                lambda system: DoubtRequest(cells.numbers(names), names, system),
                "doubts",
                lambda found: self._take(found, names),
            )

    def _take(self, found: LabelErrors, names: tuple[str, ...]) -> None:
        cells = self._desk.need_cells()
        colours = self._desk.colours()
        given, better = (np.array(names)[numbers] for numbers in (found.given, found.better))
        doubts = [
            Doubt(
                row,
                cells.short_title_of(row),
                str(given[at]),
                str(better[at]),
                float(found.chances[at]),
                colours.get(str(better[at]), UNSURE),
            )
            for at, row in enumerate(found.rows[:MOST].tolist())
        ]
        few = (
            f"{len(found):,} of {found.n_judged:,} labels are likely wrong, the first most of all."
        )
        if len(found) > _MANY * found.n_judged:
            few += " So many mean that the classes are hardly told apart: label more cells first."
        self._show(doubts, few if doubts else f"None of {found.n_judged:,} labels looks wrong.")

    def _show(self, doubts: list[Doubt], text: str) -> None:
        self._found, self._text = doubts, text
        self._desk.view.check.show_doubts(doubts, text)

    def look(self, row: int) -> None:
        """Show a cell of the list in the gallery and in its image."""
        self._linking.show_in_gallery(row)
        cells = self._desk.cells
        if cells is not None and cells.in_image:
            self._linking.look_at(row)

    def take(self, row: int, name: str) -> None:
        """Give a cell the class that it looks like."""
        self._labelling.give(row, name)

    def show_all(self) -> None:
        """Show all cells of the list in the gallery, in its order."""
        rows = tuple(doubt.row for doubt in self._found)
        if rows:
            self._browsing.choose(Show("rows", rows=rows, words="likely errors"))
