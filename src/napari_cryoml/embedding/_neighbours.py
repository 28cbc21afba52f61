"""Nearest neighbours of vectors: exact for tens of thousands, by cells for more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.embedding._threads import workers

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]
Part: TypeAlias = tuple[slice | Rows, Rows]
"""Some queries, and the rows they are compared with."""

_EXACT_PAIRS = 4_000_000_000
"""Distances beyond which cells are used; some eight seconds of one core."""

_BLOCK = (512, 1024)
"""Queries and references of one matrix product: it stays in the cache until it has been read."""

_WANTED = 0.97
"""Share of the true neighbours that lie in the cells that are searched."""

_MOST_PAIRS = 100_000_000_000
"""Distances that are measured at the most, where vectors have no groups to go by."""

_ASKED = 500  # queries whose true neighbours tell how many cells to search
_CELL_ROUNDS = 6
_ROWS_PER_CELL = 60  # for finding the centres of cells


def nearest(
    vectors: npt.ArrayLike, queries: npt.ArrayLike | None = None, k: int = 15
) -> tuple[Rows, Vectors]:
    """Return the nearest rows of each query, by Euclidean distance.

    Parameters
    ----------
    vectors : array of shape (n, d)
        Rows to search, finite.
    queries : array of shape (m, d), optional
        By default the vectors themselves; a row is then no neighbour of itself, but an equal
        row is.
    k : int, default 15
        How many; all there are if there are fewer.

    Returns
    -------
    indices : array of shape (m, k), intp
        Row numbers in `vectors`, nearest first; of equally near ones the lower number first.
    distances : array of shape (m, k), float32
        Rising.

    Raises
    ------
    InputError
        If a vector is not finite or the lengths of vectors and queries differ.
    """
    return NeighbourIndex(vectors).search(queries, k)


class NeighbourIndex:
    """Vectors that are searched again and again.

    Up to some thousand million pairs of a query and a vector, all are compared. Beyond, vectors
    are sorted into cells around centres found by k-means, and a query sees the vectors of the
    cells around its own: an inverted file (Jégou, Douze and Schmid, IEEE TPAMI 33, 2011, section
    4), searched for all queries of a cell together. How many cells those are is found from the
    true neighbours of some hundred queries, so that 97 % of neighbours are found; fewer where
    vectors have no groups at all and that would mean to compare nearly everything.

    Parameters
    ----------
    vectors : array of shape (n, d)
        Finite.
    exact_pairs : int
        Pairs up to which all are compared.
    """

    def __init__(self, vectors: npt.ArrayLike, exact_pairs: int = _EXACT_PAIRS) -> None:
        self._given = _checked(vectors)
        self._exact_pairs = exact_pairs
        n = max(1, len(self._given))
        # Products of small centred numbers lose the fewest digits.
        self._centre = (self._given.sum(axis=0, dtype=np.float64) / n).astype(np.float32)
        spread = float(np.abs(self._given - self._centre).max(initial=0.0))
        self._scale = np.float32(spread or 1.0)
        self._table = self._centred(self._given)
        self._cells: _Cells | None = None

    def __len__(self) -> int:
        return len(self._given)

    def search(self, queries: npt.ArrayLike | None = None, k: int = 15) -> tuple[Rows, Vectors]:
        """Return what `nearest` does."""
        if queries is None:
            given, table = self._given, self._table
            own = np.arange(len(table))
        else:
            given = _checked(queries)
            self._check_length(given)
            table, own = self._centred(given), np.full(len(given), -1)
        k = max(0, min(k, len(self) - (queries is None)))
        if k == 0 or not len(table):
            return np.empty((len(table), k), np.intp), np.empty((len(table), k), np.float32)
        indices = np.sort(self._found(table, own, k), axis=1)
        return self._ordered(given, indices)

    def _found(self, table: Vectors, own: Rows, k: int) -> Rows:
        if len(table) * len(self) <= self._exact_pairs:
            everything = np.arange(len(self))
            parts: list[Part] = [(rows, everything) for rows in _parts(len(table), _BLOCK[0])]
        else:
            self._cells = self._cells or _Cells(self._table)
            parts = list(self._cells.tasks(table, self._reach(self._cells, table, own, k)))
        return search_parts(self._table, table, own, k, parts)

    def _reach(self, cells: _Cells, table: Vectors, own: Rows, k: int) -> int:
        """Return how many vectors around a query hold most of its true neighbours."""
        # Another draw than that of the centres, which lie nearer to the rows they were made of.
        asked = np.sort(np.random.default_rng(1).permutation(len(table))[:_ASKED])
        everything = np.arange(len(self))
        parts: list[Part] = [(rows, everything) for rows in _parts(len(asked), 64)]
        found = search_parts(self._table, table[asked], own[asked], k, parts)
        reach = int(np.quantile(cells.reaches(table[asked], found), _WANTED))
        return max(10 * k, min(reach, _MOST_PAIRS // len(table)))

    def _centred(self, vectors: Vectors) -> Vectors:
        return (vectors - self._centre) / self._scale

    def _check_length(self, queries: Vectors) -> None:
        if queries.shape[1] != self._given.shape[1]:
            raise InputError(
                f"Vectors of length {queries.shape[1]} cannot be compared with vectors of length "
                f"{self._given.shape[1]}: embed both in the same way."
            )

    def _ordered(self, queries: Vectors, indices: Rows) -> tuple[Rows, Vectors]:
        """Measure the distances again, from differences: products are too coarse near zero."""
        distances = np.empty(indices.shape, np.float32)
        at_once = max(1, 4_000_000 // max(1, indices.shape[1] * queries.shape[1]))
        for rows in _parts(len(queries), at_once):
            apart = self._given[indices[rows]] - queries[rows, None]
            apart /= self._scale
            distances[rows] = np.sqrt(np.einsum("nkd,nkd->nk", apart, apart))
        order = np.argsort(distances, axis=1, kind="stable")
        distances *= self._scale
        return np.take_along_axis(indices, order, 1), np.take_along_axis(distances, order, 1)


class _Cells:
    """Rows of a table by the nearest of some centres."""

    def __init__(self, table: Vectors) -> None:
        self.centres = _centres(table, max(1, int(len(table) ** 0.5)))
        cell = _cell_of(self.centres, table)
        self.cell = cell
        self.order = np.argsort(cell, kind="stable")
        self.sizes = np.bincount(cell, minlength=len(self.centres))
        self.begins = np.cumsum(self.sizes) - self.sizes

    def reaches(self, queries: Vectors, found: Rows) -> Rows:
        """Return how many rows are nearer by cell than each of those found, shape (m, k)."""
        of_queries = _cell_of(self.centres, queries)
        reaches = np.empty(found.shape, np.intp)
        for query, number in enumerate(of_queries):
            cells = self._from(number)
            seen = np.empty(len(cells), np.intp)
            seen[cells] = np.cumsum(self.sizes[cells])
            reaches[query] = seen[self.cell[found[query]]]
        return reaches

    def tasks(self, queries: Vectors, wanted: int) -> Iterator[Part]:
        """Yield rows of queries, and the rows of the table that those are compared with."""
        cell = _cell_of(self.centres, queries)
        by_cell = np.argsort(cell, kind="stable")
        ends = np.cumsum(np.bincount(cell, minlength=len(self.centres)))
        for number, rows in enumerate(np.split(by_cell, ends[:-1])):
            if len(rows):
                yield rows, self._around(number, wanted)

    def _around(self, number: int, wanted: int) -> Rows:
        """Return the rows of the nearest cells, at least `wanted` if there are that many."""
        cells = self._from(number)
        enough = int(np.searchsorted(np.cumsum(self.sizes[cells]), wanted)) + 1
        spans = [slice(self.begins[c], self.begins[c] + self.sizes[c]) for c in cells[:enough]]
        return np.concatenate([self.order[span] for span in spans])

    def _from(self, number: int) -> Rows:
        """Return all cells, those nearest to one of them first."""
        square = ((self.centres - self.centres[number]) ** 2).sum(axis=1)
        return np.argsort(square, kind="stable")


def into_cells(vectors: Vectors, n_cells: int) -> Rows:
    """Return which of some cells found by k-means each row lies in.

    Parameters
    ----------
    vectors : array of shape (n, d), float32
        Centred, as `scaled` gives them.
    n_cells : int
        At most `n`.

    Returns
    -------
    array of shape (n,), intp
    """
    return _cell_of(_centres(vectors, n_cells), vectors)


def _centres(table: Vectors, n_cells: int) -> Vectors:
    """Return centres by a few rounds of k-means on a draw of the rows."""
    rng = np.random.default_rng(0)
    drawn = rng.permutation(len(table))[: _ROWS_PER_CELL * n_cells]
    sample = table[np.sort(drawn)]
    centres = table[drawn[:n_cells]]
    for _ in range(_CELL_ROUNDS):
        cell = _cell_of(centres, sample)
        sizes = np.bincount(cell, minlength=n_cells)
        order = np.argsort(cell, kind="stable")
        filled = np.flatnonzero(sizes)
        begins = (np.cumsum(sizes) - sizes)[filled]
        sums = np.add.reduceat(sample[order], begins, axis=0)
        centres = centres.copy()
        centres[filled] = sums / sizes[filled, None]
    return centres


def _cell_of(centres: Vectors, table: Vectors) -> Rows:
    everything = np.arange(len(centres))
    parts = [(rows, everything) for rows in _parts(len(table), 4 * _BLOCK[0])]
    return search_parts(centres, table, np.full(len(table), -1), 1, parts)[:, 0]


def search_parts(
    table: Vectors, queries: Vectors, own: Rows, k: int, parts: Sequence[Part]
) -> Rows:
    """Return the nearest rows of `table` for the queries of each part, among the rows it names."""
    from napari_cryoml.embedding._shortlist import keep_smallest

    chosen = np.zeros((len(queries), k), np.int64)
    # The square of the distance, less that of the query, as one matrix product.
    against = np.concatenate([-2 * table, (table**2).sum(axis=1)[:, None]], axis=1)

    def search(part: Part) -> None:
        rows, columns = part
        seen = against if len(columns) == len(against) else against[columns]
        asked = queries[rows]
        ones = np.ones((len(asked), 1), np.float32)
        asked = np.concatenate([asked, ones], axis=1)
        mine = own[rows]
        best = np.full((len(asked), k), np.inf, np.float32)
        found = np.zeros((len(asked), k), np.int64)
        for above in _parts(len(asked), _BLOCK[0]):
            for left in _parts(len(seen), _BLOCK[1]):
                block = asked[above] @ seen[left].T
                keep_smallest(block, columns[left], mine[above], best[above], found[above])
        chosen[rows] = found

    with workers() as (pool, _):
        for _ in pool.map(search, parts):
            pass
    return chosen


def _parts(n: int, size: int) -> list[slice]:
    return [slice(begin, min(begin + size, n)) for begin in range(0, n, size)]


def _checked(vectors: npt.ArrayLike) -> Vectors:
    table = np.ascontiguousarray(vectors, dtype=np.float32)
    if table.ndim != 2:
        raise InputError(
            f"Vectors must be a table of n rows and d columns; an array of shape {table.shape} "
            "was given."
        )
    bad = len(table) - int(np.isfinite(table).all(axis=1).sum())
    if bad:
        raise InputError(
            f"{bad} of {len(table)} vectors hold numbers that are not finite: set those rows "
            "aside first."
        )
    return table
