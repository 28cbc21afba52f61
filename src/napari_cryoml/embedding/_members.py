"""Which cells belong to which protein."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import Embedding

Rows: TypeAlias = npt.NDArray[np.intp]

_BLOCK = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """The cells of each group: `rows` in the order of their groups, parted at `ends`."""

    names: npt.NDArray[np.str_]
    rows: Rows
    ends: Rows

    @classmethod
    def of(cls, names: npt.NDArray[np.str_], rows: Rows) -> Members:
        """Return the members of groups, of which each of `rows` names its own."""
        kinds, codes, sizes = np.unique(names, return_inverse=True, return_counts=True)
        return cls(kinds, rows[np.argsort(codes, kind="stable")], np.cumsum(sizes))

    def __len__(self) -> int:
        return len(self.names)

    @property
    def codes(self) -> Rows:
        """Group of each of `rows`."""
        return np.repeat(np.arange(len(self)), np.diff(self.ends, prepend=0))

    def at(self, number: int) -> Rows:
        """Return the rows of a group."""
        return self.rows[self.ends[number - 1] if number else 0 : self.ends[number]]

    def take(self, kept: npt.NDArray[np.bool_]) -> Members:
        """Return some of the groups."""
        sizes = np.diff(self.ends, prepend=0)
        return Members(self.names[kept], self.rows[kept[self.codes]], np.cumsum(sizes[kept]))

    def only(self, wanted: npt.NDArray[np.bool_]) -> Members:
        """Return the same groups with those of their rows that `wanted`, of all rows, marks."""
        of_rows = wanted[self.rows]
        sizes = np.bincount(self.codes[of_rows], minlength=len(self))
        return Members(self.names, self.rows[of_rows], np.cumsum(sizes))


def rows_asked(embedding: Embedding, rows: npt.ArrayLike | None) -> Rows:
    """Return row numbers: those of `rows`, numbers or a mask; all of None."""
    everything = np.arange(len(embedding))
    return everything if rows is None else everything[np.asarray(rows)]


def text_column(embedding: Embedding, name: str) -> npt.NDArray[np.str_]:
    """Return a column as text, shape (n,).

    Raises
    ------
    InputError
        If there is none of that name.
    """
    try:
        return np.asarray(embedding.table[name]).astype(np.str_)
    except KeyError:
        there = ", ".join(embedding.table) or "none"
        raise InputError(
            f"There is no column {name!r} that says which cells belong together; the columns are "
            f"{there}."
        ) from None


def finite_rows(vectors: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.bool_]:
    """Return which rows are finite, a block at a time: there may be millions of cells."""
    whole = np.empty(len(vectors), bool)
    for start in range(0, len(vectors), _BLOCK):
        rows = slice(start, start + _BLOCK)
        whole[rows] = np.isfinite(vectors[rows]).all(axis=1)
    return whole
