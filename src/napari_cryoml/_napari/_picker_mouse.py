"""The mouse over the canvas: a right click for a negative, a drag for the diameter."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from psygnal import Signal

from napari_cryoml._napari._picker_layers import PickerLayers
from napari_cryoml.data import NEGATIVE

LEFT, RIGHT = 1, 2
_CLICK_PX = 5
"""Screen pixels a mouse may move during a click; napari's own limit."""


class PickerMouse:
    """Watches the mouse of a viewer for the Picker.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    layers : PickerLayers
    """

    diameter_drawn = Signal(float)
    """A circle was dragged: its diameter in pixels of the image."""

    box_drawn = Signal(object, object)
    """A box was dragged: its corners in pixels (z)yx of the image, the lower numbers first."""

    def __init__(self, viewer: Any, layers: PickerLayers) -> None:
        self._viewer = viewer
        self._layers = layers
        self.drawing = False
        self._is_box = False
        viewer.mouse_drag_callbacks.append(self._on_press)

    def close(self) -> None:
        """Let go of the viewer."""
        if self._on_press in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._on_press)

    def start_drawing(self, *, box: bool = False) -> None:
        """Take the next drag with the left button as the diameter of a particle, or as a box."""
        self.drawing, self._is_box = True, box
        self._park_labels()

    def stop_drawing(self) -> None:
        """Go back to labelling."""
        self.drawing = False
        self._layers.show_circle(None, 0)
        self._layers.start_labelling()

    def _park_labels(self) -> None:
        # In add mode napari takes the press for a new point before the drag is known.
        layer = self._layers.layer("labels")
        if layer is not None:
            layer.mode = "pan_zoom"

    def _on_press(self, _viewer: Any, event: Any) -> Generator[None, None, None]:
        self._layers.next_click_is_negative = False
        if self._layers.image is None:
            return
        if self.drawing and not self._layers.in_slices:
            self._layers.noted.emit("Drag in slices: go back from 3-D to slices [Ctrl+Y] first.")
            return
        if self.drawing and event.button == LEFT:
            yield from self._draw_box(event) if self._is_box else self._draw(event)
        elif event.button == RIGHT:
            yield from self._negative(event)

    def _negative(self, event: Any) -> Generator[None, None, None]:
        start = np.array(event.pos)
        yield
        while event.type == "mouse_move":
            yield
        if np.linalg.norm(np.array(event.pos) - start) >= _CLICK_PX:
            return
        if self._layers.is_adding:
            # napari adds a point for a click with any button: let it, as a negative.
            self._layers.next_click_is_negative = True
        else:
            self._layers.click_at(event.position, NEGATIVE)

    def _draw(self, event: Any) -> Generator[None, None, None]:
        centre = self._layers.to_image(event.position)
        radius = 0.0
        event.handled = True
        yield
        while event.type == "mouse_move":
            radius = float(np.linalg.norm(self._layers.to_image(event.position) - centre))
            self._layers.show_circle(centre, radius)
            event.handled = True
            yield
        self.stop_drawing()
        if radius >= 1:
            self.diameter_drawn.emit(2 * radius)

    def _draw_box(self, event: Any) -> Generator[None, None, None]:
        start = end = self._layers.to_image(event.position)
        event.handled = True
        yield
        while event.type == "mouse_move":
            end = self._layers.to_image(event.position)
            self._layers.show_box(np.minimum(start, end), np.maximum(start, end))
            event.handled = True
            yield
        self.stop_drawing()
        self.box_drawn.emit(np.minimum(start, end), np.maximum(start, end))
