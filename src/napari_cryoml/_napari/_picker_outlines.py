"""Yellow outlines over the slice on show: a diameter, a place asked about, a marked box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_cryoml._napari._picker_layer_book import LayerBook

Pixel = npt.NDArray[np.float64]

_SQUARE = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]])
_NEAR_PX = 0.5
"""A slice this near to a flat outline shows it."""


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """A ball or a box, by what it fills along each axis.

    Parameters
    ----------
    kind : {"ellipse", "rectangle"}
        What a slice through it is.
    middle, half : array of shape (ndim,)
        Its centre, and how far it reaches from there, pixels (z)yx.
    """

    kind: Literal["ellipse", "rectangle"]
    middle: Pixel
    half: Pixel

    def cut(self, at: Pixel, plane: tuple[int, int]) -> Pixel | None:
        """Return the corners of the slice through it, shape (4, ndim); None if it is missed.

        Parameters
        ----------
        at : array of shape (ndim,)
            A place in the slice, pixels (z)yx.
        plane : tuple of two int
            Axes of the slice, the one that runs down first.
        """
        across = np.ones(len(at), bool)
        across[list(plane)] = False
        gap, reach = np.abs(at - self.middle)[across], self.half[across]
        if (gap > np.maximum(reach, _NEAR_PX)).any():
            return None
        half = self.half.copy()
        if self.kind == "ellipse":
            inner = 1 - np.sum((gap / np.maximum(reach, _NEAR_PX)) ** 2)
            half *= np.sqrt(max(float(inner), 0.0))
        corners = np.tile(np.where(across, at, self.middle), (4, 1))
        corners[:, list(plane)] += _SQUARE * np.maximum(half[list(plane)], _NEAR_PX)
        return np.asarray(corners)


class OutlineDrawing(LayerBook):
    """Layers of outlines, drawn again when another slice or other axes are shown.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    """

    def __init__(self, viewer: Any) -> None:
        super().__init__(viewer)
        self._outlines: dict[str, Outline] = {}
        for change in self._slice_events():
            change.connect(self._draw_outlines)

    def show_circle(self, centre: Pixel | None, radius_px: float) -> None:
        """Show a yellow circle: a diameter being drawn, a place asked about; None hides it."""
        if centre is None:
            self._show_outline("diameter", None)
            return
        middle = np.asarray(centre, np.float64)
        half = np.full(len(middle), max(float(radius_px), 0.5))
        self._show_outline("diameter", Outline("ellipse", middle, half))

    def show_box(self, low: Pixel | None, high: Pixel | None) -> None:
        """Show a yellow box between two corners, pixels (z)yx; None hides it."""
        if low is None or high is None:
            self._show_outline("box", None)
            return
        first, last = np.asarray(low, np.float64), np.asarray(high, np.float64)
        self._show_outline("box", Outline("rectangle", (first + last) / 2, (last - first) / 2))

    @property
    def in_slices(self) -> bool:
        """Whether the viewer shows slices, not a volume as a whole."""
        return self._ndim == 2 or self._viewer.dims.ndisplay == 2

    def _slice_events(self) -> list[Any]:
        events = self._viewer.dims.events
        return [events.point, events.order, events.ndisplay]

    def _slice(self) -> tuple[Pixel, tuple[int, int]]:
        """Return a place in the slice on show, pixels of the image, and the axes of the slice."""
        dims, ndim = self._viewer.dims, self._ndim
        at = np.asarray(dims.point, np.float64)[-ndim:] / self._pixel()
        plane = [axis - dims.ndim + ndim for axis in dims.displayed[-2:]]
        return at, (plane[0], plane[1]) if min(plane) >= 0 else (ndim - 2, ndim - 1)

    def _show_outline(self, role: str, outline: Outline | None) -> None:
        if outline is None:
            self._outlines.pop(role, None)
            layer = self.layer(role)
            if layer is not None:
                layer.visible = False
            return
        self._outlines[role] = outline
        self._draw_outlines()

    def _draw_outlines(self, _event: Any = None) -> None:
        for role, outline in self._outlines.items():
            if len(outline.middle) == self._ndim:
                self._draw_outline(role, outline)

    def _draw_outline(self, role: str, outline: Outline) -> None:
        at, plane = self._slice()
        corners = outline.cut(at if self.in_slices else outline.middle, plane)
        layer = self.layer(role)
        if corners is None:
            if layer is not None:
                layer.visible = False
            return
        if layer is None:
            layer = self._add_outline(role, outline.kind, corners)
        layer.data = [corners]
        self._place(layer, self._point_place())
        layer.visible = True
