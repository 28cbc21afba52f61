"""Ward's method for points that have weights."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from napari_cryoml.embedding._clustering import Labels

Floats: TypeAlias = npt.NDArray[np.float64]
_EQUAL = 1e-7
"""Share of the largest height below which a height is rounding."""

Merges: TypeAlias = tuple[npt.NDArray[np.intp], Floats]


def merge(
    points: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    n_clusters: int = 1,
    distance: float | None = None,
) -> Labels:
    """Merge the pair of clusters that widens them least, again and again; equal points always.

    Parameters
    ----------
    points : array of shape (n, d)
    weights : array of shape (n,), optional
        How many rows a point is the mean of; one each by default.
    n_clusters : int, default 1
        Where merging ends.
    distance : float, optional
        Where merging ends instead: at clusters of a and b rows whose means are further apart than
        this divided by sqrt(2ab / (a + b)).

    Returns
    -------
    array of shape (n,), intp
        Cluster of each point, from 0.
    """
    points = np.asarray(points, dtype=float)
    pairs, heights = _merges(points, weights)
    order = np.argsort(heights, kind="stable")
    n_equal = int((heights <= _EQUAL * heights.max(initial=0.0)).sum())
    if distance is None:
        n_merges = max(0, len(points) - n_clusters)
    else:
        n_merges = int((heights <= distance).sum())
    return _joined(len(points), pairs[order[: max(n_merges, n_equal)]])


def _joined(n: int, pairs: npt.NDArray[np.intp]) -> Labels:
    from scipy import sparse

    links = sparse.coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return sparse.csgraph.connected_components(links, directed=False)[1].astype(np.intp)


def _merges(points: Floats, weights: npt.ArrayLike | None) -> Merges:
    """Return all merges as pairs of points, one of each cluster, and the heights."""
    if len(points) < 2:
        return np.empty((0, 2), np.intp), np.empty(0)
    if weights is None:
        return _merges_of_equals(points)
    return _Chain(points, np.array(weights, dtype=float)).merges()


def _merges_of_equals(points: Floats) -> Merges:
    from scipy.cluster.hierarchy import linkage

    tree = linkage(points, "ward")
    n = len(points)
    one_of = np.arange(2 * n - 1)
    for number, left in enumerate(tree[:, 0].astype(int), n):
        one_of[number] = one_of[left]
    return one_of[tree[:, :2].astype(int)], tree[:, 2]


class _Chain:
    """A chain of nearest neighbours (Murtagh 1983, Comput. J. 26, 354) of weighted points."""

    def __init__(self, points: Floats, weights: Floats) -> None:
        self._means, self._weights = points.copy(), weights
        self._is_open = np.ones(len(points), bool)
        self._chain: list[int] = []

    def merges(self) -> Merges:
        pairs: list[tuple[int, int]] = []
        heights: list[float] = []
        while len(pairs) < len(self._means) - 1:
            if not self._chain:
                self._chain.append(int(self._is_open.argmax()))
            last = self._chain[-1]
            squares = self._squares_from(last)
            nearest = int(squares.argmin())
            if len(self._chain) > 1 and squares[self._chain[-2]] <= squares[nearest]:
                self._chain.pop()
                other = self._chain.pop()
                self._join(last, other)
                pairs.append((last, other))
                heights.append(np.sqrt(squares[other]))
            else:
                self._chain.append(nearest)
        return np.array(pairs, np.intp), np.array(heights)

    def _squares_from(self, point: int) -> Floats:
        apart = ((self._means - self._means[point]) ** 2).sum(axis=1)
        weights, own = self._weights, self._weights[point]
        squares = 2 * weights * own / (weights + own) * apart
        squares[~self._is_open] = np.inf
        squares[point] = np.inf
        return squares

    def _join(self, gone: int, kept: int) -> None:
        total = self._weights[gone] + self._weights[kept]
        share = self._weights[gone] / total
        self._means[kept] += share * (self._means[gone] - self._means[kept])
        self._weights[kept] = total
        self._is_open[gone] = False
