"""The weighted graph of neighbours that UMAP lays out, and the curve that it lays it out by."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml.embedding._umap_epochs import Edges

_BISECTIONS = 40
_NARROWEST = 1e-3  # of the mean distance: as narrow as the kernel of a row becomes
_ROWS_AT_ONCE = 100_000

Weights = npt.NDArray[np.float32]


def memberships(distances: npt.NDArray[Any]) -> Weights:
    """Return how much a row belongs to each of its neighbours.

    Parameters
    ----------
    distances : array of shape (n, k)
        To the k nearest others, rising.

    Returns
    -------
    array of shape (n, k), float32
        exp(-(d - d0) / s), where d0 is the least distance that is not 0 and s is such that the
        row sums to log2(k + 1); the nearest have 1.

    References
    ----------
    McInnes, Healy and Melville, arXiv:1802.03426 (2018), section 3.1 and algorithm 3.
    """
    weights = np.empty(distances.shape, np.float32)
    overall = float(distances.mean()) if distances.size else 0.0
    for begin in range(0, len(distances), _ROWS_AT_ONCE):
        rows = slice(begin, begin + _ROWS_AT_ONCE)
        weights[rows] = _memberships(distances[rows].astype(np.float64), overall)
    return weights


def _memberships(distances: npt.NDArray[np.float64], overall: float) -> npt.NDArray[np.float64]:
    k = distances.shape[1]
    nearest = np.where(distances > 0, distances, np.inf).min(axis=1, initial=np.inf)
    nearest[~np.isfinite(nearest)] = 0
    over = np.maximum(distances - nearest[:, None], 0)
    means = np.where(nearest > 0, distances.mean(axis=1), overall)
    narrowest = np.maximum(_NARROWEST * means, np.finfo(np.float32).tiny)
    low, high = narrowest, np.maximum(over.max(axis=1), narrowest)
    # A kernel as wide as this sums to more than wanted, whatever the distances are.
    high = high * (2.0 + k)
    for _ in range(_BISECTIONS):
        width = (low + high) / 2
        much = np.exp(-over / width[:, None]).sum(axis=1) > np.log2(k + 1)
        low, high = np.where(much, low, width), np.where(much, width, high)
    return np.exp(-over / high[:, None])


def graph_edges(
    indices: npt.NDArray[np.intp], distances: npt.NDArray[np.float32], n_epochs: int
) -> Edges:
    """Return the symmetric graph of rows and their neighbours.

    Parameters
    ----------
    indices : array of shape (n, k), intp
        Nearest other rows.
    distances : array of shape (n, k), float32
    n_epochs : int
        Edges so weak that they would not be followed once in as many epochs are left out.

    References
    ----------
    McInnes, Healy and Melville, arXiv:1802.03426 (2018), section 3.1: the probabilistic t-conorm
    a + b - a b of the memberships either way.
    """
    from scipy import sparse

    n, k = indices.shape
    begins = np.arange(0, n * k + 1, k)
    weights = memberships(distances).ravel()
    there = sparse.csr_matrix((weights, indices.ravel(), begins), shape=(n, n))
    back = there.T.tocsr()
    both = (there + back - there.multiply(back)).tocsr()
    return _edges(both, n_epochs)


def _edges(graph: Any, n_epochs: int) -> Edges:
    graph.data /= graph.data.max(initial=np.finfo(np.float32).tiny)
    graph.data[graph.data < 1 / n_epochs] = 0
    graph.eliminate_zeros()
    return Edges(
        graph.indptr.astype(np.int64),
        graph.indices.astype(np.int32),
        graph.data.astype(np.float32),
    )


def membership_curve(min_dist: float) -> tuple[float, float]:
    """Return a and b of 1 / (1 + a d^(2 b)), fitted to a plateau of width `min_dist`.

    Parameters
    ----------
    min_dist : float
        Distance on the map below which a pair counts as together; beyond, membership falls as
        exp(min_dist - d).

    References
    ----------
    McInnes, Healy and Melville, arXiv:1802.03426 (2018), section 3.2, definition 11.
    """
    from scipy.optimize import curve_fit

    d = np.linspace(0, 3, 300)
    wanted = np.exp(-np.maximum(d - min_dist, 0))
    (a, b), _ = curve_fit(lambda d, a, b: 1 / (1 + a * d ** (2 * b)), d, wanted)
    return float(a), float(b)
