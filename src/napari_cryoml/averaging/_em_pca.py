"""Principal components of data of which some is missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError

_RIDGE = 1e-6

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """Directions along which rows of data differ most.

    Parameters
    ----------
    scores : array of shape (n, d)
        Coordinates of the rows, the first of largest variance.
    directions : array of shape (d, f)
        Orthonormal.
    mean : array of shape (f,)
    """

    scores: Floats
    directions: Floats
    mean: Floats


def weighted_components(
    data: npt.ArrayLike, weights: npt.ArrayLike, n_dims: int, rounds: int = 10
) -> Components:
    """Return the principal components of weighted data, by expectation maximisation.

    In turn the coordinates of each row and the directions are fitted by weighted least squares to
    what there is; without missing data they are those of a singular value decomposition.

    Parameters
    ----------
    data : array of shape (n, f)
        Values of weight 0 may be anything, NaN too.
    weights : array of shape (n, f)
        0 for what is missing.
    n_dims : int
        Components, at most n - 1 and f of them.
    rounds : int, default 10

    Raises
    ------
    InputError
        If shapes differ, or there are fewer than two rows.

    References
    ----------
    Bailey 2012, Principal component analysis with noisy and/or missing data, PASP 124:1015.
    """
    weights, data = np.asarray(weights, np.float64), np.asarray(data, np.float64)
    if data.ndim != 2 or data.shape != weights.shape or len(data) < 2:
        raise InputError(
            "Components need two rows or more and a weight for each value; data of shape "
            f"{data.shape} and weights of shape {weights.shape} were given."
        )
    values = np.where(weights > 0, data, 0)
    mean = _mean(values, weights)
    n_dims = min(n_dims, len(values) - 1, values.shape[1])
    rest = np.where(weights > 0, values - mean, 0)
    directions = np.linalg.svd(rest, full_matrices=False)[2][:n_dims]
    for _ in range(rounds):
        scores = _fitted(rest, weights, directions)
        directions = np.linalg.qr(_fitted(rest.T, weights.T, scores.T))[0].T
        # Rows of which much is missing pull the mean: what is left of it is taken away again.
        mean = mean + _mean(rest - _fitted(rest, weights, directions) @ directions, weights)
        rest = np.where(weights > 0, values - mean, 0)
    return _ordered(_fitted(rest, weights, directions), directions, mean)


def _mean(values: Floats, weights: Floats) -> Floats:
    return np.asarray((weights * values).sum(axis=0) / np.maximum(weights.sum(axis=0), 1e-12))


def _fitted(values: Floats, weights: Floats, basis: Floats) -> Floats:
    """Return coordinates (n, d) of rows (n, f) in a basis (d, f), by weighted least squares."""
    n_dims = len(basis)
    pairs = (basis[:, None] * basis[None]).reshape(n_dims**2, -1)
    normal = (weights @ pairs.T).reshape(-1, n_dims, n_dims)
    ridge = _RIDGE * np.einsum("nii->n", normal) / n_dims + 1e-12
    normal += ridge[:, None, None] * np.eye(n_dims)
    right = (weights * values) @ basis.T
    return np.asarray(np.linalg.solve(normal, right[:, :, None])[:, :, 0])


def _ordered(scores: Floats, directions: Floats, mean: Floats) -> Components:
    """Turn coordinates within the space that was found, so that the first vary most."""
    centre = scores.mean(axis=0)
    turn = np.linalg.svd(scores - centre, full_matrices=False)[2]
    return Components((scores - centre) @ turn.T, turn @ directions, mean + centre @ directions)
