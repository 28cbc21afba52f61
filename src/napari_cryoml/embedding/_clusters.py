"""Clusters of vectors, by any of the methods, in one order and with what is to be said of them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.embedding._agglomerative import AgglomerativeConfig
from napari_cryoml.embedding._clustering import ClustersConfig, clusterings
from napari_cryoml.embedding._finite import on_rows_set_aside
from napari_cryoml.embedding._hdbscan import HdbscanConfig
from napari_cryoml.embedding._kmeans import KMeansConfig
from napari_cryoml.embedding._leiden import LeidenConfig
from napari_cryoml.embedding._silhouette import silhouette
from napari_cryoml.jobs import Command, Event

__all__ = [
    "AgglomerativeConfig",
    "Clusters",
    "ClustersConfig",
    "HdbscanConfig",
    "KMeansConfig",
    "LeidenConfig",
    "cluster",
    "clusterings",
]


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """Which rows belong together.

    Parameters
    ----------
    labels : array of shape (n,), int32
        Cluster of each row, 0 for the largest; -1 for none.
    sizes : array of shape (c,), int64
        Rows of each cluster, falling.
    silhouette : float
        How well clusters keep apart, from -1 to 1, estimated from a draw of the rows; NaN if
        there are fewer than two. See `silhouette`.
    notes : tuple of str
        Sentences for the user.
    """

    labels: npt.NDArray[np.int32]
    sizes: npt.NDArray[np.int64]
    silhouette: float
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.sizes)


def cluster(
    vectors: npt.ArrayLike, config: ClustersConfig
) -> Generator[Event, Command | None, Clusters]:
    """Sort rows into clusters by their vectors, never by their place on a map.

    Distances on a map depend on the map: t-SNE and UMAP keep neighbours and not distances.

    Parameters
    ----------
    vectors : array of shape (n, d)
        Rows with a number that is not finite belong to no cluster.
    config : ClustersConfig
        The method and its options; see `clusterings`.

    Yields
    ------
    Event
        Steps of the method.

    Returns
    -------
    Clusters
        After Command.STOP, of what was found by then.

    Raises
    ------
    InputError
        If the vectors are no table.
    """
    table = _table_of(vectors)
    is_whole = np.isfinite(table).all(axis=1)
    centred = table[is_whole].astype(np.float32)
    centred -= centred.mean(axis=0, dtype=np.float64) if len(centred) else 0
    grouping = yield from config.group(centred)
    found, sizes = _by_falling_size(grouping.labels)
    labels = np.full(len(table), -1, np.int32)
    labels[is_whole] = found
    notes = (*on_rows_set_aside(is_whole), *grouping.notes)
    return Clusters(labels, sizes, silhouette(centred, found, config.seed), notes)


def _table_of(vectors: npt.ArrayLike) -> npt.NDArray[np.floating]:
    table = np.asarray(vectors)
    if table.ndim != 2 or table.shape[1] == 0:
        raise InputError(
            f"Vectors must be a table of n rows and d columns, d at least 1; an array of shape "
            f"{table.shape} was given."
        )
    return table


def _by_falling_size(
    labels: npt.NDArray[np.intp],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Give clusters numbers by size; of equal ones that with the lower first row is first."""
    is_in = labels >= 0
    _, first, number, counts = np.unique(
        labels[is_in], return_index=True, return_inverse=True, return_counts=True
    )
    order = np.lexsort((first, -counts))
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order))
    ordered = np.full(len(labels), -1, np.int32)
    ordered[is_in] = rank[number]
    return ordered, counts[order].astype(np.int64)
