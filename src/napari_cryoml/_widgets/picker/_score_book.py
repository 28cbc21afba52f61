"""Scores of all picks, to count what a threshold keeps."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.special import expit


class ScoreBook:
    """The scores of all picks, sorted, so that a threshold is counted without reading picks."""

    def __init__(self) -> None:
        self._sorted: dict[str, npt.NDArray[np.float32]] = {}

    def set(self, image: str, scores: npt.NDArray[np.float32]) -> None:
        """File the scores of the picks of one image that were not rejected."""
        self._sorted[image] = np.sort(scores)

    def drop(self, image: str) -> None:
        """Forget the scores of one image, if there are any."""
        self._sorted.pop(image, None)

    def scores(self, image: str) -> npt.NDArray[np.float32]:
        """Return the scores of one image, rising; none if it was not picked."""
        return self._sorted.get(image, np.empty(0, np.float32))

    def all_scores(self) -> npt.NDArray[np.float32]:
        """Return the scores of all images."""
        if not self._sorted:
            return np.empty(0, np.float32)
        return np.concatenate(list(self._sorted.values()))

    def expected_precision(self, threshold: float) -> float:
        """Return the mean probability of all picks of `threshold` or more to be particles.

        For scores that are calibrated log-odds; not a number without such picks.
        """
        kept = [
            scores[np.searchsorted(scores, np.float32(threshold)) :]
            for scores in self._sorted.values()
        ]
        n_kept = sum(len(scores) for scores in kept)
        return float(sum(expit(scores).sum() for scores in kept) / n_kept) if n_kept else math.nan

    def counts(self, threshold: float) -> Mapping[str, int]:
        """Return how many picks of each image score `threshold` or more."""
        return {
            image: int(len(scores) - np.searchsorted(scores, np.float32(threshold)))
            for image, scores in self._sorted.items()
        }
