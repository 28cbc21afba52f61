"""All pairs of proteins, the most alike first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.evaluation.functional import _sweeps as sweeps

Vectors = npt.NDArray[np.float64]

MOST_PROTEINS = 65_535
_ENTRIES = 4_000_000
"""Scores that are held at once, 32 MB."""


def prepared(
    vectors: npt.ArrayLike, correlation: Literal["pearson", "cosine", "spearman"]
) -> Vectors:
    """Return vectors of length 1 whose products are their correlations.

    Parameters
    ----------
    vectors : array of shape (n, d)
        Finite.
    correlation : {"pearson", "cosine", "spearman"}

    Returns
    -------
    array of shape (n, d), float64
        NaN in rows that have no correlation with anything: constant ones, or zero for cosines.
    """
    rows = np.asarray(vectors, np.float64)
    if correlation == "spearman":
        from scipy.stats import rankdata

        rows = rankdata(rows, axis=1)
    if correlation != "cosine":
        rows = rows - rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    # What is left of a constant row is what was rounded off.
    floor = 1e-12 * np.abs(np.asarray(vectors, np.float64)).max(axis=1, initial=0, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(lengths > floor, rows / lengths, np.nan)


@dataclass(frozen=True, eq=False)
class RankedPairs:
    """Pairs of proteins by falling correlation.

    Parameters
    ----------
    first, second : array of shape (n_pairs,), uint16
        The proteins of each pair, first < second.
    flags : array of shape (n_pairs,), uint8
        Whether a pair shares a term, and whether it is the last one of its score.
    n : int
        Number of proteins.
    n_above : int
        Pairs of at least the correlation asked for.
    """

    first: npt.NDArray[np.uint16]
    second: npt.NDArray[np.uint16]
    flags: npt.NDArray[np.uint8]
    n: int
    n_above: int

    @classmethod
    def of(cls, rows: Vectors, related: npt.NDArray[np.bool_], r: float) -> RankedPairs:
        """Return the ranking of all pairs.

        Parameters
        ----------
        rows : array of shape (n, d), float64
            As `prepared` returns them.
        related : array of shape (n, n), bool
            Which proteins share a term.
        r : float
            Correlation whose place in the ranking is noted.

        Raises
        ------
        InputError
            If there are too many proteins.
        """
        return cls.of_scores(_blocks(rows), related, r)

    @classmethod
    def of_scores(cls, blocks: Any, related: npt.NDArray[np.bool_], r: float) -> RankedPairs:
        """Return the ranking of pairs whose scores come in blocks of rows, shape (m, n)."""
        n = len(related)
        if n > MOST_PROTEINS:
            raise InputError(
                f"At most {MOST_PROTEINS:,} proteins can be compared with each other; {n:,} came."
            )
        keys = np.empty(n * (n - 1) // 2, np.uint64)
        offset = place = 0
        for block in blocks:
            scores = np.ascontiguousarray(block, np.float32) + np.float32(0)  # no -0
            place = sweeps.pack_pairs(scores.view(np.uint32), offset, keys, place)
            offset += len(block)
        keys.sort()
        above = int(np.searchsorted(keys, _first_below(r)))
        first, second = np.empty(len(keys), np.uint16), np.empty(len(keys), np.uint16)
        flags = np.empty(len(keys), np.uint8)
        sweeps.unpack_pairs(keys, related, first, second, flags)
        return cls(first, second, flags, n, above)

    def __len__(self) -> int:
        return len(self.first)

    @cached_property
    def n_related(self) -> int:
        """Pairs that share a term."""
        return int(np.count_nonzero(self.flags & sweeps.POSITIVE))

    @property
    def prevalence(self) -> float:
        """Share of the pairs that share a term: the precision of a random ranking."""
        return self.n_related / len(self)

    @cached_property
    def related(self) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16]]:
        """The pairs that share a term, as `first` and `second`."""
        at = np.flatnonzero(self.flags & sweeps.POSITIVE)
        return self.first[at], self.second[at]

    @cached_property
    def places(self) -> npt.NDArray[np.uint32]:
        """Where each pair stands in the ranking, by the number of the pair."""
        places = np.empty(len(self), np.uint32)
        sweeps.places_of(self.first, self.second, self.n, places)
        return places


def _first_below(r: float) -> np.uint64:
    """Return the least key of a pair whose score is below `r`."""
    keys = np.empty(1, np.uint64)
    scores = np.full((1, 2), r, np.float32) + np.float32(0)
    sweeps.pack_pairs(scores.view(np.uint32), 0, keys, 0)
    return np.uint64(((int(keys[0]) >> 32) + 1) << 32)


def _blocks(rows: Vectors) -> Any:
    size = max(1, _ENTRIES // max(1, len(rows)))
    for begin in range(0, len(rows), size):
        yield np.clip(rows[begin : begin + size] @ rows.T, -1, 1)
