"""Leads the eye to one place in one of the images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._napari._picker_camera import PickerCamera
from napari_cryoml._widgets.picker._desk import Desk

_CIRCLE = 0.75
"""Radius of the circle around a place, in particle diameters: outside the ring of a pick."""


class Spotlight:
    """Shows the image of a place, brings it to the middle, and draws a circle around it.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    desk : Desk
    choose : callable
        Shows the image of a name; it may take a while.
    """

    def __init__(self, viewer: Any, desk: Desk, choose: Callable[[str], None]) -> None:
        self._desk = desk
        self._choose = choose
        self._camera = PickerCamera(viewer, desk.layers)
        self._place: tuple[str, npt.NDArray[np.float64]] | None = None

    def point_at(self, image: str, position: npt.NDArray[np.float64]) -> None:
        """Go to a place: pixel (z)yx, shape (ndim,), of the image of a name."""
        self._camera.remember()
        self._place = image, np.asarray(position, np.float64)
        if self.is_seen:
            self.on_image_shown()
        else:
            self._desk.layers.show_circle(None, 0)
            self._choose(image)

    @property
    def is_seen(self) -> bool:
        """Whether the image of the place is on the canvas."""
        return self._place is not None and self._place[0] == self._desk.shown

    def on_image_shown(self) -> None:
        """Point at the place if its image is the one on the canvas now."""
        if self._place is None:
            return
        if self.is_seen:
            position = self._place[1]
            self._camera.look_at(position)
            self._desk.layers.show_circle(position, _CIRCLE * self._desk.layers.diameter_px)
        else:
            self._desk.layers.show_circle(None, 0)

    def put_out(self) -> None:
        """Take the circle away and give back the view from before."""
        if self._place is not None:
            self._place = None
            self._desk.layers.show_circle(None, 0)
            self._camera.give_back()
