"""Which crops are shown together: others of the same group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError

Rows = npt.NDArray[np.intp]

_ALONE = -1


@dataclass(frozen=True, slots=True, eq=False)
class CropPairs:
    """Draws, for a crop, another one of its group.

    Parameters
    ----------
    order : tuple of arrays of shape (m,), intp
        For each level, rows in the order of their groups.
    level : array of shape (n,), intp
        Level at which a row has a partner; -1 for one that has none, or is not among the rows.
    start, size, place : arrays of shape (n,), intp
        Where its group begins in the order of that level, how large it is, and which of it the
        row is.
    """

    order: tuple[Rows, ...]
    level: Rows
    start: Rows
    size: Rows
    place: Rows

    @classmethod
    def of(cls, levels: Sequence[npt.ArrayLike], rows: npt.ArrayLike | None = None) -> CropPairs:
        """Return the pairs of crops that agree in as many levels as possible.

        Parameters
        ----------
        levels : sequence of arrays of shape (n,), str or int
            What the first says of two crops must agree; then, as far as there is such a crop, what
            the second says too, and so on. Crops of "" or a negative number in the first have no
            partner.
        rows : array of shape (m,), int, optional
            Crops that may be drawn; all by default.
        """
        columns = [np.asarray(level) for level in levels]
        n = len(columns[0])
        allowed = np.arange(n) if rows is None else np.asarray(rows, np.intp)
        first = columns[0]
        known = first[allowed] >= 0 if first.dtype.kind in "iu" else first[allowed] != ""
        allowed = allowed[known]
        level = np.full(n, _ALONE, np.intp)
        start, size, place = np.zeros((3, n), np.intp)
        orders, codes = [], np.zeros(len(allowed), np.intp)
        for number, column in enumerate(columns):
            kinds = np.unique(column[allowed], return_inverse=True)[1]
            codes = np.unique(codes * (kinds.max(initial=0) + 1) + kinds, return_inverse=True)[1]
            order = np.argsort(codes, kind="stable")
            sizes = np.bincount(codes)
            starts = np.cumsum(sizes) - sizes
            places = np.arange(len(order)) - np.repeat(starts, sizes)
            paired = sizes[codes] > 1
            who = allowed[paired]
            level[who], start[who], size[who] = number, starts[codes][paired], sizes[codes][paired]
            place[who] = places[np.argsort(order, kind="stable")][paired]
            orders.append(allowed[order])
        return cls(tuple(orders), level, start, size, place)

    def paired(self, rows: Rows) -> Rows:
        """Return those of some rows that have a partner.

        Raises
        ------
        InputError
            If none has.
        """
        kept = rows[self.level[rows] != _ALONE]
        if not len(kept):
            raise InputError(
                "Crops are learnt from in pairs, but no two of them belong to the same protein: "
                "give more cells of a protein, or name the column that says which belong together."
            )
        return kept

    def draw(self, rows: Rows, rng: np.random.Generator) -> Rows:
        """Return another crop for each of some rows, all of its group equally likely."""
        at = rng.integers(0, self.size[rows] - 1)
        at += at >= self.place[rows]
        found = np.empty(len(rows), np.intp)
        for number, order in enumerate(self.order):
            is_here = self.level[rows] == number
            found[is_here] = order[self.start[rows[is_here]] + at[is_here]]
        return found
