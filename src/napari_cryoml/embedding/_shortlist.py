"""The smallest entries of the rows of a table that is seen in pieces; compiled once."""

from __future__ import annotations

import numba
import numpy as np

_STRIDE = 64


@numba.njit(cache=True, nogil=True)
def keep_smallest(block, columns, own, best, chosen):  # type: ignore[no-untyped-def]
    """Merge a block of a table into the smallest entries found so far.

    Parameters
    ----------
    block : array of shape (m, n), float32
        Entries of `m` rows in `n` further columns.
    columns : array of shape (n,), int64
        Which columns of the whole table these are.
    own : array of shape (m,), int64
        A column that must not count in each row, -1 for none.
    best : array of shape (m, k), float32
        Smallest entries so far, rising; infinite where there are fewer. Updated in place.
    chosen : array of shape (m, k), int64
        Their columns. Updated in place.
    """
    last = best.shape[1] - 1
    n = block.shape[1]
    for row in range(block.shape[0]):
        entries = block[row]
        for begin in range(0, n, _STRIDE):
            stretch = entries[begin : begin + _STRIDE]
            if not _any_below(stretch, best[row, last]):
                continue
            for offset in range(len(stretch)):
                entry, column = stretch[offset], columns[begin + offset]
                if entry >= best[row, last] or column == own[row]:
                    continue
                place = last
                while place > 0 and best[row, place - 1] > entry:
                    best[row, place] = best[row, place - 1]
                    chosen[row, place] = chosen[row, place - 1]
                    place -= 1
                best[row, place] = entry
                chosen[row, place] = column


@numba.njit(cache=True, nogil=True)
def _any_below(entries, limit):  # type: ignore[no-untyped-def]
    # Counting in 32 bits, without a way out, is what the compiler turns into vector instructions.
    count = np.int32(0)
    for place in range(len(entries)):
        count += np.int32(1) if entries[place] < limit else np.int32(0)
    return count > 0
