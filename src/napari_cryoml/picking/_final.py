"""What becomes of picks once a user has looked at them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from napari_cryoml.data import Annotations, Picks

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


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
    has said that it is one. Nothing else is known of it: its orientation is NaN, and its class "".

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
    n_missed = len(missed)
    scores = np.full(len(kept), np.nan) if kept.scores is None else kept.scores
    return Picks(
        picks.image,
        np.concatenate([kept.positions, missed.reshape(-1, kept.ndim)]),
        np.concatenate([scores, np.full(n_missed, threshold)]).astype(np.float32),
        picks.pixel_size,
        diameter_px,
        {name: _padded(np.asarray(values), n_missed) for name, values in kept.columns.items()},
        None if kept.rotations is None else _padded(kept.rotations, n_missed),
    )


def with_poses(picks: Picks, known: Picks | None, radius_px: float) -> Picks:
    """Return picks with the orientations and classes of the known particles that they are.

    A pick is the known particle nearest to it, if that lies within `radius_px` and no other pick
    lies nearer to it.

    Parameters
    ----------
    picks : Picks
    known : Picks, optional
        Of the same image: what a file said. Columns that `picks` has too are filled in where
        they are empty, and so are orientations.
    radius_px : float
    """
    if known is None or not len(known) or not len(picks):
        return picks
    rows, sources = _pairs(picks.positions, known.positions, radius_px)
    columns = dict(picks.columns)
    for name, values in known.columns.items():
        columns[name] = _filled(columns.get(name), np.asarray(values), rows, sources, len(picks))
    rotations = picks.rotations
    if known.rotations is not None and picks.ndim == 3:
        rotations = _filled(rotations, known.rotations, rows, sources, len(picks))
    return replace(picks, columns=columns, rotations=rotations)


def _pairs(positions: Floats, known: Floats, radius_px: float) -> tuple[Rows, Rows]:
    """Return which positions are which known ones, each known one at most once."""
    gaps, nearest = cKDTree(known).query(positions)
    order = np.argsort(gaps, kind="stable")
    order = order[gaps[order] <= radius_px]
    sources, first = np.unique(nearest[order], return_index=True)
    return order[first], sources


def _filled(
    own: npt.NDArray[Any] | None, values: npt.NDArray[Any], rows: Rows, sources: Rows, n: int
) -> npt.NDArray[Any]:
    """Return what is known of `n` particles: `own`, and `values` of others where that is empty."""
    found = _padded(values[:0], n)
    found[rows] = values[sources]
    if own is None:
        return found
    empty = own == "" if own.dtype.kind in "OU" else np.isnan(own.astype(np.float64))
    return np.where(empty, found, own)


def _padded(values: npt.NDArray[Any], n: int) -> npt.NDArray[Any]:
    """Return `values` and `n` rows of which nothing is known: NaN, "" or 0."""
    empty: Any = {"f": np.nan, "U": "", "O": ""}.get(values.dtype.kind, 0)
    return np.concatenate([values, np.full((n, *values.shape[1:]), empty, values.dtype)])


def _gaps(
    positions: npt.NDArray[np.float64], others: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return how far each position is from the nearest of `others`; infinite without any."""
    if not len(positions) or not len(others):
        return np.full(len(positions), np.inf)
    return np.asarray(cKDTree(others).query(positions)[0], np.float64)
