"""Points that are painted together, from any view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from napari_cryoml.embedding.drawing._density import count_points, grown
from napari_cryoml.embedding.drawing._discs import paint_discs
from napari_cryoml.embedding.drawing._grid import PointGrid
from napari_cryoml.embedding.drawing._paint import Paint
from napari_cryoml.embedding.drawing._palettes import SELECTED
from napari_cryoml.embedding.drawing._view import MapView

N_DISCS = 4000
"""As many points of a layer in view, or fewer, are discs."""

_CROWDED_SHARE = 0.9
_OUTLINE = 1.6
_OUTLINE_OPACITY = 0.85

_Number = TypeVar("_Number", bound=np.generic)
_Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Points that are painted together.

    Parameters
    ----------
    grid : PointGrid
    codes : unsigned array of shape (m,)
        Row of `palette` of each point of the grid.
    palette : uint8 array of shape (k, 3)
    strength : float
        Opacity of the whole layer, 0..1.
    outlined : bool
        Whether the points are marked as selected.
    """

    grid: PointGrid
    codes: npt.NDArray[np.unsignedinteger]
    palette: npt.NDArray[np.uint8]
    strength: float = 1.0
    outlined: bool = False

    def paint(self, paint: Paint, view: MapView, radius: float, strength: float = 1.0) -> None:
        """Paint the points that are in view.

        Parameters
        ----------
        paint : Paint
            Changed in place.
        view : MapView
        radius : float
            Of a point, pixels.
        strength : float
            Opacity, on top of the layer's own.
        """
        across, down, codes = self._within(view, radius + _OUTLINE + 1)
        if not len(codes):
            return
        strength *= self.strength
        if len(codes) <= N_DISCS:
            self._paint_discs(paint, across, down, codes, radius, strength)
        else:
            crowded = self.grid.crowding(_CROWDED_SHARE) * view.units_per_pixel**2
            self._paint_density(paint, across, down, codes, radius, strength, crowded)

    def _within(
        self, view: MapView, rim: float
    ) -> tuple[_Floats, _Floats, npt.NDArray[np.unsignedinteger]]:
        """Return pixels (x and y) and codes of the points in view or up to `rim` pixels beyond."""
        width, height = view.size
        wide = view.resized((round(width + 2 * rim), round(height + 2 * rim)))
        parts = self.grid.slices(wide.extent)
        x, y = _joined(self.grid.x, parts), _joined(self.grid.y, parts)
        codes = _joined(self.codes, parts)
        # Subtracting first keeps float32 exact to a pixel however far one zooms in.
        per_unit = np.float32(1 / view.units_per_pixel)
        across = (x - np.float32(view.centre[0])) * per_unit + np.float32(width / 2)
        down = (np.float32(view.centre[1]) - y) * per_unit + np.float32(height / 2)
        inside = (across > -rim) & (across < width + rim) & (down > -rim) & (down < height + rim)
        if inside.all():
            return across, down, codes
        return across[inside], down[inside], codes[inside]

    def _paint_discs(
        self,
        paint: Paint,
        across: _Floats,
        down: _Floats,
        codes: npt.NDArray[np.unsignedinteger],
        radius: float,
        strength: float,
    ) -> None:
        if self.outlined:
            ring = np.broadcast_to(np.array(SELECTED, np.uint8), (len(codes), 3))
            paint_discs(paint, across, down, ring, radius + _OUTLINE, _OUTLINE_OPACITY)
        paint_discs(paint, across, down, self.palette[codes], radius, strength)

    def _paint_density(
        self,
        paint: Paint,
        across: _Floats,
        down: _Floats,
        codes: npt.NDArray[np.unsignedinteger],
        radius: float,
        strength: float,
        crowded: float,
    ) -> None:
        density = count_points(across, down, codes, self.palette, paint.size, radius)
        if self.outlined:
            paint.over(SELECTED, grown(density.mass) * np.float32(_OUTLINE_OPACITY))
        alpha = density.opacity(crowded * density.spot_area) * np.float32(strength)
        paint.over(density.shares(alpha), alpha)


def _joined(values: npt.NDArray[_Number], parts: list[slice]) -> npt.NDArray[_Number]:
    if len(parts) == 1:
        return values[parts[0]]
    return np.concatenate([values[part] for part in parts]) if parts else values[:0]
