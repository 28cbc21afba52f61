"""From a few selected rows to a class, at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.embedding._score_mixture import share_by_scores

Vectors: TypeAlias = npt.NDArray[np.float32]
Floats: TypeAlias = npt.NDArray[np.float64]
Rows: TypeAlias = npt.NDArray[np.intp]

_DRAWN = 2000
_NEIGHBOURS = 3
_SHRINKAGE = 0.1
_WHOLE = 0.1
"""Weight of the covariance of all rows beside that of neighbours: a rare class needs some of it."""

_FOLLOWED = (5, 10, 20)
"""Best rows that the direction of a class follows, round by round."""

_OWN_WEIGHT = 0.5
"""Weight of the selected rows in that direction, however many rows it follows."""


@dataclass(frozen=True, slots=True, eq=False)
class FewShot:
    """How much each row is like a few that were selected.

    Parameters
    ----------
    probability : array of shape (n,), float32
        That a row is of the class; 1 for the selected rows, 0 for the negatives, NaN for rows
        whose vector is not finite.
    scores : array of shape (n,), float32
        Cosine with the direction of the class, which probabilities are made of; NaN likewise.
    order : array of shape (m,), intp
        All finite rows by falling score.
    proposed : array of shape (p,), intp
        Rows with a probability above 1/2 by falling score, without the selected ones.
    share : float
        Of the rows that are of the class, estimated.
    notes : tuple of str
        Sentences for the user.
    """

    probability: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    order: Rows
    proposed: Rows
    share: float
    notes: tuple[str, ...] = ()


def few_shot(
    vectors: npt.ArrayLike,
    rows: npt.ArrayLike,
    negatives: npt.ArrayLike | None = None,
    *,
    seed: int = 0,
) -> FewShot:
    """Find the class that a few rows are examples of.

    Vectors are taken to a space in which what tells near neighbours apart is noise of equal
    strength in all directions, and to unit length: so wide differences between classes stay wide,
    other than with the covariance of all rows. The direction of the class is that of the selected
    rows and of the rows most like them, half each, found in a few rounds (relevance feedback,
    Rocchio 1971), less that of the negatives. The scores of all rows are then parted into those of
    the class, which the selected rows, each left out in turn, tell the place of, and all others.

    Parameters
    ----------
    vectors : array of shape (n, d)
    rows : array of shape (k,), int
        The selected rows, three for instance.
    negatives : array of shape (m,), int, optional
        Rows that are not of the class.
    seed : int, default 0
        Of the draw of rows that the space is made from.

    Raises
    ------
    InputError
        If no row is selected, one does not exist, is positive and negative, or none of the
        selected ones has a finite vector.
    """
    table = np.asarray(vectors)
    finite = np.isfinite(table).all(axis=1)
    given, notes = _usable(rows, finite, "selected")
    against, more = _usable([] if negatives is None else negatives, finite, "negative")
    _check(given, against)
    at = np.cumsum(finite) - 1
    units = _units(table[finite].astype(np.float32), seed)
    scores, probability, share = _found(units, at[given], at[against])
    return _result(finite, given, against, scores, probability, share, (*notes, *more))


def _usable(
    rows: npt.ArrayLike, finite: npt.NDArray[np.bool_], kind: str
) -> tuple[Rows, tuple[str, ...]]:
    wanted = np.unique(np.asarray(rows, dtype=np.intp))
    if len(wanted) and (wanted[0] < 0 or wanted[-1] >= len(finite)):
        raise InputError(
            f"Rows are numbered from 0 to {len(finite) - 1}; {wanted[-1]} was {kind}: select rows "
            "of this table."
        )
    kept = wanted[finite[wanted]]
    if len(kept) == len(wanted):
        return kept, ()
    left = len(wanted) - len(kept)
    return kept, (f"Left out for want of a finite vector: {left} of {len(wanted)} {kind} rows.",)


def _check(given: Rows, negatives: Rows) -> None:
    if not len(given):
        raise InputError("A class needs an example: select at least one row with a finite vector.")
    both = np.intersect1d(given, negatives)
    if len(both):
        raise InputError(f"Row {both[0]} is selected and negative: make it one of the two.")


def _units(vectors: Vectors, seed: int) -> Vectors:
    """Return the rows at unit length where neighbours differ alike in all directions."""
    centred = vectors - vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    spread = float(np.abs(centred).max(initial=0.0)) or 1.0
    centred /= np.float32(spread)
    units = centred @ _whitening(centred, seed)
    units /= np.maximum(np.linalg.norm(units, axis=1, keepdims=True), 1e-12)
    return units


def _whitening(centred: Vectors, seed: int) -> Vectors:
    """Return the matrix that makes the covariance of differences of neighbours the unit."""
    from scipy.spatial.distance import cdist

    drawn = np.random.default_rng(seed).permutation(len(centred))[:_DRAWN]
    sample = centred[np.sort(drawn)].astype(float)
    variances = sample.var(axis=0)
    floor = _SHRINKAGE * variances.mean()
    if len(sample) < 2 or floor == 0:
        return np.eye(centred.shape[1], dtype=np.float32)
    scaled = sample / np.sqrt(variances + floor)
    distances = cdist(scaled, scaled)
    np.fill_diagonal(distances, np.inf)
    k = min(_NEIGHBOURS, len(sample) - 1)
    near = np.argpartition(distances, k - 1, axis=1)[:, :k]
    apart = (sample[:, None] - sample[near]).reshape(-1, sample.shape[1])
    covariance = apart.T @ apart / len(apart)
    shrunk = covariance + np.eye(len(covariance)) * (
        _SHRINKAGE * np.trace(covariance) / len(covariance) or floor
    )
    near_unit = _inverse_root(shrunk)
    whole = np.cov(sample @ near_unit, rowvar=False).reshape(len(shrunk), -1)
    mixed = (1 - _WHOLE) * np.eye(len(whole)) + _WHOLE * whole / whole.trace() * len(whole)
    return (near_unit @ _inverse_root(mixed)).astype(np.float32)


def _inverse_root(covariance: Floats) -> Floats:
    values, axes = np.linalg.eigh(covariance)
    return axes / np.sqrt(values)


def _found(units: Vectors, given: Rows, negatives: Rows) -> tuple[Floats, Floats, float]:
    """Return scores, probabilities and the share of the class."""
    own = units[given].mean(axis=0)
    away = _OWN_WEIGHT * units[negatives].mean(axis=0) if len(negatives) else 0 * own
    followed = own
    for count in _FOLLOWED:
        count = max(1, min(count, len(units) // 5))
        scores = units @ (_mixed(own, followed) - away)
        followed = units[np.argpartition(-scores, count - 1)[:count]].mean(axis=0)
    for _ in range(2):
        direction = _mixed(own, followed) - away
        scores = (units @ (direction / _length(direction))).astype(float)
        left_out = _left_out(units[given], direction)
        probability, share = share_by_scores(scores, left_out)
        followed = probability.astype(np.float32) @ units / max(probability.sum(), 1e-6)
    return scores, probability, share


def _mixed(own: Vectors, followed: Vectors) -> Vectors:
    return _OWN_WEIGHT * own + (1 - _OWN_WEIGHT) * followed


def _left_out(units: Vectors, direction: Vectors) -> Floats:
    """Return the scores of the selected rows had each not been selected, roughly."""
    others = direction - _OWN_WEIGHT / len(units) * units
    lengths = np.maximum(np.linalg.norm(others, axis=1), 1e-12)
    return ((units * others).sum(axis=1) / lengths).astype(float)


def _length(direction: Vectors) -> np.float32:
    return np.float32(max(float(np.linalg.norm(direction)), 1e-12))


def _result(
    finite: npt.NDArray[np.bool_],
    given: Rows,
    negatives: Rows,
    scores: Floats,
    probability: Floats,
    share: float,
    notes: tuple[str, ...],
) -> FewShot:
    all_scores = np.full(len(finite), np.nan, np.float32)
    all_probabilities = all_scores.copy()
    all_scores[finite], all_probabilities[finite] = scores, probability
    all_probabilities[given], all_probabilities[negatives] = 1, 0
    order = np.flatnonzero(finite)[np.argsort(-scores, kind="stable")]
    is_given = np.zeros(len(finite), bool)
    is_given[given] = True
    proposed = order[(all_probabilities[order] > 0.5) & ~is_given[order]]
    return FewShot(all_probabilities, all_scores, order, proposed, share, notes)
