"""Where in the cell a protein lies: rings, angular orders, the centre and the border."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from napari_cryoml.features._measure_frame import CellFrame
from napari_cryoml.features._measure_groups import Measure, MeasureGroup

Floats = npt.NDArray[np.float32]

_RINGS = 5
_ORDERS = 4
_BRIGHT = 0.1
_TINY = 1e-6
_LEAST_MEAN = 0.05
"""Mean of a ring, relative, below which its deviation is not divided by less."""

RADIAL = {
    "radial_fraction": "Share of the signal above the background in a ring, 1 the innermost; "
    "rings are ellipses of the cell's own axes.",
    "radial_mean": "Mean relative value of a ring.",
    "radial_cv": "Deviation within a ring, smoothed by 1 pixel, beside its mean.",
    "radial_order": "Amplitude of an angular order of a ring: 1 where it is brighter on one side; "
    "2-D only.",
}

POSITION = {
    "position_radius": "Mean distance of the signal from the middle: 0 there, 1 on the border.",
    "position_spread": "Standard deviation of that distance.",
    "position_offset": "Distance between the middle of the signal and that of the cell, in radii.",
    "position_bright_radius": "Mean distance of the brightest tenth of the pixels from the middle.",
    "position_bright_spread": "How far these lie from each other (root mean square), in radii; "
    "small where they are one patch.",
    "position_bright_share": "Share of the signal that the brightest tenth of the pixels has.",
    "position_border": "Share of the signal beyond nine tenths of the radius.",
}


def radial(cells: CellFrame) -> Iterator[Measure]:
    """Measure rings."""
    from napari_cryoml.features._measure_kernels import ring_sums

    inner = np.minimum((cells.radius * _RINGS).astype(np.int8), _RINGS - 1)
    rings = np.where(cells.cells, inner, -1).astype(np.int8)
    signal = np.maximum(cells.relative, 0)
    sums = ring_sums(rings, signal, cells.smoothed(1.0), _turns(cells), _RINGS, _ORDERS)
    count = np.maximum(sums[..., 0], 1)
    total = np.maximum(sums[..., 1].sum(axis=2, keepdims=True), _TINY)
    mean = np.where(sums[..., 0] > 0, sums[..., 2] / count, 1)
    variance = np.maximum(sums[..., 3] / count - np.square(mean), 0)
    amplitudes = np.hypot(sums[..., 4::2], sums[..., 5::2]) / count[..., None]
    for ring in range(_RINGS):
        at = str(ring + 1)
        yield Measure("radial_fraction", (sums[..., 1] / total)[..., ring], at)
        yield Measure("radial_mean", mean[..., ring], at)
        level = np.maximum(np.abs(mean[..., ring]), _LEAST_MEAN)
        yield Measure("radial_cv", np.sqrt(variance[..., ring]) / level, at)
        for order in range(_ORDERS if cells.ndim == 2 else 0):
            yield Measure("radial_order", amplitudes[..., ring, order], f"{order + 1}_{at}")


def _turns(cells: CellFrame) -> Floats:
    """Return cosine and sine of the angle of each pixel, shape (n, 2, (z)yx); 0 in 3-D."""
    if cells.ndim != 2:
        return np.zeros((len(cells.cells), 2, *cells.cells.shape[1:]), np.float32)
    return np.asarray(cells.stretched[:, ::-1] / np.maximum(cells.radius, _TINY)[:, None])


def position(cells: CellFrame) -> Iterator[Measure]:
    """Measure distances."""
    signal = np.maximum(cells.relative, 0) * cells.cells[:, None]
    yield from _places(cells, signal)
    least = cells.quantile(cells.ordered(1.0), 1 - _BRIGHT)
    is_bright = (cells.smoothed(1.0) >= cells.over(least)) & cells.cells[:, None]
    bright = is_bright.astype(np.float32)
    share, mean, second = _moments_of(cells, bright)
    yield Measure("position_bright_radius", share[..., 0])
    scatter = second - np.square(mean).sum(axis=2)
    yield Measure("position_bright_spread", np.sqrt(np.maximum(scatter, 0)))
    total = np.maximum(signal.sum(axis=cells.spatial), _TINY)
    yield Measure("position_bright_share", (signal * bright).sum(axis=cells.spatial) / total)


def _places(cells: CellFrame, signal: Floats) -> Iterator[Measure]:
    share, mean, _ = _moments_of(cells, signal)
    yield Measure("position_radius", share[..., 0])
    yield Measure(
        "position_spread", np.sqrt(np.maximum(share[..., 1] - np.square(share[..., 0]), 0))
    )
    yield Measure("position_offset", np.sqrt(np.square(mean).sum(axis=2)))
    yield Measure("position_border", share[..., 2])


def _moments_of(cells: CellFrame, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Return weighted means: of the radius, its square and what lies near the border; of places.

    Returns
    -------
    array of shape (n, C, 3), array of shape (n, C, ndim), array of shape (n, C)
        The last is the mean square of places.
    """
    n = len(weights)
    radius = cells.radius.reshape(n, -1)
    known = np.stack([radius, np.square(radius), radius > 0.9], axis=2).astype(np.float32)
    places = cells.stretched.reshape(n, cells.ndim, -1).transpose(0, 2, 1)
    flat = weights.reshape(*weights.shape[:2], -1)
    total = np.maximum(flat.sum(axis=2), _TINY)[..., None]
    shares, means = flat @ known / total, flat @ places / total
    return shares, means, shares[..., 1]


GROUPS = (
    MeasureGroup(
        "radial",
        "How the signal changes from the middle of the cell to its border.",
        RADIAL,
        radial,
    ),
    MeasureGroup(
        "position", "Distances of the signal from the middle and the border.", POSITION, position
    ),
)
