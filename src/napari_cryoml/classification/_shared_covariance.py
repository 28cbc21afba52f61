"""Classes of one shape, found with the help of what has no label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]

_ROUNDS = 10
_UNLABELLED_WEIGHT = 0.5
_FLOOR = 0.01
"""Added to the variance of each feature, as a share of its variance over all rows."""

_PRIOR_ROWS = 5.0
"""Rows that each class is taken to have beyond those that were found of it."""

_MOST_UNLABELLED = 2000
_FLAT = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class LinearHead:
    """One score a class, linear in the features.

    Parameters
    ----------
    mean, spread : array of shape (d,)
        What features are brought to mean 0 and deviation 1 with.
    weights : array of shape (d, L)
    offsets : array of shape (L,)
    """

    mean: Floats
    spread: Floats
    weights: Floats
    offsets: Floats

    def scores(self, features: Vectors) -> Vectors:
        """Return one score a class, shape (n, L): a log probability up to a constant."""
        scaled = (features - self.mean) / self.spread
        return np.asarray(scaled @ self.weights + self.offsets, np.float32)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return all that `of_arrays` needs."""
        return {name: getattr(self, name) for name in ("mean", "spread", "weights", "offsets")}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Return the head whose arrays are given."""
        return cls(arrays["mean"], arrays["spread"], arrays["weights"], arrays["offsets"])


def fit_shared_covariance(
    features: Vectors,
    labels: Rows,
    n_classes: int,
    seed: int,
    *,
    weight: float = _UNLABELLED_WEIGHT,
    rounds: int = _ROUNDS,
) -> LinearHead:
    """Fit a Gaussian a class, all of one covariance, to labelled and unlabelled rows.

    The labelled rows give the first fit: linear discriminant analysis with the covariance shrunk
    as Ledoit and Wolf say. Expectation maximisation then lets each unlabelled row count in part,
    for the classes it is likely of: a few labels say where the classes are, all rows say how they
    are spread.

    Parameters
    ----------
    features : array of shape (n, d), finite
    labels : array of shape (n,), intp
        -1 for unlabelled rows; each class has one label or more.
    n_classes : int
    seed : int
        Of the choice among more than 2000 unlabelled rows.
    weight : float, default 0.5
        For how much of a row one without a label counts.
    rounds : int, default 10
        Of expectation and maximisation.

    References
    ----------
    Nigam, McCallum, Thrun and Mitchell, Machine Learning 39, 103 (2000), section 5.3, for the
    weight of unlabelled rows. Ledoit and Wolf, J. Multivariate Analysis 88, 365 (2004).
    """
    rows = chosen_rows(labels, seed)
    given = np.asarray(features[rows], np.float64)
    mean, spread = given.mean(axis=0), given.std(axis=0)
    spread = np.where(spread > _FLAT * np.abs(mean) + 1e-12, spread, np.inf)
    scaled, known = (given - mean) / spread, labels[rows]
    certain = (known[:, None] == np.arange(n_classes)).astype(np.float64)
    weights, offsets = _maximised(scaled, certain)
    for _ in range(rounds if (known < 0).any() else 0):
        shares = np.where(known[:, None] < 0, weight * _expected(scaled, weights, offsets), certain)
        weights, offsets = _maximised(scaled, shares)
    return LinearHead(mean, spread, weights, offsets)


def chosen_rows(labels: Rows, seed: int) -> Rows:
    """Return rows that a head is fitted to: all with a label, and up to 2000 of the others."""
    unlabelled = np.flatnonzero(labels < 0)
    drawn = np.random.default_rng(seed).permutation(unlabelled)[:_MOST_UNLABELLED]
    return np.sort(np.concatenate([np.flatnonzero(labels >= 0), drawn]))


def _expected(rows: Floats, weights: Floats, offsets: Floats) -> Floats:
    """Return the probability of each class of each row, shape (n, L)."""
    scores = rows @ weights + offsets
    chances = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(chances / chances.sum(axis=1, keepdims=True))


def _maximised(rows: Floats, shares: Floats) -> tuple[Floats, Floats]:
    """Return the weights and offsets of the linear scores that `shares` of the rows give."""
    counts = shares.sum(axis=0)
    means = shares.T @ rows / counts[:, None]
    covariance = _shrunk(rows, shares, means, counts)
    weights = np.linalg.solve(covariance, means.T)
    prior = (counts + _PRIOR_ROWS) / (counts + _PRIOR_ROWS).sum()
    return weights, np.log(prior) - (means.T * weights).sum(axis=0) / 2


def _shrunk(rows: Floats, shares: Floats, means: Floats, counts: Floats) -> Floats:
    """Return the covariance within classes, shrunk to a multiple of the unit (Ledoit and Wolf)."""
    total, n_features = counts.sum(), rows.shape[1]
    each = shares.sum(axis=1)
    within = (rows * each[:, None]).T @ rows - (means.T * counts) @ means
    freedom = max(total - len(counts), 1.0)
    within /= freedom
    apart = (rows**2).sum(axis=1)[:, None] - 2 * rows @ means.T + (means**2).sum(axis=1)
    fourth = (shares * np.maximum(apart, 0) ** 2).sum() / freedom
    power, level = (within**2).sum(), np.trace(within) / n_features
    away = max(power - n_features * level**2, 1e-12)
    shrinkage = np.clip((fourth - power) / total / away, 0, 1)
    return (1 - shrinkage) * within + (shrinkage * level + _FLOOR) * np.eye(n_features)
