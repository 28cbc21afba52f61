"""Which points lie within a drawn outline."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_CELLS = 256
_OUTSIDE, _INSIDE, _EDGE = 0, 1, 2
_FEW = 2000

_Array = npt.NDArray[np.float64]
_Mask = npt.NDArray[np.bool_]


def lasso_mask(points: npt.NDArray[np.floating], polygon: npt.ArrayLike) -> _Mask:
    """Return which points lie within a polygon, by the even-odd rule.

    A grid over the polygon sorts its cells into inside, outside and edge, so that only the points
    in edge cells are tested against edges.

    Parameters
    ----------
    points : array of shape (n, 2)
        Map positions xy; rows that are not finite are outside.
    polygon : array of shape (m, 2)
        Its corners xy in order; the last is joined to the first. Fewer than three corners, or no
        area, hold nothing.

    Returns
    -------
    bool array of shape (n,)
    """
    points = np.asarray(points).reshape(-1, 2)
    corners = np.asarray(polygon, np.float64).reshape(-1, 2)
    inside = np.zeros(len(points), bool)
    if len(corners) < 3 or not np.isfinite(corners).all() or np.ptp(corners, axis=0).min() == 0:
        return inside
    rows = np.flatnonzero(rectangle_mask(points, corners.min(axis=0), corners.max(axis=0)))
    within = points[rows]
    if len(rows) <= _FEW:
        inside[rows] = _even_odd(within, corners)
        return inside
    states = _cell_states(corners)[_cells_of(within, corners)]
    inside[rows[states == _INSIDE]] = True
    edge = np.flatnonzero(states == _EDGE)
    inside[rows[edge]] = _even_odd(within[edge], corners)
    return inside


def rectangle_mask(
    points: npt.NDArray[np.floating], corner: npt.ArrayLike, opposite: npt.ArrayLike
) -> _Mask:
    """Return which points lie within an upright rectangle, its rim included.

    Parameters
    ----------
    points : array of shape (n, 2)
        Map positions xy; rows that are not finite are outside.
    corner, opposite : array of shape (2,)
        Any two opposite corners.

    Returns
    -------
    bool array of shape (n,)
    """
    points = np.asarray(points).reshape(-1, 2)
    first, second = np.asarray(corner, np.float64), np.asarray(opposite, np.float64)
    low, high = np.minimum(first, second), np.maximum(first, second)
    inside = np.ones(len(points), bool)
    for axis in (0, 1):
        values = points[:, axis]
        inside &= (values >= low[axis]) & (values <= high[axis])
    return inside


def _even_odd(points: npt.NDArray[np.floating], corners: _Array) -> _Mask:
    """Count, for each point, the edges to the right of it; odd is inside.

    Points in the order of y make the ones that an edge passes a slice.
    """
    order = np.argsort(points[:, 1], kind="stable")
    x, y = points[order].astype(np.float64).T
    odd = np.zeros(len(points), bool)
    for start, end in _edges(corners):
        first, last = np.searchsorted(y, sorted((start[1], end[1])))
        if last > first:
            part = slice(first, last)
            slope = (end[0] - start[0]) / (end[1] - start[1])
            odd[part] ^= x[part] < start[0] + (y[part] - start[1]) * slope
    inside = np.empty(len(points), bool)
    inside[order] = odd
    return inside


def _cell_states(corners: _Array) -> npt.NDArray[np.uint8]:
    """Return outside, inside or edge for each cell of a grid over the polygon, flat, row by row."""
    centres = (np.stack(np.meshgrid(*2 * [np.arange(_CELLS)]), axis=-1) + 0.5).reshape(-1, 2)
    scaled = _in_cells(corners, corners)
    states = np.where(_even_odd(centres, scaled), _INSIDE, _OUTSIDE).astype(np.uint8)
    states.reshape(_CELLS, _CELLS)[_touched(scaled)] = _EDGE
    return states


def _touched(scaled: _Array) -> _Mask:
    """Return the cells that an outline may pass: those near steps of half a cell along it."""
    steps = []
    for start, end in _edges(scaled):
        n = int(2 * np.abs(end - start).max()) + 2
        steps.append(start + np.linspace(0, 1, n)[:, None] * (end - start))
    along = np.clip(np.concatenate(steps).astype(int), 0, _CELLS - 1)
    touched = np.zeros((_CELLS + 2, _CELLS + 2), bool)
    for down in range(3):
        for right in range(3):
            touched[along[:, 1] + down, along[:, 0] + right] = True
    return touched[1:-1, 1:-1]


def _cells_of(points: npt.NDArray[np.floating], corners: _Array) -> npt.NDArray[np.int32]:
    cells = np.clip(_in_cells(points, corners), 0, _CELLS - 1).astype(np.int32)
    return cells[:, 1] * np.int32(_CELLS) + cells[:, 0]


def _in_cells(points: npt.NDArray[np.floating], corners: _Array) -> _Array:
    scaled: _Array = (points - corners.min(axis=0)) * (_CELLS / np.ptp(corners, axis=0))
    return scaled


def _edges(corners: _Array) -> zip[tuple[_Array, _Array]]:
    return zip(corners, np.roll(corners, -1, axis=0), strict=True)
