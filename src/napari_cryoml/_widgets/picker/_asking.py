"""Asks the user about the places whose labels teach most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.picker._desk import Desk
from napari_cryoml._widgets.picker._live import Live
from napari_cryoml._widgets.picker._spotlight import Spotlight
from napari_cryoml.data import NEGATIVE, POSITIVE

if TYPE_CHECKING:
    from napari_cryoml.picking.live import Suggestion

STOP_KEY = "Shift+N"

WHY = {
    "missed": "It may be a particle that is missed so far.",
    "unsure": "It could be either, as far as is known.",
    "odd": "It scores high, but looks like no particle labelled so far.",
}


class Asking:
    """Goes through what live picking suggests, over all images, and takes labels as answers.

    Parameters
    ----------
    desk : Desk
    spotlight : Spotlight
    live : Live
    """

    def __init__(self, desk: Desk, spotlight: Spotlight, live: Live) -> None:
        self._desk = desk
        self._spotlight = spotlight
        self._live = live
        self._places: list[Suggestion] = []
        self._place: Suggestion | None = None
        self._wanted = False
        live.suggested.connect(self._take)
        desk.refreshed.connect(self._on_labels)

    @property
    def is_open(self) -> bool:
        """Whether a question is on show."""
        return self._place is not None

    def close(self) -> None:
        """Ask no more."""
        self._wanted, self._places = False, []
        if self._place is not None:
            self._place = None
            self._desk.view.question.withdraw()
            self._spotlight.put_out()

    def toggle(self) -> None:
        """Begin to ask, or stop."""
        if self.is_open or self._wanted:
            self.close()
            return
        with self._desk.telling():
            self._desk.note("Looking for the place that teaches most…")
            self._wanted = True
            self._suggest()

    def answer(self, answer: str) -> None:
        """Take "yes", "no" or "skip" for the place on show, or "stop"."""
        place = self._place
        if place is None:
            return
        if answer == "stop":
            self.close()
            return
        if not self._spotlight.is_seen:
            self._spotlight.point_at(place.image, place.position)
            return
        if answer != "skip":
            label = POSITIVE if answer == "yes" else NEGATIVE
            self._desk.layers.label_at(place.position, label)
        else:
            self._go_on()

    def _on_labels(self) -> None:
        """Take a label near the place on show as the answer: a click on it, or the keys."""
        if self._place is not None and self._is_labelled(self._place):
            with self._desk.telling():
                self._suggest()
                self._go_on()

    def _is_labelled(self, place: Suggestion) -> bool:
        session = self._desk.session
        if session is None or self._desk.shown != place.image:
            return False
        positions = session.labels(place.image).annotations.positions
        gaps = np.linalg.norm(positions - place.position, axis=1)
        return bool(gaps.min(initial=np.inf) <= session.diameter_in(place.image) / 2)

    def _suggest(self) -> None:
        try:
            self._live.suggest()
        except InputError:
            self.close()
            raise

    def _go_on(self) -> None:
        self._place = self._places.pop(0) if self._places else None
        if self._place is None:
            self._desk.view.question.withdraw()
            self._spotlight.put_out()
            self._wanted = True
            return
        where = f" in {self._place.image}" if self._place.image != self._desk.shown else ""
        text = f"Is the place in the yellow circle{where} a particle? {WHY[self._place.reason]}"
        self._desk.view.question.ask(text, STOP_KEY)
        self._spotlight.point_at(self._place.image, self._place.position)

    def _take(self, places: list[Suggestion]) -> None:
        """Take new suggestions; a question on show stays."""
        self._places = list(places)
        if not self._wanted:
            return
        self._wanted = False
        self._desk.note("" if places else "There is nothing to ask about now.")
        if places:
            self._go_on()
