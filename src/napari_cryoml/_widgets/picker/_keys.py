"""The keys of the Picker: all of them free in every type of layer of napari 0.9."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Key:
    """A key, as napari spells it, and what it does."""

    key: str
    action: str
    title: str


KEYS = (
    Key("G", "label", "Label particles: click the canvas; yes to a question"),
    Key("W", "negative", "Mark the place under the mouse as no particle; no to a question"),
    Key("Control-Z", "undo", "Undo"),
    Key("Control-Shift-Z", "redo", "Redo"),
    Key("N", "next", "Next image; skip a question"),
    Key("K", "previous", "Previous image"),
    Key("U", "unlabelled", "Next image without labels"),
    Key("0", "draw", "Draw the diameter of a particle"),
    Key("Shift+Q", "live", "Pick live after every click, or not"),
    Key("Shift+N", "ask", "Ask about the place whose label teaches most, or stop asking"),
    Key("Shift+G", "certify", "Certify the precision by a review, or stop it"),
    Key("Q", "train", "Train, or stop training and keep the result"),
    Key("H", "heat_map", "Show or hide the heat map"),
    Key("J", "picks", "Show or hide the picks"),
    Key("8", "fewer", "Raise the threshold"),
    Key("9", "more", "Lower the threshold"),
)


class KeyBindings:
    """Binds `KEYS` to a viewer and gives them back.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    actions : mapping of str to callable
        What to call for each `Key.action`.
    """

    def __init__(self, viewer: Any, actions: Mapping[str, Callable[[], object]]) -> None:
        self._viewer = viewer
        self._bound: list[str] = []
        for key in KEYS:
            self._bind(key, actions[key.action])

    def close(self) -> None:
        """Give the keys back."""
        for key in self._bound:
            self._viewer.bind_key(key, None)
        self._bound.clear()

    def _bind(self, key: Key, action: Callable[[], object]) -> None:
        def press(_viewer: Any) -> None:
            action()

        try:
            self._viewer.bind_key(key.key, press)
        except ValueError:
            logger.warning("The key %s is taken already; %s keeps its button.", key.key, key.title)
        else:
            self._bound.append(key.key)
