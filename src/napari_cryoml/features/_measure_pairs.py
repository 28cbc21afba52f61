"""How two channels of a cell go together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import numpy.typing as npt

from napari_cryoml.features._measure_frame import CellFrame
from napari_cryoml.features._measure_groups import Measure, MeasureGroup

Floats = npt.NDArray[np.float32]

_SCALES = (0.0, 1.0, 2.0)
_SHARE = 0.15
_TINY = 1e-6

PAIRS = {
    "pair_correlation": "Pearson correlation of two channels over the cell.",
    "pair_overlap": "Overlap coefficient: the cosine of two channels above the background.",
    "pair_manders_1": "Manders: share of the first channel where the second is above 15 % of its "
    "brightest.",
    "pair_manders_2": "Manders: share of the second channel where the first is above 15 % of its "
    "brightest.",
    "pair_slope": "Slope of the second channel over the first, both relative.",
    "pair_difference": "Standard deviation of the difference of the two, both relative.",
    "pair_distance": "Distance between the middles of the two signals, in radii of the cell.",
}


def pairs(cells: CellFrame) -> Iterator[Measure]:
    """Measure each pair of channels; `at` begins with their names."""
    for one, two in combinations(range(len(cells.channels)), 2):
        shown = np.isfinite(cells.unit[:, [one, two]]).all(axis=1)
        for found in _pair(cells, one, two):
            yield found._replace(values=np.where(shown, found.values, np.nan))


def _pair(cells: CellFrame, one: int, two: int) -> Iterator[Measure]:
    names = f"{cells.channels[one]}_{cells.channels[two]}"
    for sigma in _SCALES:
        at = "_".join(filter(None, [names, f"{sigma:g}px" if sigma else ""]))
        values = cells.smoothed(sigma)
        yield from _together(cells, values[:, [one]], values[:, [two]], at)
    signal = np.maximum(cells.relative[:, [one, two]], 0) * cells.cells[:, None]
    yield from _shared(cells, signal, names)


def _together(cells: CellFrame, first: Floats, second: Floats, at: str) -> Iterator[Measure]:
    away_1 = first - cells.over(cells.mean(first))
    away_2 = second - cells.over(cells.mean(second))
    both = cells.mean(away_1 * away_2)
    var_1, var_2 = cells.mean(np.square(away_1)), cells.mean(np.square(away_2))
    yield Measure("pair_correlation", (both / np.sqrt(var_1 * var_2 + _TINY**2))[:, 0], at)
    yield Measure("pair_slope", (both / np.maximum(var_1, _TINY))[:, 0], at)
    apart = np.sqrt(np.maximum(var_1 + var_2 - 2 * both, 0))
    yield Measure("pair_difference", apart[:, 0], at)


def _shared(cells: CellFrame, signal: Floats, names: str) -> Iterator[Measure]:
    flat = signal.reshape(len(signal), 2, -1)
    squares = np.square(flat).sum(axis=2)
    product = (flat[:, 0] * flat[:, 1]).sum(axis=1)
    yield Measure("pair_overlap", product / np.sqrt(np.maximum(squares.prod(axis=1), _TINY)), names)
    above = flat > _SHARE * flat.max(axis=2, keepdims=True)
    total = np.maximum(flat.sum(axis=2), _TINY)
    yield Measure("pair_manders_1", (flat[:, 0] * above[:, 1]).sum(axis=1) / total[:, 0], names)
    yield Measure("pair_manders_2", (flat[:, 1] * above[:, 0]).sum(axis=1) / total[:, 1], names)
    places = cells.stretched.reshape(len(flat), cells.ndim, -1).transpose(0, 2, 1)
    middles = flat @ places / total[..., None]
    apart = np.sqrt(np.square(middles[:, 0] - middles[:, 1]).sum(axis=1))
    yield Measure("pair_distance", apart, names)


GROUPS = (
    MeasureGroup("pair", "Pairs of channels; none where there is one channel.", PAIRS, pairs),
)
