"""Bringing vectors to the space in which distances are taken, and new ones to the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError

Floats = npt.NDArray[np.floating[Any]]
Kind = Literal["none", "standard", "pca"]

_CHUNK = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class Whitening:
    """A mean that is taken away, and what is done to the rest.

    Parameters
    ----------
    kind : {"none", "standard", "pca"}
        Nothing; each feature divided by its deviation; or the principal components, which leave
        distances as they are but for what the weaker components add.
    mean : array of shape (d,)
    scale : array of shape (d,)
        Deviations that features are divided by.
    components : array of shape (k, d), optional
        Directions of the principal components, the strongest first; None for all features.
    """

    kind: Kind
    mean: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]
    components: npt.NDArray[np.float64] | None = None

    @classmethod
    def fit(cls, vectors: Floats, kind: Kind, n_components: int) -> Whitening:
        """Learn from the finite rows of vectors (n, d).

        Parameters
        ----------
        vectors : array of shape (n, d)
            Read piece by piece, so it may be half precision and mapped from a file.
        kind : {"none", "standard", "pca"}
        n_components : int
            Components kept in "pca", no more than there are features.

        Raises
        ------
        InputError
            If the kind is unknown.
        """
        if kind not in ("none", "standard", "pca"):
            raise InputError(
                f"Vectors can be whitened by none, standard or pca; {kind!r} was given."
            )
        if kind == "none":
            return cls(kind, np.zeros(vectors.shape[1]), np.ones(vectors.shape[1]))
        mean, covariance = _moments(vectors)
        if kind == "pca":
            return cls(kind, mean, np.ones(len(mean)), _strongest(covariance, n_components))
        deviation = np.sqrt(covariance.diagonal())
        return cls(kind, mean, np.where(deviation > 0, deviation, 1.0))

    def apply(self, vectors: Floats) -> npt.NDArray[np.float32]:
        """Return vectors (n, d) in the space of those this was learned from, (n, d) or (n, k)."""
        if self.kind == "none":
            return np.asarray(vectors, np.float32)
        width = len(self.mean) if self.components is None else len(self.components)
        out = np.empty((len(vectors), width), np.float32)
        for first in range(0, len(vectors), _CHUNK):
            rows = slice(first, first + _CHUNK)
            part = (np.asarray(vectors[rows], np.float64) - self.mean) / self.scale
            out[rows] = part if self.components is None else part @ self.components.T
        return out

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain numbers, lists and strings."""
        if self.kind == "none":
            return {"kind": self.kind, "n_features": len(self.mean)}
        components = None if self.components is None else self.components.tolist()
        mean, scale = self.mean.tolist(), self.scale.tolist()
        return {"kind": self.kind, "mean": mean, "scale": scale, "components": components}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Whitening:
        """Return what `to_json` has written.

        Raises
        ------
        InputError
            If an entry is missing or is of the wrong kind.
        """
        try:
            if values["kind"] == "none":
                d = int(values["n_features"])
                return cls("none", np.zeros(d), np.ones(d))
            parts = values["components"]
            return cls(
                values["kind"],
                np.asarray(values["mean"], np.float64),
                np.asarray(values["scale"], np.float64),
                None if parts is None else np.asarray(parts, np.float64),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"How these vectors were whitened cannot be read ({error!r}): "
                "make the embedding again."
            ) from error


def _moments(vectors: Floats) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return mean (d,) and covariance (d, d) of the finite rows; 0 where there are none."""
    d = vectors.shape[1]
    count, total, square = 0, np.zeros(d), np.zeros((d, d))
    # Far from 0 the square of the mean would swallow a small variance.
    start = None
    for first in range(0, len(vectors), _CHUNK):
        part = np.asarray(vectors[first : first + _CHUNK], np.float64)
        part = part[np.isfinite(part).all(axis=1)]
        if start is None and len(part):
            start = part.mean(axis=0)
        part = part - (0.0 if start is None else start)
        count += len(part)
        total += part.sum(axis=0)
        square += part.T @ part
    if start is None:
        return np.zeros(d), np.zeros((d, d))
    mean = total / count
    return mean + start, square / count - np.outer(mean, mean)


def _strongest(covariance: npt.NDArray[np.float64], n: int) -> npt.NDArray[np.float64]:
    """Return the `n` strongest principal directions as rows, of a sign that is always the same."""
    if not covariance.size:
        return covariance
    _, directions = np.linalg.eigh(covariance)
    rows = directions.T[::-1][: max(n, 1)]
    largest = rows[np.arange(len(rows)), np.abs(rows).argmax(axis=1)]
    return np.asarray(rows * np.where(largest < 0, -1.0, 1.0)[:, None])
