"""Many points as a density: what colour, and how opaque, each pixel is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_CONTRAST = 10.0
_FLOOR = 0.25
_LEAST = 1e-3

_Plane = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Density:
    """How much of each colour lies on each pixel.

    Parameters
    ----------
    mass : array of shape (h, w)
        Points at each pixel, each spread over a spot whose middle is 1.
    colour : three arrays of shape (h, w), or three numbers
        Sums of red, green and blue (0..255) over the points; numbers if all have one colour.
    spot_area : float
        Mass of one point over all its pixels.
    """

    mass: _Plane
    colour: list[_Plane] | tuple[int, int, int]
    spot_area: float

    def opacity(self, crowded: float) -> _Plane:
        """Return the opacity: the logarithm of the mass, 1 where it is `crowded` or more."""
        alpha = np.log1p(self.mass * np.float32(_CONTRAST))
        alpha *= np.float32((1 - _FLOOR) / np.log1p(_CONTRAST * max(crowded, 1.0)))
        # Even a lone point among crowds is seen.
        alpha += np.minimum(self.mass, 1) * np.float32(_FLOOR)
        return np.minimum(alpha, 1, out=alpha)

    def shares(self, alpha: _Plane) -> list[_Plane] | tuple[int, int, int]:
        """Return the mean colour at each pixel, multiplied by an opacity."""
        if isinstance(self.colour, tuple):
            return self.colour
        weight = alpha / np.maximum(self.mass, np.float32(_LEAST))
        return [np.multiply(plane, weight, dtype=np.float32) for plane in self.colour]


def spot_weights(radius: float) -> _Plane:
    """Return the profile of a spot from its middle, 1, outwards, for a radius in pixels."""
    sigma = max(0.55 * radius, 0.3)
    offsets = np.arange(int(np.ceil(2.2 * sigma)) + 1)
    return np.exp(-0.5 * (offsets / sigma) ** 2).astype(np.float32)


def count_points(
    across: _Plane,
    down: _Plane,
    codes: npt.NDArray[np.integer],
    palette: npt.NDArray[np.uint8],
    size: tuple[int, int],
    radius: float,
) -> Density:
    """Return the density of points on a screen.

    Parameters
    ----------
    across, down : arrays of shape (n,)
        Pixel positions; those beyond the screen only count as far as their spots reach into it.
    codes : array of shape (n,)
        Row of `palette` of each point.
    palette : uint8 array of shape (k, 3)
    size : tuple of int
        Width and height of the screen, pixels.
    radius : float
        Of a point, pixels.

    Returns
    -------
    Density
    """
    spot = spot_weights(radius)
    rim = len(spot) - 1
    width, height = size[0] + 2 * rim, size[1] + 2 * rim
    pixels = _pixels(across, down, width, height, rim)

    def total(weights: npt.NDArray[np.float64] | None) -> _Plane:
        sums = np.bincount(pixels, weights, width * height + 1)[:-1]
        return _spread(sums.reshape(height, width).astype(np.float32), spot)

    mass = total(None)
    area = float(2 * spot.sum() - 1) ** 2
    if len(palette) == 1 or not len(codes) or (codes == codes[0]).all():
        red, green, blue = palette[codes[0] if len(codes) else 0].tolist()
        return Density(mass, (red, green, blue), area)
    sums = [total(palette[:, channel].astype(float).take(codes)) for channel in range(3)]
    return Density(mass, sums, area)


def _pixels(
    across: _Plane, down: _Plane, width: int, height: int, rim: int
) -> npt.NDArray[np.int32]:
    """Return the index of each point's pixel; all that lie outside share the one after the last."""
    column = np.floor(np.clip(across + np.float32(rim), -1, width))
    line = np.floor(np.clip(down + np.float32(rim), -1, height))
    outside = (column < 0) | (column >= width) | (line < 0) | (line >= height)
    pixels = line.astype(np.int32) * np.int32(width) + column.astype(np.int32)
    pixels[outside] = width * height
    return pixels


def _spread(counts: _Plane, spot: _Plane) -> _Plane:
    """Give each count to the pixels around it, and take away the rim."""
    rim = len(spot) - 1
    height, width = counts.shape[0] - 2 * rim, counts.shape[1] - 2 * rim
    lines = counts[rim : rim + height].copy()
    columns = np.empty((height, width), np.float32)
    scratch = np.empty_like(lines)
    for offset, weight in enumerate(spot[1:], start=1):
        above, below = counts[rim - offset :][:height], counts[rim + offset :][:height]
        lines += np.multiply(np.add(above, below, out=scratch), weight, out=scratch)
    columns[:] = lines[:, rim : rim + width]
    for offset, weight in enumerate(spot[1:], start=1):
        left, right = lines[:, rim - offset :][:, :width], lines[:, rim + offset :][:, :width]
        pair = np.add(left, right, out=scratch[:, :width])
        columns += np.multiply(pair, weight, out=pair)
    return columns


def grown(mass: _Plane) -> _Plane:
    """Return 0..1: where there is mass within two pixels (within a rounded square)."""
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
