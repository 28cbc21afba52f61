"""Where a viewer looks at."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

LEAST_PX = 60.0
"""Least size of a particle on the screen, in canvas pixels, when one is looked at."""


class Ground(Protocol):
    """Whoever knows where the pixels of an image lie in the viewer's world."""

    @property
    def diameter_world(self) -> float:
        """Diameter of a particle."""

    def to_world(self, position: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the place of an image pixel (z)yx."""


class _View(NamedTuple):
    """What was looked at: by the camera, and by the sliders."""

    center: tuple[float, ...]
    zoom: float
    order: tuple[int, ...]
    point: tuple[float, ...]


class PickerCamera:
    """Brings places of the image on show to the middle of the canvas.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    layers : Ground
    """

    def __init__(self, viewer: Any, layers: Ground) -> None:
        self._viewer = viewer
        self._layers = layers
        self._before: _View | None = None

    def remember(self) -> None:
        """Keep what is looked at now, unless something is kept already."""
        if self._before is None:
            camera, dims = self._viewer.scene.camera, self._viewer.dims
            self._before = _View(camera.center, float(camera.zoom), dims.order, dims.point)

    def give_back(self) -> None:
        """Look again at what was kept."""
        before, self._before = self._before, None
        if before is None or before.order != self._viewer.dims.order:
            return  # the axes were changed over since: there is no way back
        self._viewer.dims.set_point(range(len(before.point)), before.point)
        self._viewer.scene.camera.center = before.center
        self._viewer.scene.camera.zoom = before.zoom

    def look_at(self, position: npt.ArrayLike) -> None:
        """Bring a place, pixel (z)yx of the image on show, to the middle, near enough to see."""
        world = self._layers.to_world(position)
        dims, camera = self._viewer.dims, self._viewer.scene.camera
        for axis in set(range(dims.ndim)) - set(dims.displayed):
            dims.set_point(axis, world[axis - dims.ndim])
        shown = [axis - dims.ndim + len(world) for axis in dims.displayed]
        camera.center = (0.0, *(world[axis] for axis in shown if axis >= 0))[-3:]
        size = self._layers.diameter_world
        if size * camera.zoom < LEAST_PX:
            camera.zoom = LEAST_PX / max(size, 1e-6)
