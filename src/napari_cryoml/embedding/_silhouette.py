"""How well clusters keep apart: the silhouette, estimated from a draw of the rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_cryoml.embedding._clustering import Labels, Vectors

_ASKED = 1000
_COMPARED = 5000
_LEAST_COMPARED = 5


def silhouette(vectors: npt.NDArray[np.floating], labels: npt.ArrayLike, seed: int = 0) -> float:
    """Return the mean silhouette of the rows that belong to a cluster.

    That of one row is (b - a) / max(a, b), with a its mean distance to the other rows of its
    cluster and b that to the rows of the nearest other cluster; 0 for a row that is alone
    (Rousseeuw 1987, J. Comput. Appl. Math. 20, 53). At most 1000 rows drawn at random are asked,
    and compared with at most some 5000 rows, as many from each cluster; with fewer rows than
    these it is exact.

    Parameters
    ----------
    vectors : array of shape (n, d)
    labels : array of shape (n,), int
        -1 for rows of no cluster, which are left out.
    seed : int, default 0
        Of the draw.

    Returns
    -------
    float
        Between -1 and 1; NaN if there are fewer than two clusters.
    """
    from scipy.spatial.distance import cdist

    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(np.asarray(labels) >= 0)
    _, cluster, sizes = np.unique(np.asarray(labels)[rows], return_inverse=True, return_counts=True)
    if len(sizes) < 2:
        return float("nan")
    asked = np.sort(rng.permutation(len(rows))[:_ASKED])
    compared = _drawn_from_each(cluster, sizes, rng)
    counts = np.bincount(cluster[compared])
    begins = np.cumsum(counts) - counts
    distances = cdist(vectors[rows[asked]].astype(float), vectors[rows[compared]].astype(float))
    sums = np.add.reduceat(distances, begins, axis=1)
    is_compared = np.isin(asked, compared)
    return float(_silhouettes(sums, counts, cluster[asked], is_compared, sizes).mean())


def _drawn_from_each(cluster: Labels, sizes: Labels, rng: np.random.Generator) -> Labels:
    """Return rows in the order of their cluster, of each cluster about as many."""
    if len(cluster) <= _COMPARED:
        return np.argsort(cluster, kind="stable")
    most = max(_LEAST_COMPARED, _COMPARED // len(sizes))
    order = rng.permutation(len(cluster))
    order = order[np.argsort(cluster[order], kind="stable")]
    rank = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return order[rank < most]


def _silhouettes(
    sums: Vectors, counts: Labels, own: Labels, is_compared: npt.NDArray[np.bool_], sizes: Labels
) -> npt.NDArray[np.float64]:
    each = np.arange(len(own))
    # A row is at no distance from itself, and does not count among the others.
    others = counts[own] - is_compared
    inside = sums[each, own] / np.maximum(others, 1)
    means = sums / counts
    means[each, own] = np.inf
    outside = means.min(axis=1)
    larger = np.maximum(inside, outside)
    values = np.divide(outside - inside, larger, out=np.zeros(len(own)), where=larger > 0)
    return np.where(sizes[own] > 1, values, 0.0)
