"""Which part of a map is on show."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

_MARGIN = 1.12
_ROBUST_FROM = 100
_SAMPLE = 100_000


@dataclass(frozen=True, slots=True)
class MapView:
    """A window on a map: the same scale along both axes, map y upwards, screen y downwards.

    Parameters
    ----------
    centre : tuple of float
        Map position (x, y) in the middle of the screen.
    units_per_pixel : float
        Map units that one pixel spans.
    size : tuple of int
        Width and height of the screen, pixels.
    """

    centre: tuple[float, float] = (0.0, 0.0)
    units_per_pixel: float = 1.0
    size: tuple[int, int] = (1, 1)

    @classmethod
    def fit(cls, coordinates: npt.NDArray[np.floating], size: tuple[int, int]) -> MapView:
        """Return the view that holds all points but far outliers.

        Parameters
        ----------
        coordinates : array of shape (n, 2)
            Map positions xy; rows that are not finite are left out.
        size : tuple of int
            Width and height of the screen, pixels.

        Returns
        -------
        MapView
            Points further out than the span of the middle 98 % on either side of it do not count,
            if there are a hundred or more.
        """
        low, high = bounds(coordinates)
        extent = np.maximum(high - low, 0)
        if not extent.any():
            extent = np.ones(2)
        units = float(np.max(extent * _MARGIN / np.maximum(size, 1)))
        middle = (low + high) / 2
        return cls((float(middle[0]), float(middle[1])), units, size)

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top of the screen in map units."""
        half_width = self.size[0] * self.units_per_pixel / 2
        half_height = self.size[1] * self.units_per_pixel / 2
        x, y = self.centre
        return x - half_width, x + half_width, y - half_height, y + half_height

    def to_screen(self, positions: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the pixels (x, y) of map positions, both of shape (..., 2)."""
        offset = np.asarray(positions, np.float64) - self.centre
        return offset * (1, -1) / self.units_per_pixel + np.asarray(self.size) / 2

    def to_map(self, pixels: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the map positions of pixels (x, y), both of shape (..., 2)."""
        offset = np.asarray(pixels, np.float64) - np.asarray(self.size) / 2
        return offset * (1, -1) * self.units_per_pixel + self.centre

    def panned(self, right: float, down: float) -> MapView:
        """Return the view after its content moved by these pixels."""
        x, y = self.centre
        units = self.units_per_pixel
        return replace(self, centre=(x - right * units, y + down * units))

    def zoomed(self, factor: float, at: tuple[float, float] | None = None) -> MapView:
        """Return the view magnified by `factor`; the pixel `at` (the middle) stays in place."""
        pixel = np.asarray(self.size) / 2 if at is None else np.asarray(at, np.float64)
        fixed = self.to_map(pixel)
        moved = fixed + (np.asarray(self.centre) - fixed) / factor
        units = self.units_per_pixel / factor
        return replace(self, centre=(float(moved[0]), float(moved[1])), units_per_pixel=units)

    def resized(self, size: tuple[int, int]) -> MapView:
        """Return the view on a screen of another size: same centre, same scale."""
        return replace(self, size=size)

    def scaled(self, factor: float) -> MapView:
        """Return the same view with `factor` as many pixels along each side."""
        width, height = (max(round(length * factor), 1) for length in self.size)
        return MapView(self.centre, self.units_per_pixel / factor, (width, height))


def bounds(
    coordinates: npt.NDArray[np.floating],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the lower and upper corner (x, y) of all points but far outliers; 0 without points."""
    points = np.asarray(coordinates)
    finite = np.isfinite(points).all(axis=1)
    points = points if finite.all() else points[finite]
    corners = [_bounds_of(points[:, axis]) for axis in (0, 1)]
    low, high = np.array(corners, np.float64).T
    return low, high


def _bounds_of(values: npt.NDArray[np.floating]) -> tuple[float, float]:
    if not len(values):
        return 0.0, 0.0
    low, high = float(values.min()), float(values.max())
    if len(values) >= _ROBUST_FROM:
        sample = values[:: -(-len(values) // _SAMPLE)]
        inner_low, inner_high = np.percentile(sample, [1, 99])
        span = inner_high - inner_low
        low, high = max(low, inner_low - span), min(high, inner_high + span)
    return low, high
