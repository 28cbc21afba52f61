"""One set of vectors beside another, over the same proteins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.evaluation.functional._report import FunctionalReport
from napari_cryoml.evaluation.functional._resampling import interval


@dataclass(frozen=True, slots=True)
class Fold:
    """One metric of two sets of vectors.

    Parameters
    ----------
    a, b : float
        The values.
    fold, fold_low, fold_high : float
        a / b with its interval; NaN where b may be 0 or less, so that no ratio is known.
    difference, difference_low, difference_high : float
        a - b with its interval.
    above : float
        Share of the draws in which a is greater.
    """

    a: float
    b: float
    fold: float
    fold_low: float
    fold_high: float
    difference: float
    difference_low: float
    difference_high: float
    above: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two reports side by side.

    Parameters
    ----------
    standard : str
    n_proteins : int
    folds : dict of str to Fold
        By metric.
    """

    standard: str
    n_proteins: int
    folds: dict[str, Fold]

    def rows(self) -> list[dict[str, Any]]:
        """Return a row a metric, for tables."""
        return [
            {"standard": self.standard, "metric": name}
            | {part: getattr(fold, part) for part in Fold.__dataclass_fields__}
            for name, fold in self.folds.items()
        ]


def compare(a: FunctionalReport, b: FunctionalReport) -> Comparison:
    """Return how many times better `a` is than `b`, with intervals.

    Both were evaluated on the same draws of the same proteins, so that what makes some proteins
    easier than others cancels.

    Raises
    ------
    InputError
        If the reports differ in standard, specification or proteins.
    """
    for what, ours, theirs in (
        ("standards", a.standard, b.standard),
        ("specifications", a.spec, b.spec),
        ("proteins", sorted(a.proteins), sorted(b.proteins)),
    ):
        if ours != theirs:
            raise InputError(
                f"The reports have different {what}, so that their values cannot be compared: "
                "evaluate both on the proteins that both have, with one specification."
            )
    if a.proteins != b.proteins:
        raise InputError(
            "The reports have their proteins in different orders, and so different draws: bring "
            "the rows of the vectors into one order."
        )
    confidence = a.spec.confidence
    folds = {
        name: _fold(a[name], b[name], a.draws[name], b.draws[name], confidence) for name in a.scores
    }
    return Comparison(a.standard, len(a.proteins), folds)


def _fold(
    a: float,
    b: float,
    draws_a: npt.NDArray[np.float64],
    draws_b: npt.NDArray[np.float64],
    confidence: float,
) -> Fold:
    m = min(len(draws_a), len(draws_b))
    one, two = draws_a[:m], draws_b[:m]
    low, high = interval(a - b, one - two, confidence)
    told = np.isfinite(one) & np.isfinite(two)
    above = float(np.mean(one[told] > two[told])) if told.any() else math.nan
    fold, fold_low, fold_high = _ratio(a, b, one, two, confidence)
    return Fold(a, b, fold, fold_low, fold_high, a - b, low, high, above)


def _ratio(
    a: float,
    b: float,
    draws_a: npt.NDArray[np.float64],
    draws_b: npt.NDArray[np.float64],
    confidence: float,
) -> tuple[float, float, float]:
    """Return a / b and its interval, on the scale of logarithms."""
    unknown = (math.nan, math.nan, math.nan)
    if not (a > 0 and b > 0):
        return unknown
    least_b, _ = interval(b, draws_b, confidence)
    if least_b <= 0:
        return unknown
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.log(draws_a / draws_b)
    low, high = interval(math.log(a / b), logs, confidence)
    return a / b, math.exp(low), math.exp(high)
