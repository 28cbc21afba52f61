"""Points that are painted together, from any view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from napari_cryoml.embedding.drawing._density import DensitySheet, spot_weights
from napari_cryoml.embedding.drawing._discs import paint_discs
from napari_cryoml.embedding.drawing._grid import PointGrid
from napari_cryoml.embedding.drawing._paint import Plane, Sheet
from napari_cryoml.embedding.drawing._palettes import SELECTED
from napari_cryoml.embedding.drawing._view import MapView

N_DISCS = 4000
"""As many points of a layer in view, or fewer, are discs."""

_CROWDED_SHARE = 0.9
_OUTLINE_PX = 2.0

_Number = TypeVar("_Number", bound=np.generic)
_Codes = npt.NDArray[np.unsignedinteger]


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
    codes: _Codes
    palette: npt.NDArray[np.uint8]
    strength: float = 1.0
    outlined: bool = False

    def sheets(self, view: MapView, radius: float, strength: float = 1.0) -> list[Sheet]:
        """Return what is to be laid on a picture of a view.

        Parameters
        ----------
        view : MapView
        radius : float
            Of a point, pixels.
        strength : float
            Opacity, on top of the layer's own.

        Returns
        -------
        list of Sheet
            The lowest first; empty if no point is in view.
        """
        across, down, codes = self._within(view, radius + _OUTLINE_PX + 1)
        if not len(codes):
            return []
        strength *= self.strength
        if len(codes) <= N_DISCS:
            return self._discs(view.size, across, down, codes, radius, strength)
        per_pixel = self.grid.crowding(_CROWDED_SHARE) * view.units_per_pixel**2
        crowded = min(per_pixel, len(self.grid))
        looks = spot_weights(radius), crowded, strength, SELECTED if self.outlined else None
        return [DensitySheet(across, down, codes, self.palette, view.size[0], *looks)]

    def _discs(
        self,
        size: tuple[int, int],
        across: Plane,
        down: Plane,
        codes: _Codes,
        radius: float,
        strength: float,
    ) -> list[Sheet]:
        discs = paint_discs(size, across, down, self.palette[codes], radius, strength)
        if not self.outlined:
            return [discs]
        pink = np.broadcast_to(np.array(SELECTED, np.uint8), (len(codes), 3))
        return [paint_discs(size, across, down, pink, radius + _OUTLINE_PX, strength), discs]

    def _within(self, view: MapView, rim: float) -> tuple[Plane, Plane, _Codes]:
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


def _joined(values: npt.NDArray[_Number], parts: list[slice]) -> npt.NDArray[_Number]:
    if len(parts) == 1:
        return values[parts[0]]
    return np.concatenate([values[part] for part in parts]) if parts else values[:0]
