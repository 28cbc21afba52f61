"""The gallery: which crops, in which order, and what is known of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from napari_cryoml._widgets.classes._class_desk import ClassDesk
from napari_cryoml._widgets.classes._class_gallery import ORDERS, Show
from napari_cryoml._widgets.classes._class_state import ClassState, Rows
from napari_cryoml._widgets.classes._palette import UNSURE, rgb
from napari_cryoml._widgets.crops import Mark
from napari_cryoml._widgets.frame import Connections
from napari_cryoml._widgets.jobs import ServiceLine
from napari_cryoml._widgets.link import crop_service
from napari_cryoml.averaging import ThumbnailsRequest

MOST_SHOWN = 5000
"""Crops in the gallery; of more, the first in the order are shown."""

NOTHING = "No crops are like that: choose others above."
_NEED_PREDICTIONS = ("uncertain", "confidence", "class")


class Browsing:
    """Shows crops.

    Parameters
    ----------
    desk : ClassDesk
    start_service : callable
        Starts a service, as `ChildService.start` does.
    """

    def __init__(self, desk: ClassDesk, start_service: Callable[..., Any]) -> None:
        self._desk = desk
        self._line = ServiceLine(start_service)
        self._is_late = False
        self._connections = Connections(
            (desk.replaced, self._begin),
            (desk.labelled, self._on_labels),
            (desk.predicted, self._on_predictions),
            (desk.rated, self.show_marks),
        )

    @property
    def busy(self) -> bool:
        """Whether thumbnails are still to come."""
        return self._line.busy

    def close(self) -> None:
        """End the service."""
        self._connections.close()
        self._line.close()

    def _begin(self) -> None:
        desk, crops = self._desk, self._desk.view.gallery.crops
        self._line.close()
        crops.forget_thumbnails()
        crops.set_texts(self.text_of)
        crops.set_empty_text(desk.empty_gallery if desk.state is None else NOTHING)
        if desk.state is not None:
            with desk.telling():
                self._line.serve(crop_service, desk.state.crops)
        self.sort()

    # Which, and in which order

    def choose(self, show: Show) -> None:
        """Show these crops alone."""
        state = self._desk.state
        if state is not None:
            state.show = show
            if show.kind == "rows":
                state.order = "given"
            self.sort()

    def order(self, name: str) -> None:
        """Show the crops in another order."""
        if self._desk.state is not None:
            self._desk.state.order = name
            self.sort()

    def sort(self) -> None:
        """Choose and order the crops anew."""
        self._is_late = False
        state, gallery = self._desk.state, self._desk.view.gallery
        if state is None:
            gallery.show_rows([], "file", 0, ("file",))
            return
        gallery.offer(shows_of(self._desk), state.show)
        rows = chosen(state, state.show, self._desk.threshold)
        order = order_of(state)
        shown = ordered(state, rows, order)[:MOST_SHOWN]
        gallery.show_rows(shown, order, len(rows), orders_of(state))
        self.show_marks()

    def catch_up(self, row: int) -> None:
        """Order anew what has changed meanwhile, once the mouse has left the gallery."""
        if row < 0 and self._is_late:
            self.sort()

    def _on_labels(self) -> None:
        # The crops stay where they are as long as someone clicks on them.
        self._is_late = True
        state = self._desk.state
        if state is not None:
            self._desk.view.gallery.offer(shows_of(self._desk), state.show)
        self.show_marks()

    def _on_predictions(self) -> None:
        if self._desk.view.gallery.is_in_use:
            self._on_labels()
        else:
            self.sort()

    # Pictures and marks

    def need(self, rows: list[int]) -> None:
        """Ask for thumbnails of rows."""
        if self._desk.state is None:
            return
        gallery = self._desk.view.gallery.crops
        request = ThumbnailsRequest(np.array(rows, np.intp), side=gallery.side)

        def take(found: Any) -> None:
            gallery.set_thumbnails(found.rows, found.images)
            if found.notes:
                self._desk.warn(found.notes[0])

        desk = self._desk
        with desk.telling():
            self._line.ask(request, on_done=desk.here(take), on_error=desk.warn, key="thumbnails")

    def show_marks(self) -> None:
        """Show on the crops which class they have, or are predicted to have."""
        state, gallery = self._desk.state, self._desk.view.gallery.crops
        if state is not None:
            marks = marks_of(state, gallery.rows, self._desk.colours(), self._desk.threshold)
            gallery.set_marks(marks)

    def text_of(self, row: int) -> str:
        """Return what is known of a crop, in a few words."""
        state = self._desk.state
        return row_text(state, row) if state is not None and 0 <= row < len(state) else ""


def shows_of(desk: ClassDesk) -> list[Show]:
    """Return what the gallery offers to show."""
    shows = [Show(), Show("unlabelled"), Show("labelled")]
    state = desk.state
    if state is not None and state.fitted is not None:
        shows.append(Show("unsure"))
        shows += [Show("predicted", given=name) for name in state.fitted.classes]
    return shows


def chosen(state: ClassState, show: Show, threshold: float) -> Rows:
    """Return the rows that are meant by what is to be shown."""
    masks: dict[str, Callable[[], Any]] = {
        "all": lambda: np.ones(len(state), bool),
        "unlabelled": lambda: ~state.labelled,
        "labelled": lambda: state.labelled,
        "unsure": lambda: ~state.sure(threshold) & ~state.labelled,
        "predicted": lambda: (state.predicted == show.given) & state.sure(threshold),
        "of_class": lambda: state.classes.texts == show.true,
        "rows": lambda: np.isin(np.arange(len(state)), show.rows),
        "cell": lambda: (state.classes.texts == show.true) & (state.given == show.given),
    }
    return np.flatnonzero(masks[show.kind]())


def order_of(state: ClassState) -> str:
    """Return the order that was chosen, if it can be had; else the usual one."""
    offered = orders_of(state)
    return state.order if state.order in offered else offered[0]


def orders_of(state: ClassState) -> list[str]:
    """Return the orders that can be had."""
    offered = [name for name in ORDERS if state.fitted is not None or name not in _NEED_PREDICTIONS]
    return offered if state.show.kind == "rows" else [name for name in offered if name != "given"]


def ordered(state: ClassState, rows: Rows, order: str) -> Rows:
    """Return rows in an order; unsure ones without a label come before all that have one."""
    if order == "random":
        return np.random.default_rng(0).permutation(rows)
    if order == "file":
        return rows
    if order == "given":
        return np.array(state.show.rows, np.intp)
    confidence = np.nan_to_num(state.confidence[rows], nan=-1.0)
    if order == "uncertain":
        return rows[np.lexsort((confidence, state.labelled[rows]))]
    if order == "class":
        verdicts = state.verdicts(0.0)[rows]
        return rows[np.lexsort((-confidence, verdicts))]
    return rows[np.argsort(-confidence, kind="stable")]


def marks_of(
    state: ClassState, rows: Rows, colours: dict[str, str], threshold: float
) -> dict[int, Mark]:
    """Return the mark of each row that has a label, or a prediction."""
    texts, predicted = state.classes.texts[rows].tolist(), state.predicted[rows].tolist()
    sure = state.sure(threshold)[rows].tolist()
    marks = {}
    for row, text, guess, is_sure in zip(rows.tolist(), texts, predicted, sure, strict=True):
        if text:
            marks[row] = Mark("class", text, rgb(colours.get(text, UNSURE)))
        elif guess:
            marks[row] = Mark("predicted", guess, rgb(colours.get(guess, UNSURE)), is_sure)
    return marks


def row_text(state: ClassState, row: int) -> str:
    """Return what is known of a crop, in a few words."""
    words = [state.title_of(row)]
    code = int(state.classes.codes[row])
    if code >= 0:
        words.append(f"labelled {state.classes.names[code]}")
    guess = str(state.predicted[row])
    if guess:
        words.append(f"predicted {guess}, {100 * float(state.confidence[row]):.0f} %")
    return " · ".join(words)
