"""Precision, recall and F1 over all thresholds of a ranked list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError

RECALLS = (0.25, 0.5, 0.75, 0.9)
"""Recalls at which the precision is reported (Bepler et al. 2018, table 2)."""

Curve = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionRecall:
    """Precision and recall of ranked picks at every threshold that changes them.

    Parameters
    ----------
    thresholds : array of shape (k,)
        The distinct scores, falling; a pick counts if its score is the threshold or more.
    precision : array of shape (k,)
        Matched picks over picks.
    recall : array of shape (k,)
        Matched picks over true particles; NaN where there is no true particle.
    n_truth : int
        Number of true particles, found or not.
    n_picks : int
        Number of picks.
    """

    thresholds: Curve
    precision: Curve
    recall: Curve
    n_truth: int
    n_picks: int

    @property
    def average_precision(self) -> float:
        """Sum of precision times gain in recall over the falling thresholds, in 0..1.

        Picks of one score enter together, so that their order does not matter. NaN where there is
        no true particle.
        """
        if self.n_truth == 0:
            return float("nan")
        return float(self.precision @ np.diff(self.recall, prepend=0.0))

    @property
    def f1(self) -> Curve:
        """Harmonic mean of precision and recall at each threshold, shape (k,)."""
        found = self.precision + self.recall
        product = 2 * self.precision * self.recall
        return np.divide(product, found, out=np.zeros_like(found), where=found != 0)

    @property
    def best_f1(self) -> float:
        """Largest F1 over the thresholds; 0 without picks, NaN without true particles."""
        if self.n_truth == 0:
            return float("nan")
        return float(self.f1.max(initial=0.0))

    @property
    def best_threshold(self) -> float:
        """Threshold of the largest F1, the highest of several; NaN where there is none."""
        if self.n_truth == 0 or self.n_picks == 0:
            return float("nan")
        return float(self.thresholds[np.argmax(self.f1)])

    @property
    def precision_at_recall(self) -> Mapping[float, float]:
        """Best precision among the thresholds that reach each of `RECALLS`; 0 if none does."""
        return {level: self._precision_at(level) for level in RECALLS}

    def _precision_at(self, level: float) -> float:
        if self.n_truth == 0:
            return float("nan")
        # The slack lets 9 of 10 particles count as a recall of 0.9, however it is rounded.
        reached = self.recall >= level - 1e-9
        return float(self.precision[reached].max(initial=0.0))

    def to_json(self) -> dict[str, Any]:
        """Return the figures, without the curves, as what JSON can hold; NaN becomes None."""
        return {
            "average_precision": _number(self.average_precision),
            "precision_at_recall": {
                str(level): _number(value) for level, value in self.precision_at_recall.items()
            },
            "best_f1": _number(self.best_f1),
            "best_threshold": _number(self.best_threshold),
            "n_truth": self.n_truth,
            "n_picks": self.n_picks,
        }

    @classmethod
    def of(cls, scores: npt.ArrayLike, matched: npt.ArrayLike, n_truth: int) -> PrecisionRecall:
        """Return the curve of picks.

        Parameters
        ----------
        scores : array of shape (n,)
            Larger is surer. Infinite scores are ranked as they are.
        matched : array of shape (n,), bool
            Whether the pick was assigned to a true particle.
        n_truth : int
            Number of true particles, including those no pick was assigned to.

        Raises
        ------
        InputError
            If a score is NaN.
        """
        ranked, hits = np.asarray(scores, np.float64), np.asarray(matched, bool)
        if np.isnan(ranked).any():
            raise InputError(
                f"{int(np.isnan(ranked).sum())} of {len(ranked)} scores are NaN and cannot be "
                "ranked: remove those picks or give them a score."
            )
        order = np.argsort(-ranked, kind="stable")
        ranked, found = ranked[order], np.cumsum(hits[order])
        last_of_ties = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)[: len(ranked)])
        found = found[last_of_ties]
        recall = found / n_truth if n_truth else np.full(len(found), np.nan)
        return cls(
            ranked[last_of_ties], found / (last_of_ties + 1), recall, int(n_truth), len(ranked)
        )


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value
