"""What becomes of picks once the user has looked at them: thresholds, rejections, counts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import Annotations, Picks


def rejected(
    picks: Picks, negatives: npt.NDArray[np.float64], radius_px: float
) -> npt.NDArray[np.bool_]:
    """Return which picks lie within `radius_px` of a place labelled as no particle.

    Parameters
    ----------
    picks : Picks
    negatives : array of shape (n, ndim)
        Pixel (z)yx.
    radius_px : float

    Returns
    -------
    array of shape (len(picks),), bool
    """
    if not len(picks) or not len(negatives):
        return np.zeros(len(picks), bool)
    gaps = np.linalg.norm(picks.positions[:, None] - negatives[None], axis=2)
    return np.asarray((gaps <= radius_px).any(axis=1))


def final_picks(picks: Picks, labels: Annotations, threshold: float, diameter_px: float) -> Picks:
    """Return the picks to write: above the threshold, not rejected, and all labelled particles.

    A labelled particle that no kept pick lies within half a diameter of is added with the score
    of the threshold: the user has said that it is one.

    Parameters
    ----------
    picks : Picks
        By falling score.
    labels : Annotations
        Of the same image.
    threshold : float
        Least score of a pick.
    diameter_px : float
        Particle diameter in pixels.
    """
    radius = diameter_px / 2
    kept = picks.take(~rejected(picks, labels.negatives, radius)).above(threshold)
    missed = labels.positives
    if len(kept) and len(missed):
        gaps = np.linalg.norm(missed[:, None] - kept.positions[None], axis=2).min(axis=1)
        missed = missed[gaps > radius]
    scores = np.full(len(kept), np.nan) if kept.scores is None else kept.scores
    return Picks(
        picks.image,
        np.concatenate([kept.positions, missed.reshape(-1, kept.ndim)]),
        np.concatenate([scores, np.full(len(missed), threshold)]).astype(np.float32),
        picks.pixel_size,
        diameter_px,
    )


def suggest_threshold(picks: Picks, expected: float) -> float:
    """Return a threshold to start from: 0, or less if that gives fewer picks than expected.

    Parameters
    ----------
    picks : Picks
        Of one image, by falling score.
    expected : float
        How many particles the image is taken to hold.
    """
    if picks.scores is None or not len(picks):
        return 0.0
    rank = min(max(round(expected), 1), len(picks)) - 1
    return min(0.0, round(float(np.sort(picks.scores)[::-1][rank]), 2))


class ScoreBook:
    """The scores of all picks, sorted, so that a threshold is counted without reading picks."""

    def __init__(self) -> None:
        self._sorted: dict[str, npt.NDArray[np.float32]] = {}

    def set(self, image: str, scores: npt.NDArray[np.float32]) -> None:
        """File the scores of the picks of one image that were not rejected."""
        self._sorted[image] = np.sort(scores)

    def scores(self, image: str) -> npt.NDArray[np.float32]:
        """Return the scores of one image, rising; none if it was not picked."""
        return self._sorted.get(image, np.empty(0, np.float32))

    def all_scores(self) -> npt.NDArray[np.float32]:
        """Return the scores of all images."""
        if not self._sorted:
            return np.empty(0, np.float32)
        return np.concatenate(list(self._sorted.values()))

    def counts(self, threshold: float) -> Mapping[str, int]:
        """Return how many picks of each image score `threshold` or more."""
        return {
            image: int(len(scores) - np.searchsorted(scores, np.float32(threshold)))
            for image, scores in self._sorted.items()
        }
