"""Size and shape of cells."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from napari_cryoml.features._measure_frame import CellFrame
from napari_cryoml.features._measure_groups import Measure, MeasureGroup

_ORDERS = range(2, 7)
_TINY = 1e-6

SHAPE = {
    "shape_area": "Pixels of the cell (voxels in 3-D).",
    "shape_border": "Pixels of the cell with a neighbour outside.",
    "shape_axis": "Full axes of the ellipse with the moments of the cell, longest first, pixels.",
    "shape_elongation": "1 less the ratio of the shortest to the longest axis: 0 for a disc.",
    "shape_extent": "Area beside that of the ellipse of equal moments: below 1 where it is hollow "
    "or has arms.",
    "shape_form": "Border beside that of a disc (ball) of the same area.",
    "shape_reach": "Largest distance from the middle, beside the radius of a disc of equal area.",
    "shape_order": "Share of the outline with an angular order: 3 for a triangle; 2-D only.",
    "shape_cut": "Share of the border that lies on the border of the crop.",
}


def shape(cells: CellFrame) -> Iterator[Measure]:
    """Measure outlines."""
    area, border = cells.area, cells.edge.sum(axis=cells.spatial, dtype=np.float32)
    variances = np.linalg.eigvalsh(cells.moments)[:, ::-1]
    axes = 2 * np.sqrt((cells.ndim + 2) * variances)
    ball = math.pi ** (cells.ndim / 2) / math.gamma(cells.ndim / 2 + 1)
    radius = (area / ball) ** (1 / cells.ndim)
    yield Measure("shape_area", area)
    yield Measure("shape_border", border)
    for axis in range(cells.ndim):
        yield Measure("shape_axis", axes[:, axis], str(axis + 1))
    yield Measure("shape_elongation", 1 - axes[:, -1] / axes[:, 0])
    yield Measure("shape_extent", area / (ball * np.prod(axes / 2, axis=1)))
    yield Measure("shape_form", border / (cells.ndim * ball * radius ** (cells.ndim - 1)))
    far = np.sqrt((np.square(cells.offsets).sum(axis=1) * cells.cells).max(axis=cells.spatial))
    yield Measure("shape_reach", far / radius)
    if cells.ndim == 2:
        yield from _orders(cells)
    yield Measure("shape_cut", _cut(cells) / border)


def _orders(cells: CellFrame) -> Iterator[Measure]:
    """Yield amplitudes of the angular orders of outlines: no turn changes them."""
    away = cells.offsets[:, 0] + 1j * cells.offsets[:, 1]
    away = away * cells.cells
    turn = away / np.maximum(np.abs(away), _TINY)
    power, total = turn * np.abs(away), np.abs(away).sum(axis=cells.spatial)
    for order in _ORDERS:
        power = power * turn
        found = np.abs(power.sum(axis=cells.spatial)) / np.maximum(total, _TINY)
        yield Measure("shape_order", found, str(order))


def _cut(cells: CellFrame) -> np.ndarray:
    rim = np.ones(cells.cells.shape[1:], np.bool_)
    rim[(slice(1, -1),) * cells.ndim] = False
    return np.asarray((cells.cells & rim).sum(axis=cells.spatial, dtype=np.float32))


GROUPS = (MeasureGroup("shape", "The outline of the cell.", SHAPE, shape),)
