"""Features on the scale of a normal distribution, whatever theirs is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from napari_cryoml.classification._shared_covariance import (
    LinearHead,
    chosen_rows,
    fit_shared_covariance,
)

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]

_KNOTS = 65
_UNLABELLED_WEIGHT = 0.25
_ROUNDS = 5
_HEAD = "head."


@dataclass(frozen=True, slots=True, eq=False)
class NormalScores:
    """By which normal score each value of a feature is replaced, linear between quantiles.

    Measurements of cells have long tails and ties, and a head that takes classes for normal
    clouds would look at little else.

    Parameters
    ----------
    values, scores : array of shape (d, k)
        Rising quantiles of each feature, and the normal scores of these; scores of equal values
        are their mean.
    """

    values: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float64]

    @classmethod
    def fit(cls, features: Floats) -> Self:
        """Learn the quantiles of features (n, d), finite."""
        from scipy.special import ndtri

        shares = (np.arange(_KNOTS) + 0.5) / _KNOTS
        values = np.quantile(np.asarray(features, np.float64), shares, axis=0).T
        scores = np.empty_like(values)
        for known, found in zip(values, scores, strict=True):
            _, which = np.unique(known, return_inverse=True)
            found[:] = (np.bincount(which, ndtri(shares)) / np.bincount(which))[which]
        return cls(values, scores)

    def of(self, features: Floats) -> Floats:
        """Return the scores of features (n, d), shape (n, d); no larger than those of the fit."""
        columns = zip(features.T, self.values, self.scores, strict=True)
        found = [np.interp(column, values, scores) for column, values, scores in columns]
        return np.stack(found, axis=1).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class NormalScoreHead:
    """A linear head on normal scores.

    Parameters
    ----------
    space : NormalScores
    head : LinearHead
    """

    space: NormalScores
    head: LinearHead

    @classmethod
    def fitted(cls, features: Floats, labels: Rows, n_classes: int, seed: int) -> Self:
        """Return the head that labelled and unlabelled rows give; see `fit_shared_covariance`."""
        rows = chosen_rows(labels, seed)
        space = NormalScores.fit(features[rows])
        head = fit_shared_covariance(
            space.of(features[rows]),
            labels[rows],
            n_classes,
            seed,
            weight=_UNLABELLED_WEIGHT,
            rounds=_ROUNDS,
        )
        return cls(space, head)

    def scores(self, features: Floats) -> Floats:
        """Return one score a class, shape (n, L), of finite features (n, d)."""
        return self.head.scores(self.space.of(features))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return all that `of_arrays` needs."""
        inner = {f"{_HEAD}{name}": array for name, array in self.head.arrays().items()}
        return {"quantiles": self.space.values, "normal_scores": self.space.scores, **inner}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Return the head whose arrays are given.

        Raises
        ------
        KeyError
            If one is missing.
        """
        inner = {
            name.removeprefix(_HEAD): array
            for name, array in arrays.items()
            if name.startswith(_HEAD)
        }
        space = NormalScores(arrays["quantiles"], arrays["normal_scores"])
        return cls(space, LinearHead.of_arrays(inner))
