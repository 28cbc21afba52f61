"""Clusters of proteins, and how far they say the same as terms."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from napari_cryoml.data import Standard
from napari_cryoml.evaluation.functional._pairs import Vectors
from napari_cryoml.evaluation.functional._spec import MetricSpec

Labels = npt.NDArray[np.intp]

_STARTS = 10
_CURVE_POINTS = 12


def one_label_each(names: npt.NDArray[np.str_], standard: Standard, spec: MetricSpec) -> Labels:
    """Return the one term of each protein.

    Parameters
    ----------
    names : array of shape (n,), str
    standard : Standard
    spec : MetricSpec

    Returns
    -------
    array of shape (n,), int
        Number of a term; -1 for a protein that has none, or several where these are left out.
    """
    member = standard.membership(names.tolist()).tocoo()
    sizes = np.array([len(members) for members in standard.terms.values()])
    labels = np.full(len(names), -1, np.intp)
    # The largest terms first, so that the smallest has the last word.
    order = np.argsort(-sizes[member.col], kind="stable")
    labels[member.row[order]] = member.col[order]
    if spec.labels == "single":
        labels[np.bincount(member.row, minlength=len(names)) != 1] = -1
    return labels


class Clusterings:
    """Clusters of proteins by the number of clusters.

    Parameters
    ----------
    rows : array of shape (n, d), float64
        Vectors of length 1.
    spec : MetricSpec
    """

    def __init__(self, rows: Vectors, spec: MetricSpec) -> None:
        self._rows, self._spec = rows, spec

    def of(self, k: int) -> Labels:
        """Return the clusters of all proteins, shape (n,), from 0."""
        if self._spec.clustering == "kmeans":
            return self._by_means(self._rows, k, _STARTS)
        return _cut(self._tree, k)

    def of_some(self, chosen: Labels, k: int) -> Labels:
        """Return the clusters of some proteins, found without the others."""
        if self._spec.clustering == "kmeans":
            return self._by_means(self._rows[chosen], k, 1)
        return _cut(_tree(self._apart[np.ix_(chosen, chosen)]), k)

    @cached_property
    def _apart(self) -> npt.NDArray[np.float32]:
        alike = (self._rows @ self._rows.T).astype(np.float32)
        apart = np.subtract(1, alike, out=alike).clip(min=0, out=alike)
        np.fill_diagonal(apart, 0)
        return apart

    @cached_property
    def _tree(self) -> npt.NDArray[np.float64]:
        return _tree(self._apart)

    def _by_means(self, rows: Vectors, k: int, starts: int) -> Labels:
        from sklearn.cluster import KMeans

        model = KMeans(min(k, len(rows)), n_init=starts, random_state=self._spec.seed)
        return np.asarray(model.fit_predict(rows), np.intp)


def _tree(apart: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the tree of average linkage of distances, shape (n, n)."""
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    return np.asarray(linkage(squareform(apart, checks=False), "average"), np.float64)


def _cut(tree: npt.NDArray[np.float64], k: int) -> Labels:
    from scipy.cluster.hierarchy import fcluster

    return np.asarray(fcluster(tree, k, "maxclust") - 1, np.intp)


@dataclass(frozen=True, eq=False)
class Agreement:
    """Adjusted mutual information of clusters and terms, as they are and exchanged.

    Parameters
    ----------
    labels, clusters : array of shape (n,), int
        Term and cluster of each protein that has one label.
    """

    labels: Labels
    clusters: Labels

    @property
    def value(self) -> float:
        """The index: 1 if clusters are the terms, 0 on average if they know nothing of them."""
        table = _table(self.labels, self.clusters)
        return _adjusted(_information(table), _expected(table), table)

    def exchanged(self, orders: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return the index where the terms are those of other proteins.

        Parameters
        ----------
        orders : array of shape (m, n), int
            Which protein's term each has.
        """
        table = _table(self.labels, self.clusters)
        expected = _expected(table)  # exchanging terms leaves sums of rows and columns as they are
        informed = (_information(_table(self.labels[o], self.clusters)) for o in orders)
        return np.array([_adjusted(found, expected, table) for found in informed])


def curve_numbers(n: int, k: int) -> tuple[int, ...]:
    """Return numbers of clusters for a curve: from 2 to half the proteins, with `k` among them."""
    spread = np.geomspace(2, max(2, n // 2), _CURVE_POINTS).round().astype(int)
    return tuple(sorted({*spread.tolist(), k}))


def _table(labels: Labels, clusters: Labels) -> Any:
    """Return how many proteins each term shares with each cluster, without empty ones."""
    shape = (int(labels.max(initial=0)) + 1, int(clusters.max(initial=0)) + 1)
    full = csr_array((np.ones(len(labels), np.int64), (labels, clusters)), shape=shape)
    full.sum_duplicates()
    rows, columns = full.sum(axis=1), full.sum(axis=0)
    return full[np.flatnonzero(rows)][:, np.flatnonzero(columns)]


def _information(table: Any) -> float:
    """Return the mutual information of a table of counts, in nats."""
    cells = table.tocoo()
    n = cells.data.sum()
    rows, columns = table.sum(axis=1)[cells.row], table.sum(axis=0)[cells.col]
    return float((cells.data / n * np.log(cells.data * n / (rows * columns.astype(float)))).sum())


def _expected(table: Any) -> float:
    """Return the mean mutual information of tables with the same sums (Vinh et al. 2010)."""
    from sklearn.metrics.cluster import expected_mutual_information

    return float(expected_mutual_information(table.tocsr(), int(table.sum())))


def _adjusted(information: float, expected: float, table: Any) -> float:
    if 1 in table.shape and table.shape[0] == table.shape[1]:
        return 1.0  # all in one: as scikit-learn has it
    mean = (_entropy(table.sum(axis=1)) + _entropy(table.sum(axis=0))) / 2
    room = mean - expected
    tiny = np.finfo(np.float64).eps
    return float((information - expected) / (min(room, -tiny) if room < 0 else max(room, tiny)))


def _entropy(counts: npt.NDArray[Any]) -> float:
    share = counts / counts.sum()
    return float(-(share * np.log(share)).sum())
