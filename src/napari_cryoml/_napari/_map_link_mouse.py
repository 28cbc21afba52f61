"""The mouse over the image, as the map sees it: near which row it is, and clicks."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from psygnal import Signal

LEFT = 1
_CLICK_PX = 5
"""Screen pixels a mouse may move during a click; napari's own limit."""

RowAt: TypeAlias = Callable[[npt.NDArray[np.float64]], int]


class LinkMouse:
    """Watches the mouse of a viewer without taking anything away from others.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    row_at : callable
        Takes a place in the viewer's world and returns the row there; -1 for none.
    """

    hovered = Signal(int)
    """The mouse has come near another row; -1 for none."""

    clicked = Signal(int, str)
    """A row was clicked: "replace", "add" [Shift] or "subtract" [Alt]."""

    def __init__(self, viewer: Any, row_at: RowAt) -> None:
        self._viewer = viewer
        self._row_at = row_at
        self._row = -1
        viewer.mouse_move_callbacks.append(self._on_move)
        viewer.mouse_drag_callbacks.append(self._on_press)

    def close(self) -> None:
        """Let go of the viewer."""
        for callbacks, mine in (
            (self._viewer.mouse_move_callbacks, self._on_move),
            (self._viewer.mouse_drag_callbacks, self._on_press),
        ):
            if mine in callbacks:
                callbacks.remove(mine)

    def _on_move(self, _viewer: Any, event: Any) -> None:
        row = self._row_at(np.asarray(event.position, np.float64))
        if row != self._row:
            self._row = row
            self.hovered.emit(row)

    def _on_press(self, _viewer: Any, event: Any) -> Generator[None, None, None]:
        if event.button != LEFT:
            return
        start, mode = np.array(event.pos), _mode(event.modifiers)
        row = self._row_at(np.asarray(event.position, np.float64))
        yield
        while event.type == "mouse_move":
            yield
        if row >= 0 and np.linalg.norm(np.array(event.pos) - start) < _CLICK_PX:
            self.clicked.emit(row, mode)


def _mode(modifiers: Any) -> str:
    names = {str(getattr(one, "name", one)) for one in modifiers or ()}
    if "Shift" in names:
        return "add"
    return "subtract" if "Alt" in names else "replace"
