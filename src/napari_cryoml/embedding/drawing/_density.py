"""Many points as a density: what colour, and how opaque, each pixel is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml.embedding.drawing._paint import Cover, Plane, Rgb

GROWTH = 2
"""Pixels by which an outline reaches beyond the points."""

_CONTRAST = 10.0
_FLOOR = 0.25
_LEAST = 1e-3
_OUTLINE_OPACITY = 0.85

_Sums = npt.NDArray[np.float64] | npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class DensitySheet:
    """Points as a density: their mean colour, as opaque as the logarithm of their number.

    Parameters
    ----------
    counts : array of shape (h + 2 * rim, w + 2 * rim)
        Points at each pixel, `rim` being what the spot and the outline need around the picture.
    sums : three such arrays, or three numbers
        Red, green and blue (0..255), summed over the points; numbers if all have one colour.
    spot : array of shape (k,)
        Profile of a point from its middle, 1, outwards.
    crowded : float
        Points per pixel from which a place is opaque.
    strength : float
        Opacity of the whole, 0..1.
    outline : tuple of int, optional
        Colour of a line around all points.
    """

    counts: _Sums
    sums: Sequence[_Sums] | Rgb
    spot: Plane
    crowded: float
    strength: float = 1.0
    outline: Rgb | None = None

    @property
    def _growth(self) -> int:
        return GROWTH if self.outline is not None else 0

    def covers(self, top: int, bottom: int) -> Iterator[Cover]:
        """Yield the outline and then the points of some lines."""
        if not self.counts[top : bottom + 2 * (len(self.spot) - 1 + self._growth)].any():
            return
        wide = self._spread(self.counts, top, bottom, self._growth)
        inner = slice(self._growth, -self._growth or None)
        mass = wide[inner, inner]
        if self.outline is not None:
            yield Cover(self.outline, grown(wide)[inner, inner] * np.float32(_OUTLINE_OPACITY))
        alpha = self._opacity(mass)
        if isinstance(self.sums, tuple):
            yield Cover(self.sums, alpha)
        else:
            weight = alpha / np.maximum(mass, np.float32(_LEAST))
            planes = [self._spread(sums, top, bottom, 0) for sums in self.sums]
            for plane in planes:
                plane *= weight
            yield Cover(planes, alpha)

    def _opacity(self, mass: Plane) -> Plane:
        """Return 0..1: 1 where there is as much as at crowded places."""
        spot_area = float(2 * self.spot.sum() - 1) ** 2
        crowded = max(self.crowded * spot_area, 1.0)
        alpha = mass * np.float32(_CONTRAST)
        np.log1p(alpha, out=alpha)
        alpha *= np.float32((1 - _FLOOR) / np.log1p(_CONTRAST * crowded))
        # Even a lone point among crowds is seen.
        alpha += np.minimum(mass, 1) * np.float32(_FLOOR)
        np.minimum(alpha, 1, out=alpha)
        alpha *= np.float32(self.strength)
        return alpha

    def _spread(self, sums: _Sums, top: int, bottom: int, growth: int) -> Plane:
        """Give each point its spot; the lines asked for, and `growth` more on each side."""
        spare, reach = self._growth - growth, len(self.spot) - 1
        part = sums[top + spare : bottom + 2 * (reach + self._growth) - spare]
        plane: Plane = part[:, spare : part.shape[1] - spare].astype(np.float32)
        return _smooth(_smooth(plane, self.spot, 0), self.spot, 1)


def spot_weights(radius: float) -> Plane:
    """Return the profile of a spot from its middle, 1, outwards, for a radius in pixels."""
    sigma = max(0.55 * radius, 0.3)
    offsets = np.arange(int(np.ceil(2.2 * sigma)) + 1)
    return np.exp(-0.5 * (offsets / sigma) ** 2).astype(np.float32)


def count_points(
    across: Plane,
    down: Plane,
    codes: npt.NDArray[np.integer],
    palette: npt.NDArray[np.uint8],
    size: tuple[int, int],
    rim: int,
) -> tuple[_Sums, Sequence[_Sums] | Rgb]:
    """Return how many points, and how much of each colour, lie on each pixel of a screen.

    Parameters
    ----------
    across, down : arrays of shape (n,)
        Pixel positions, n > 0.
    codes : array of shape (n,)
        Row of `palette` of each point.
    palette : uint8 array of shape (k, 3)
    size : tuple of int
        Width and height of the screen, pixels.
    rim : int
        Pixels around the screen that are counted too.

    Returns
    -------
    counts : array of shape (h + 2 * rim, w + 2 * rim)
    sums : three such arrays, of red, green and blue, or three numbers if all have one colour
    """
    width, height = size[0] + 2 * rim, size[1] + 2 * rim
    pixels = _pixels(across, down, width, height, rim)

    def total(weights: npt.NDArray[np.float64] | None) -> _Sums:
        sums = np.bincount(pixels, weights, width * height + 1)[:-1]
        return sums.reshape(height, width)

    counts = total(None)
    if (codes == codes[0]).all():
        red, green, blue = palette[codes[0]].tolist()
        return counts, (red, green, blue)
    return counts, [total(palette[:, channel].astype(float).take(codes)) for channel in range(3)]


def grown(mass: Plane) -> Plane:
    """Return 0..1: where there is mass within `GROWTH` pixels (within a rounded square)."""
    wide = np.minimum(mass, 1)
    for corners in (False, True):
        lines = wide.copy()
        np.maximum(lines[1:], wide[:-1], out=lines[1:])
        np.maximum(lines[:-1], wide[1:], out=lines[:-1])
        source = lines.copy() if corners else wide
        np.maximum(lines[:, 1:], source[:, :-1], out=lines[:, 1:])
        np.maximum(lines[:, :-1], source[:, 1:], out=lines[:, :-1])
        wide = lines
    return wide


def _pixels(across: Plane, down: Plane, width: int, height: int, rim: int) -> npt.NDArray[np.int32]:
    """Return the index of each point's pixel; all that lie outside share the one after the last."""
    column = np.floor(np.clip(across + np.float32(rim), -1, width))
    line = np.floor(np.clip(down + np.float32(rim), -1, height))
    outside = (column < 0) | (column >= width) | (line < 0) | (line >= height)
    pixels = line.astype(np.int32) * np.int32(width) + column.astype(np.int32)
    pixels[outside] = width * height
    return pixels


def _smooth(plane: Plane, spot: Plane, axis: int) -> Plane:
    """Convolve along an axis; what comes back is shorter by the spot's reach at either end."""
    reach = len(spot) - 1
    length = plane.shape[axis] - 2 * reach

    def shifted(offset: int) -> Plane:
        part = slice(reach + offset, reach + offset + length)
        return plane[part] if axis == 0 else plane[:, part]

    total = shifted(0).copy()
    pair = np.empty_like(total)
    for offset, weight in enumerate(spot[1:], start=1):
        np.add(shifted(-offset), shifted(offset), out=pair)
        pair *= weight
        total += pair
    return total
