"""Metrics of a ranking of pairs, for the proteins as they are, drawn again, or exchanged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml.evaluation.functional import _sweeps as sweeps
from napari_cryoml.evaluation.functional._pairs import RankedPairs
from napari_cryoml.evaluation.functional._spec import MetricSpec

Values = dict[str, npt.NDArray[np.float64]]
"""Metrics by name, an array of one value a draw."""

PAIR_METRICS = ("ap_pooled", "map_protein", "f05_at_q", "recall_at_q", "f05_at_r", "f05_max")

_BETA2 = 0.25


def weighted_metrics(
    pairs: RankedPairs, weights: npt.NDArray[np.float32], spec: MetricSpec
) -> Values:
    """Return the metrics where each protein counts as often as it was drawn.

    Parameters
    ----------
    pairs : RankedPairs
    weights : array of shape (n, m), float32
        At most `LANES` weightings.
    spec : MetricSpec

    Returns
    -------
    dict of str to array of shape (m,)
        Those of `PAIR_METRICS`, and ``f05_at_0.05`` and the like for `spec.sweep`.
    """
    m = weights.shape[1]
    padded = np.zeros((pairs.n, 1 if m == 1 else sweeps.LANES), np.float32)
    padded[:, :m] = weights
    related = np.zeros(padded.shape[1])
    sweeps.related_weight(pairs.first, pairs.second, pairs.flags, padded, related)
    exact = padded.astype(np.float64)
    total = (exact.sum(axis=0) ** 2 - (exact**2).sum(axis=0)) / 2
    stops = _stops(spec, total)
    sweep = sweeps.sweep_one if m == 1 else sweeps.sweep_many
    pooled, best, at, precision = sweep(
        pairs.first, pairs.second, pairs.flags, padded, related, stops, pairs.n_above
    )
    values = _values(pooled, best, at, related, spec)
    values["map_protein"] = _mean(precision, exact)
    return {name: value[:m] for name, value in values.items()}


def precision_by_protein(pairs: RankedPairs) -> npt.NDArray[np.float64]:
    """Return the average precision of the others for each protein, shape (n,); NaN for none."""
    ones = np.ones((pairs.n, 1), np.float32)
    related, stops = np.ones(1), np.full((1, 1), np.inf)
    found = sweeps.sweep_one(pairs.first, pairs.second, pairs.flags, ones, related, stops, 0)
    return np.asarray(found[3][:, 0], np.float64)


def exchanged_metrics(
    pairs: RankedPairs, orders: Sequence[npt.NDArray[np.int64]], spec: MetricSpec
) -> Values:
    """Return the metrics where proteins have got the terms of others.

    Parameters
    ----------
    pairs : RankedPairs
    orders : sequence of array of shape (n,), int64
        At most `BITS`: which protein gets the terms of each.
    spec : MetricSpec
    """
    marks = np.zeros(len(pairs), np.uint8)
    for bit, order in enumerate(orders):
        sweeps.mark(*pairs.related, order, pairs.places, pairs.n, np.uint8(1 << bit), marks)
    stops = _stops(spec, np.array([float(len(pairs))]))[:, 0]
    pooled, best, at, precision = sweeps.sweep_labellings(
        pairs.first,
        pairs.second,
        pairs.flags,
        marks,
        pairs.n,
        pairs.n_related,
        stops,
        pairs.n_above,
    )
    related = np.full(sweeps.BITS, float(pairs.n_related))
    values = _values(pooled, best, at, related, spec)
    values["map_protein"] = _mean(precision, np.ones_like(precision, np.float64))
    return {name: value[: len(orders)] for name, value in values.items()}


def sweep_of(values: Mapping[str, Any], spec: MetricSpec) -> dict[float, float]:
    """Return F0.5 by the share of the pairs that is called related."""
    return {q: float(np.ravel(values[_at(q)])[0]) for q in spec.fractions}


def _stops(spec: MetricSpec, total: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    # A draw may leave one protein: its pairs weigh nothing, and no stop is to be reached.
    raised = np.outer([*spec.fractions, np.inf], np.where(total > 0, total, np.inf))
    return np.asarray(raised * (1 - 1e-12))


def _values(
    pooled: npt.NDArray[np.float64],
    best: npt.NDArray[np.float64],
    at: npt.NDArray[np.float64],
    related: npt.NDArray[np.float64],
    spec: MetricSpec,
) -> Values:
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(related > 0, related, np.nan)
        f05 = (1 + _BETA2) * at[0] / (_BETA2 * found + at[1])
        recall = at[0] / found
    values = {_at(q): f05[k] for k, q in enumerate(spec.fractions)}
    place = spec.fractions.index(spec.q)
    return values | {
        "ap_pooled": pooled / found,
        "f05_at_q": f05[place],
        "recall_at_q": recall[place],
        "f05_at_r": f05[-1],
        "f05_max": np.where(related > 0, (1 + _BETA2) * best, np.nan),
    }


def _at(q: float) -> str:
    return f"f05_at_{q:g}"


def _mean(precision: npt.NDArray[Any], weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    known = np.isfinite(precision)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = np.where(known, weights, 0).sum(axis=0)
        return np.asarray(np.where(known, precision * weights, 0).sum(axis=0) / total)
