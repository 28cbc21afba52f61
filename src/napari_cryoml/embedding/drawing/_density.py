"""Many points as a density: what colour, and how opaque, each pixel is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from napari_cryoml.embedding.drawing._paint import Cover, Plane, Rgb

GROWTH = 2
"""Pixels by which an outline reaches beyond the points."""

_CONTRAST = 10.0
_FLOOR = 0.25
_LEAST = 1e-3
_RUN = 1024
_OUTLINE_OPACITY = 0.85


class DensitySheet:
    """Points as a density: their mean colour, as opaque as the logarithm of their number.

    They are counted a band of lines at a time. Points that follow each other should be near each
    other, as those of a grid are: then a band is a short run of them.

    Parameters
    ----------
    across, down : arrays of shape (n,)
        Pixel positions.
    codes : array of shape (n,)
        Row of `palette` of each point.
    palette : uint8 array of shape (k, 3)
    width : int
        Of the picture, pixels.
    spot : array of shape (k,)
        Profile of a point from its middle, 1, outwards.
    crowded : float
        Points per pixel from which a place is opaque.
    strength : float
        Opacity of the whole, 0..1.
    outline : tuple of int, optional
        Colour of a line around all points.
    """

    def __init__(
        self,
        across: Plane,
        down: Plane,
        codes: npt.NDArray[np.integer],
        palette: npt.NDArray[np.uint8],
        width: int,
        spot: Plane,
        crowded: float,
        strength: float = 1.0,
        outline: Rgb | None = None,
    ) -> None:
        self._across, self._down, self._codes = across, down, codes
        self._palette = palette.astype(np.float64)
        self._one_colour: Rgb | None = None
        if (codes == codes[0]).all():
            red, green, blue = palette[codes[0]].tolist()
            self._one_colour = (red, green, blue)
        self._width, self._spot = width, spot
        self._crowded, self._strength, self._outline = crowded, strength, outline
        self._growth = GROWTH if outline is not None else 0
        starts = np.arange(0, len(down), _RUN)
        self._highest = np.minimum.reduceat(down, starts)
        self._lowest = np.maximum.reduceat(down, starts)

    def covers(self, top: int, bottom: int) -> Iterator[Cover]:
        """Yield the outline and then the points of some lines."""
        rim = len(self._spot) - 1 + self._growth
        run = self._near(top - rim, bottom + rim)
        shape = bottom - top + 2 * rim, self._width + 2 * rim
        pixels = _pixels(self._across[run] + rim, self._down[run] + (rim - top), shape)
        wide = self._spread(_total(pixels, None, shape))
        if not wide.any():
            return
        inner = slice(self._growth, -self._growth or None)
        mass = wide[inner, inner]
        if self._outline is not None:
            yield Cover(self._outline, grown(wide)[inner, inner] * np.float32(_OUTLINE_OPACITY))
        alpha = self._opacity(mass)
        if self._one_colour is not None:
            yield Cover(self._one_colour, alpha)
            return
        weight = np.divide(alpha, np.maximum(mass, np.float32(_LEAST)), dtype=np.float32)
        codes = self._codes[run]
        sums = [_total(pixels, channel.take(codes), shape) for channel in self._palette.T]
        yield Cover([self._spread(plane)[inner, inner] * weight for plane in sums], alpha)

    def _near(self, top: int, bottom: int) -> slice:
        """Return a run of points that holds all between two lines."""
        runs = np.flatnonzero((self._lowest >= top) & (self._highest < bottom))
        return slice(runs[0] * _RUN, (runs[-1] + 1) * _RUN) if len(runs) else slice(0)

    def _opacity(self, mass: Plane) -> Plane:
        """Return 0..1: 1 where there is as much as at crowded places."""
        spot_area = float(2 * self._spot.sum() - 1) ** 2
        crowded = max(self._crowded * spot_area, 1.0)
        alpha = mass * np.float32(_CONTRAST)
        np.log1p(alpha, out=alpha)
        alpha *= np.float32((1 - _FLOOR) / np.log1p(_CONTRAST * crowded))
        # Even a lone point among crowds is seen.
        alpha += np.minimum(mass, 1) * np.float32(_FLOOR)
        np.minimum(alpha, 1, out=alpha)
        alpha *= np.float32(self._strength)
        return alpha

    def _spread(self, sums: Plane) -> Plane:
        """Give each point its spot; what comes back is smaller by the spot's reach."""
        return _smooth(_smooth(sums, self._spot, 0), self._spot, 1)


def spot_weights(radius: float) -> Plane:
    """Return the profile of a spot from its middle, 1, outwards, for a radius in pixels."""
    sigma = max(0.55 * radius, 0.3)
    offsets = np.arange(int(np.ceil(2.2 * sigma)) + 1)
    return np.exp(-0.5 * (offsets / sigma) ** 2).astype(np.float32)


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


def _pixels(across: Plane, down: Plane, shape: tuple[int, int]) -> npt.NDArray[np.int32]:
    """Return the index of each point's pixel; all that lie outside share the one after the last."""
    height, width = shape
    column = np.floor(np.clip(across, -1, width))
    line = np.floor(np.clip(down, -1, height))
    outside = (column < 0) | (column >= width) | (line < 0) | (line >= height)
    pixels = line.astype(np.int32) * np.int32(width) + column.astype(np.int32)
    pixels[outside] = width * height
    return pixels


def _total(
    pixels: npt.NDArray[np.int32], weights: npt.NDArray[np.float64] | None, shape: tuple[int, int]
) -> Plane:
    """Return the number of points, or the sum of their weights, at each pixel."""
    sums = np.bincount(pixels, weights, shape[0] * shape[1] + 1)[:-1]
    return sums.reshape(shape).astype(np.float32)


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
