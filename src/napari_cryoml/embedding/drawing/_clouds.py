"""The whereabouts of categories on a map, as clouds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CLOUD_OPACITY = 0.75
"""How opaque a cloud is painted at its densest place."""

_REACH = 4.0
_PER_BANDWIDTH = 2.5
_SIDES = (48, 224)
_FLAT = 1e-6
_LEAST_POINTS = 3

_Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Cloud:
    """Where one category lies.

    Parameters
    ----------
    code : int
        Of the category.
    count : int
        Its points.
    opacity : float32 array of shape (h, w)
        Share of the category's mass at densities that are lower or equal, 0..1; first row at the
        top of the map (greatest y).
    extent : tuple of float
        Left, right, bottom and top of the array in map units.
    mode : tuple of float
        Map position xy of the greatest density.
    """

    code: int
    count: int
    opacity: npt.NDArray[np.float32]
    extent: tuple[float, float, float, float]
    mode: tuple[float, float]


def category_clouds(
    coordinates: npt.NDArray[np.floating], codes: npt.NDArray[np.integer]
) -> list[Cloud]:
    """Return a cloud for each category: a Gaussian kernel density estimate.

    The kernel's covariance is that of the category times n^(-1/3): Scott's rule in two dimensions
    (D. W. Scott, Multivariate Density Estimation, 1992, section 6.3). Points are counted on a grid
    as fine as the kernel asks for, and the kernel is applied in Fourier space.

    Parameters
    ----------
    coordinates : array of shape (n, 2)
        Map positions xy; rows that are not finite are left out.
    codes : int array of shape (n,)
        Category of each row; negative for none.

    Returns
    -------
    list of Cloud
        By code. Categories of fewer than three points, or all on a line, have none: a density needs
        a spread.
    """
    points = np.asarray(coordinates, np.float64)
    codes = np.asarray(codes)
    rows = np.flatnonzero(np.isfinite(points).all(axis=1) & (codes >= 0))
    rows = rows[np.argsort(codes[rows], kind="stable")]
    present, starts = np.unique(codes[rows], return_index=True)
    groups = np.split(points[rows], starts[1:])
    clouds = (_cloud(int(code), group) for code, group in zip(present, groups, strict=False))
    return [cloud for cloud in clouds if cloud is not None]


def _cloud(code: int, points: _Array) -> Cloud | None:
    n = len(points)
    if n < _LEAST_POINTS:
        return None
    covariance = np.cov(points.T) * n ** (-1 / 3)
    widths = np.sqrt(np.maximum(np.linalg.eigvalsh(covariance), 0))
    if widths[0] <= _FLAT * widths[1]:
        return None
    margin = _REACH * np.sqrt(np.diag(covariance))
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    sides = np.ceil((high - low) / widths[0] * _PER_BANDWIDTH)
    sides = np.clip(sides, *_SIDES).astype(int)
    density = _blurred(_counted(points, low, high, sides), covariance, (high - low) / sides)
    row, column = np.unravel_index(int(density.argmax()), density.shape)
    mode = low + (np.array([column, row]) + 0.5) * (high - low) / sides
    extent = (float(low[0]), float(high[0]), float(low[1]), float(high[1]))
    opacity = _mass_below(density)[::-1].astype(np.float32)
    return Cloud(code, n, opacity, extent, (float(mode[0]), float(mode[1])))


def _counted(
    points: _Array, low: _Array, high: _Array, sides: npt.NDArray[np.intp]
) -> npt.NDArray[np.float64]:
    """Share each point among the four nodes around it: less blocky than counting in bins."""
    places = (points - low) / (high - low) * sides - 0.5
    corner = np.floor(places).astype(int)
    part = places - corner
    grid = np.zeros(sides[0] * sides[1])
    for right in (0, 1):
        for up in (0, 1):
            columns, rows = corner[:, 0] + right, corner[:, 1] + up
            weights = np.abs(1 - right - part[:, 0]) * np.abs(1 - up - part[:, 1])
            grid += np.bincount(rows * sides[0] + columns, weights, len(grid))
    return grid.reshape(sides[1], sides[0])


def _blurred(counts: _Array, covariance: _Array, step: _Array) -> _Array:
    """Convolve with a Gaussian of a covariance in map units; `step` is the size of a cell."""
    from scipy import fft

    # The transform goes round the edges; the margin around the points keeps that harmless.
    vertical = 2 * np.pi * fft.fftfreq(counts.shape[0], step[1])[:, None]
    horizontal = 2 * np.pi * fft.rfftfreq(counts.shape[1], step[0])
    exponent = covariance[0, 0] * horizontal**2 + covariance[1, 1] * vertical**2
    exponent = exponent + 2 * covariance[0, 1] * horizontal * vertical
    spectrum = fft.rfft2(counts) * np.exp(-0.5 * exponent)
    return np.maximum(fft.irfft2(spectrum, counts.shape), 0)


def _mass_below(density: _Array) -> _Array:
    """Return, for each cell, the share of the total in cells of no greater density."""
    flat = density.ravel()
    order = np.argsort(flat)
    total = np.cumsum(flat[order])
    # Cells of one density are of one opacity.
    last = np.searchsorted(flat[order], flat[order], side="right") - 1
    share = np.empty_like(flat)
    share[order] = total[last] / total[-1]
    return share.reshape(density.shape)
