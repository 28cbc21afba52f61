"""Rows among others that have a place on the map."""

from __future__ import annotations

import numpy as np

from napari_cryoml.embedding._layouts import Layout, Rows, Vectors
from napari_cryoml.embedding._neighbours import NeighbourIndex

_ROWS_AT_ONCE = 50_000


def mean_of_neighbours(neighbours: Rows, distances: Vectors, layout: Layout) -> Layout:
    """Return the mean places of neighbours, weighted by how near they are.

    The weights are the memberships of UMAP: a kernel for each row, as wide as its neighbourhood.
    A row equal to one with a place goes exactly there.

    Parameters
    ----------
    neighbours : array of shape (n, k), intp
        Nearest first.
    distances : array of shape (n, k), float32
    layout : array of shape (m, c), float32
        Places of those that have one.

    Returns
    -------
    array of shape (n, c), float32
    """
    from napari_cryoml.embedding._umap_graph import memberships

    same = distances == 0
    weights = np.where(same.any(axis=1)[:, None], same, memberships(distances))
    weights = weights / weights.sum(axis=1, keepdims=True)
    return np.einsum("nk,nkc->nc", weights, layout[neighbours], dtype=np.float64).astype(np.float32)


class NeighbourPlacement:
    """Places rows by their nearest neighbours among those that have a place.

    Parameters
    ----------
    vectors : array of shape (m, d), float32
        Of the rows with a place.
    layout : array of shape (m, c), float32
    n_neighbours : int
    """

    def __init__(self, vectors: Vectors, layout: Layout, n_neighbours: int) -> None:
        self._index = NeighbourIndex(vectors, exact_pairs=_EXACT_PAIRS)
        self._layout, self._k = layout, n_neighbours

    def __call__(self, vectors: Vectors) -> Layout:
        """Return the places of rows, shape (n, c), float32."""
        parts = [np.empty((0, self._layout.shape[1]), np.float32)]
        for begin in range(0, len(vectors), _ROWS_AT_ONCE):
            found = self._index.search(vectors[begin : begin + _ROWS_AT_ONCE], self._k)
            parts.append(mean_of_neighbours(*found, self._layout))
        return np.concatenate(parts)


_EXACT_PAIRS = 50_000_000
"""Beyond these, neighbours by cells."""
