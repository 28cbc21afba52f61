"""What becomes of picks once a user has looked at them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from napari_cryoml.data import Annotations, Picks


def rejected_picks(
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
    return _gaps(picks.positions, negatives) <= radius_px


def final_picks(picks: Picks, labels: Annotations, threshold: float, diameter_px: float) -> Picks:
    """Return the picks to write: above the threshold, not rejected, and all labelled particles.

    A pick is rejected by a negative label within half a diameter. A labelled particle that no
    kept pick lies within half a diameter of is added with the score of the threshold: the user
    has said that it is one.

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
    kept = picks.take(~rejected_picks(picks, labels.negatives, radius)).above(threshold)
    missed = labels.positives[_gaps(labels.positives, kept.positions) > radius]
    scores = np.full(len(kept), np.nan) if kept.scores is None else kept.scores
    return Picks(
        picks.image,
        np.concatenate([kept.positions, missed.reshape(-1, kept.ndim)]),
        np.concatenate([scores, np.full(len(missed), threshold)]).astype(np.float32),
        picks.pixel_size,
        diameter_px,
    )


def _gaps(
    positions: npt.NDArray[np.float64], others: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return how far each position is from the nearest of `others`; infinite without any."""
    if not len(positions) or not len(others):
        return np.full(len(positions), np.inf)
    return np.asarray(cKDTree(others).query(positions)[0], np.float64)
