"""Scores of all picks, to count what a threshold keeps."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.special import expit

Floats = npt.NDArray[np.float32]


class ScoreBook:
    """The scores of all picks, sorted, so that a threshold is counted without reading picks.

    Counts are kept and mended image by image: a list may have thousands of images, and only one
    of them changes with a click.
    """

    def __init__(self) -> None:
        self._sorted: dict[str, Floats] = {}
        self._certain: dict[str, Floats] = {}
        self._threshold = 0.0
        self._counts: dict[str, int] = {}

    def set(self, image: str, scores: Floats) -> None:
        """File the scores of the picks of one image that were not rejected."""
        rising = np.sort(scores)
        self._sorted[image] = rising
        self._certain[image] = np.cumsum(expit(rising[::-1]))
        self._counts[image] = self._count(rising)

    def drop(self, image: str) -> None:
        """Forget the scores of one image, if there are any."""
        for table in (self._sorted, self._certain, self._counts):
            table.pop(image, None)

    def scores(self, image: str) -> Floats:
        """Return the scores of one image, rising; none if it was not picked."""
        return self._sorted.get(image, np.empty(0, np.float32))

    def all_scores(self) -> Floats:
        """Return the scores of all images."""
        if not self._sorted:
            return np.empty(0, np.float32)
        return np.concatenate(list(self._sorted.values()))

    def counts(self, threshold: float) -> Mapping[str, int]:
        """Return how many picks of each image score `threshold` or more."""
        if threshold != self._threshold:
            self._threshold = threshold
            self._counts = {image: self._count(rising) for image, rising in self._sorted.items()}
        return self._counts

    def expected_precision(self, threshold: float) -> float:
        """Return the mean probability of all picks of `threshold` or more to be particles.

        For scores that are calibrated log-odds; not a number without such picks.
        """
        counts = self.counts(threshold)
        n_kept = sum(counts.values())
        if not n_kept:
            return math.nan
        sums = (self._certain[image][count - 1] for image, count in counts.items() if count)
        return float(sum(sums)) / n_kept

    def _count(self, rising: Floats) -> int:
        return int(len(rising) - np.searchsorted(rising, np.float32(self._threshold)))
