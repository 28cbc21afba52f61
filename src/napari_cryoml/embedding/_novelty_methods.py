"""Scores of being unlike all labelled rows, each fitted to rows and their classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from napari_cryoml.embedding._neighbours import nearest

Vectors: TypeAlias = npt.NDArray[np.float32]
Floats: TypeAlias = npt.NDArray[np.float64]
Classes: TypeAlias = npt.NDArray[np.str_]
Score: TypeAlias = Callable[[Vectors], Floats]
Method: TypeAlias = Callable[[Vectors, Classes, Vectors], Score]

_NEIGHBOURS = 5
_CHUNK = 65_536
_LEAST_VARIANCE = 0.01


def neighbours(known: Vectors, classes: Classes, background: Vectors) -> Score:
    """Score rows by their mean distance to the 5 nearest labelled rows.

    Sun et al. 2022 (ICML, 20827), who take the k-th distance. A labelled row itself is at no
    distance from itself: leave out the nearest with `neighbours_of_known`.
    """

    def score(vectors: Vectors) -> Floats:
        return nearest(known, vectors, _NEIGHBOURS)[1].mean(axis=1, dtype=float)

    return score


def neighbours_of_known(known: Vectors) -> Floats:
    """Return the scores of the labelled rows of `neighbours`, each against all others."""
    if len(known) < 2:
        return np.zeros(len(known))
    return nearest(known, k=_NEIGHBOURS)[1].mean(axis=1, dtype=float)


def mahalanobis(known: Vectors, classes: Classes, background: Vectors) -> Score:
    """Score rows by the least squared Mahalanobis distance to a class, less that to all rows.

    Classes share one covariance, shrunk (Ledoit and Wolf 2004, J. Multivar. Anal. 88, 365), as in
    Lee et al. 2018 (NeurIPS 31); the difference is that of Ren et al. 2021 (arXiv:2106.09022).
    """
    names, number = np.unique(classes, return_inverse=True)
    means = np.stack([known[number == each].mean(axis=0) for each in range(len(names))])
    within = _metric(known - means[number])
    near_means = means @ within
    centre = background.mean(axis=0)
    whole = _metric(background - centre)

    def score(vectors: Vectors) -> Floats:
        mapped = vectors @ within
        to_classes = [((mapped - mean) ** 2).sum(axis=1) for mean in near_means]
        to_all = (((vectors - centre) @ whole) ** 2).sum(axis=1)
        return np.min(to_classes, axis=0).astype(float) - to_all

    return _chunked(score)


def energy(known: Vectors, classes: Classes, background: Vectors) -> Score:
    """Score rows by the energy, -log sum exp of the logits of a logistic head.

    Liu et al. 2020 (NeurIPS 33, 21464). The head is fitted to standardised labelled rows, classes
    weighted alike.
    """
    from scipy.special import logsumexp
    from sklearn.linear_model import LogisticRegression

    centre, variances = known.mean(axis=0), known.var(axis=0)
    # What hardly varies among labelled rows must not decide about all others.
    spread = np.sqrt(variances + _LEAST_VARIANCE * (variances.mean() or 1))
    head = LogisticRegression(C=0.1, class_weight="balanced", max_iter=200)
    head.fit((known - centre) / spread, classes)
    slopes, offsets = head.coef_, head.intercept_
    if len(slopes) == 1:  # two classes have one logit, that of the second
        slopes, offsets = np.concatenate([-slopes, slopes]) / 2, np.append(-offsets, offsets) / 2

    def score(vectors: Vectors) -> Floats:
        return -logsumexp((vectors - centre) / spread @ slopes.T + offsets, axis=1)

    return _chunked(score)


METHODS: dict[str, Method] = {
    "neighbours": neighbours,
    "mahalanobis": mahalanobis,
    "energy": energy,
}

LEAST_CLASSES = {"neighbours": 1, "mahalanobis": 1, "energy": 2}


def _metric(deviations: Vectors) -> Vectors:
    """Return what makes the shrunk covariance of deviations the unit, shape (d, d)."""
    from sklearn.covariance import ledoit_wolf

    if len(deviations) < 2:
        return np.eye(deviations.shape[1], dtype=np.float32)
    covariance, _ = ledoit_wolf(deviations.astype(float), assume_centered=True)
    values, axes = np.linalg.eigh(covariance)
    floor = max(float(values.max(initial=0.0)) * 1e-6, 1e-12)
    return (axes / np.sqrt(values.clip(min=floor))).astype(np.float32)


def _chunked(score: Score) -> Score:
    def all_of(vectors: Vectors) -> Floats:
        starts = range(0, len(vectors), _CHUNK)
        parts = [score(vectors[start : start + _CHUNK]) for start in starts]
        return np.concatenate([np.empty(0), *parts])

    return all_of
