"""The graph of nearest neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_cryoml.embedding._neighbours import Vectors, nearest


def neighbour_graph(vectors: Vectors, k: int) -> Any:
    """Return the graph of nearest neighbours.

    Parameters
    ----------
    vectors : array of shape (n, d), float32
    k : int
        Links from each row.

    Returns
    -------
    sparse array of shape (n, n)
        Symmetric; 1 where both rows are neighbours of each other, 1/2 where one is.
    """
    from scipy import sparse

    indices, _ = nearest(vectors, k=k)
    n, k = indices.shape
    begins = np.arange(0, n * k + 1, k) if k else np.zeros(n + 1, np.intp)
    half = np.full(n * k, 0.5, np.float32)
    directed = sparse.csr_matrix((half, indices.ravel(), begins), shape=(n, n))
    return sparse.csr_matrix(directed + directed.T)
