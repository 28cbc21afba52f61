"""The gallery of crops with what of them is shown, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_cryoml._widgets.crops import CropGallery
from napari_cryoml._widgets.frame import ThemeColours, WheelGuard, choice, tighten

ORDERS = {
    "uncertain": "least sure",
    "confidence": "most sure",
    "class": "by class",
    "random": "random",
    "file": "as they came",
    "given": "as proposed",
}
"""Names of orders, and how they are called on the screen; the first is the default."""

ShowKind: TypeAlias = Literal[
    "all", "unlabelled", "labelled", "unsure", "predicted", "of_class", "cell", "rows"
]


@dataclass(frozen=True, slots=True)
class Show:
    """Which crops the gallery shows.

    Parameters
    ----------
    kind : str
        "all", "unlabelled", "labelled", "unsure" (below the threshold), "predicted" (as `given`),
        "of_class" (labelled `true`), "cell" (labelled `true`, held out and given `given`), or
        "rows".
    given, true : str
        Names of classes.
    rows : tuple of int
        Those that are shown, in their order.
    words : str
        What these are called on the screen.
    """

    kind: ShowKind = "all"
    given: str = ""
    true: str = ""
    rows: tuple[int, ...] = ()
    words: str = ""

    @property
    def title(self) -> str:
        """What it is called on the screen."""
        titles = {
            "predicted": f"predicted {self.given}",
            "of_class": f"labelled {self.true}",
            "cell": f"{self.true} given {self.given}",
            "rows": self.words,
        }
        return titles.get(self.kind, f"{self.kind} crops" if self.kind == "all" else self.kind)


class ClassGallery(QWidget):
    """Crops below a line of controls: signals and setters, no logic.

    Its `crops` say what was clicked: `clicked`, `hovered`, `key_pressed` (digits),
    `label_requested` ("positive" for Enter and G, "negative" for W), `erase_requested`
    (Backspace), `needed` (thumbnails), `sort_changed` (one of `ORDERS`).
    """

    show_chosen = Signal(object)
    """A `Show`."""

    def __init__(self, guard: WheelGuard) -> None:
        super().__init__()
        self.show_box = choice(
            [],
            "Which crops are shown: all, those without a class, those that the classifier is not "
            "sure of, or those that it gives one class. Default: all.",
            guard,
        )
        self.crops = CropGallery(
            ORDERS,
            "Order of the crops; those that teach the classifier most come first. Default: least "
            "sure.",
            head=(self.show_box,),
        )
        self._offered: list[Show] = []
        column = QVBoxLayout(self)
        tighten(column)
        column.addWidget(self.crops)
        self.offer([Show()], Show())
        self.show_box.activated.connect(lambda index: self.show_chosen.emit(self._offered[index]))

    @property
    def is_in_use(self) -> bool:
        """Whether someone points at a crop, or walks through them by keys."""
        grid = self.crops.grid
        return bool(grid.underMouse() or (grid.hasFocus() and grid.current >= 0))

    @property
    def shown(self) -> Show:
        """Which crops are shown."""
        return self._offered[max(self.show_box.currentIndex(), 0)]

    def offer(self, shows: Sequence[Show], current: Show) -> None:
        """Offer what can be shown, one of it as the choice, without a signal.

        Parameters
        ----------
        shows : sequence of Show
        current : Show
            Is added if it is not among them, as a cell of the confusion matrix is not.
        """
        self._offered = list(shows) if current in shows else [*shows, current]
        self.show_box.blockSignals(True)
        self.show_box.clear()
        self.show_box.addItems([show.title for show in self._offered])
        self.show_box.setCurrentIndex(self._offered.index(current))
        self.show_box.blockSignals(False)

    def show_rows(
        self, rows: npt.ArrayLike, order: str, total: int, orders: Sequence[str] = tuple(ORDERS)
    ) -> None:
        """Show rows in this order.

        Parameters
        ----------
        rows : array of shape (k,)
        order : str
            One of `ORDERS`; becomes the choice on show, without a signal.
        total : int
            How many crops there are, of which `rows` may be a part.
        orders : sequence of str
            Those of `ORDERS` that can be chosen now: "uncertain", "confidence" and "class" need
            predictions, "given" needs rows that somebody has proposed.
        """
        self.crops.set_orders(orders)
        self.crops.set_rows(np.asarray(rows, np.intp), order, total)

    def set_colours(self, colours: ThemeColours) -> None:
        """Paint in the colours of a theme."""
        self.crops.set_colours(colours)
