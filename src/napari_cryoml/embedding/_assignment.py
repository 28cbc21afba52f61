"""From clusters of a sample of the rows to clusters of all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_cryoml.embedding._clustering import Labels, Vectors
from napari_cryoml.embedding._neighbours import nearest

_REACH = 0.99


def draw(n: int, size: int, seed: int) -> Labels:
    """Return `size` of `n` row numbers in order, or all if there are no more."""
    if n <= size:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, size, replace=False))


def on_sample(n: int, size: int) -> tuple[str, ...]:
    """Return what the user is told if not all rows were used."""
    if n <= size:
        return ()
    return (f"Clusters are those of {size} rows drawn at random; the other rows joined them.",)


def assign_rest(
    vectors: Vectors, rows: Labels, labels: Labels, *, within_reach: bool = False
) -> Labels:
    """Give each row the cluster of the nearest sampled row.

    Parameters
    ----------
    vectors : array of shape (n, d), float32
    rows : array of shape (m,)
        The sample, in order.
    labels : array of shape (m,)
        Its clusters; -1 for none.
    within_reach : bool, default False
        Whether a row that lies further from the cluster than 99 % of its sampled rows do from
        their nearest belongs to none.

    Returns
    -------
    array of shape (n,), intp
    """
    rest = np.setdiff1d(np.arange(len(vectors)), rows, assume_unique=True)
    assigned = np.full(len(vectors), -1, np.intp)
    assigned[rows] = labels
    if not len(rest):
        return assigned
    neighbours, distances = nearest(vectors[rows], vectors[rest], 1)
    found = labels[neighbours[:, 0]]
    if within_reach:
        reach = _reaches(vectors[rows], labels)
        found = np.where(distances[:, 0] <= reach[found], found, -1)
    assigned[rest] = found
    return assigned


def _reaches(vectors: Vectors, labels: Labels) -> npt.NDArray[np.float64]:
    """Return the reach of each cluster; the last entry, of rows of none, is never reached."""
    reaches = np.full(labels.max(initial=-1) + 2, -np.inf)
    for number in range(len(reaches) - 1):
        _, distances = nearest(vectors[labels == number], k=1)
        reaches[number] = np.quantile(distances, _REACH)
    return reaches
