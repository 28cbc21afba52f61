"""The proteins whose vectors are most like that of one of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import Embedding

_BLOCK = 8192
_QUERIES = 512


@dataclass(frozen=True, slots=True, eq=False)
class Correlated:
    """Rows like one row, the most like first.

    Parameters
    ----------
    rows : array of shape (k,), intp
    ids : array of shape (k,), str
    correlation : array of shape (k,), float64
        Pearson's r of the two vectors, falling.
    """

    rows: npt.NDArray[np.intp]
    ids: npt.NDArray[np.str_]
    correlation: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rows)


def most_correlated(embedding: Embedding, name: str, k: int = 10) -> Correlated:
    """Return the rows whose vectors correlate most with that of one row.

    Correlation (Pearson) is what the functional metrics compare proteins by: the level of a
    vector, and its length, do not count.

    Parameters
    ----------
    embedding : Embedding
        As `group_vectors` returns it.
    name : str
        Id of the row.
    k : int, default 10
        How many; fewer if there are not as many.

    Returns
    -------
    Correlated
        Without the row itself, and without rows whose vectors are constant or not finite.

    Raises
    ------
    InputError
        If there is no such row, or its own vector is constant or not finite.
    """
    (row,) = embedding.rows_of([name])
    if row < 0:
        raise InputError(f"There is no row {name!r}: choose one that is there.")
    own = _directions(embedding.vectors[row : row + 1])[0]
    if np.isnan(own).any():
        raise InputError(f"The vector of {name!r} is constant or not finite: nothing is like it.")
    r = np.empty(len(embedding))
    for start in range(0, len(embedding), _BLOCK):
        block = slice(start, start + _BLOCK)
        r[block] = _directions(embedding.vectors[block]) @ own
    r[row] = np.nan
    # NaN is sorted to the end; of equal ones the first row comes first.
    order = np.argsort(-r, kind="stable")[: max(min(k, int(np.isfinite(r).sum())), 0)]
    return Correlated(order, embedding.ids[order], r[order])


def all_correlated(embedding: Embedding, k: int = 10) -> dict[int, list[tuple[int, float]]]:
    """Return, for each row, the rows whose vectors correlate most with it, and how much.

    Parameters
    ----------
    embedding : Embedding
    k : int, default 10

    Returns
    -------
    dict of int to list of (int, float)
        Row numbers and Pearson's r, the most like first; rows that are constant or not finite are
        missing on either side.
    """
    directions = _directions(embedding.vectors).astype(np.float32)
    usable = np.flatnonzero(np.isfinite(directions).all(axis=1))
    table = directions[usable]
    k = min(k, len(usable) - 1)
    found: dict[int, list[tuple[int, float]]] = {}
    if k < 1:
        return found
    for start in range(0, len(usable), _QUERIES):
        block = np.arange(start, min(start + _QUERIES, len(usable)))
        r = table[block] @ table.T
        r[np.arange(len(block)), block] = -np.inf
        near = np.argpartition(-r, k - 1, axis=1)[:, :k]
        values = np.take_along_axis(r, near, axis=1)
        order = np.lexsort((near, -values), axis=1)
        for place, row in enumerate(usable[block].tolist()):
            best = order[place]
            rows = usable[near[place, best]].tolist()
            found[row] = list(zip(rows, values[place, best].tolist(), strict=True))
    return found


def _directions(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return centred vectors of length 1; NaN for those that have none."""
    table = vectors.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        table -= table.mean(axis=1, keepdims=True)
        lengths = np.sqrt((table**2).sum(axis=1, keepdims=True))
        return np.asarray(table / np.where(lengths > 0, lengths, np.nan))
