"""Down the ranking of all pairs, many weightings or many labellings at a time; compiled once.

A ranking of 8 million pairs is read from the first to the last pair in each sweep, so that the
cost is that of reading memory: the number of weightings (`LANES`) and of labellings (`BITS`) that
are followed at once is fixed when the loops are compiled, which makes vector instructions of them.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

LANES = 16
"""Weightings that one sweep follows."""

BITS = 8
"""Labellings that one sweep follows: a bit of a byte each."""

POSITIVE, LAST = np.uint8(1), np.uint8(2)
"""Flags of a pair: it shares a term; it is the last one of its score."""


def _weighted(lanes: int) -> Any:
    @numba.njit(cache=True, nogil=True, error_model="numpy")
    def sweep(first, second, flags, weights, related, stops, n_above):  # type: ignore[no-untyped-def]
        n = weights.shape[0]
        hits = np.zeros((n, lanes), np.float32)
        seen = np.zeros((n, lanes), np.float32)
        gain = np.zeros((n, lanes), np.float32)
        precision = np.zeros((n, lanes), np.float32)
        pooled, best = np.zeros(lanes), np.zeros(lanes)
        hit, called, got = np.zeros(lanes), np.zeros(lanes), np.zeros(lanes)
        at = np.zeros((2, stops.shape[0], lanes))
        above = stops.shape[0] - 1
        reached = np.zeros(lanes, np.int64)
        begin = 0
        while begin < len(first):
            i, j = first[begin], second[begin]
            one, two = weights[i], weights[j]
            end = begin + 1
            if flags[begin] & LAST:
                for b in range(lanes):
                    seen[i, b] += two[b]
                    seen[j, b] += one[b]
                    called[b] += one[b] * two[b]
                if flags[begin] & POSITIVE:
                    for b in range(lanes):
                        hits[i, b] += two[b]
                        hits[j, b] += one[b]
                        hit[b] += one[b] * two[b]
                    for b in range(lanes):
                        precision[i, b] += two[b] * hits[i, b] / max(seen[i, b], np.float32(1))
                        precision[j, b] += one[b] * hits[j, b] / max(seen[j, b], np.float32(1))
                    for b in range(lanes):
                        pooled[b] += one[b] * two[b] * hit[b] / max(called[b], 1.0)
                        best[b] = max(best[b], hit[b] / (0.25 * related[b] + called[b]))
            else:
                while not flags[end - 1] & LAST:
                    end += 1
                for m in range(begin, end):
                    i, j = first[m], second[m]
                    share = flags[m] & POSITIVE
                    for b in range(lanes):
                        one_b, two_b = weights[i, b], weights[j, b]
                        seen[i, b] += two_b
                        seen[j, b] += one_b
                        called[b] += one_b * two_b
                        if share:
                            gain[i, b] += two_b
                            gain[j, b] += one_b
                            got[b] += one_b * two_b
                for m in range(begin, end):
                    if flags[m] & POSITIVE:
                        for p in (first[m], second[m]):
                            for b in range(lanes):
                                if gain[p, b] > 0:
                                    hits[p, b] += gain[p, b]
                                    precision[p, b] += gain[p, b] * hits[p, b] / seen[p, b]
                                    gain[p, b] = 0
                for b in range(lanes):
                    if got[b] > 0:
                        hit[b] += got[b]
                        pooled[b] += got[b] * hit[b] / called[b]
                        best[b] = max(best[b], hit[b] / (0.25 * related[b] + called[b]))
                        got[b] = 0
            crossed = 0
            for b in range(lanes):
                crossed += called[b] >= stops[reached[b], b]
            if crossed > 0:
                for b in range(lanes):
                    while called[b] >= stops[reached[b], b]:
                        at[0, reached[b], b] = hit[b]
                        at[1, reached[b], b] = called[b]
                        reached[b] += 1
            if begin < n_above <= end:
                at[0, above] = hit
                at[1, above] = called
            begin = end
        for p in range(n):
            for b in range(lanes):
                precision[p, b] = precision[p, b] / hits[p, b] if hits[p, b] > 0 else np.nan
        return pooled, best, at, precision

    return sweep


sweep_one = _weighted(1)
"""Follow a ranking with a single weighting; the arguments are those of `sweep_many`."""

sweep_many = _weighted(LANES)
"""Follow a ranking with `LANES` weightings.

Parameters
----------
first, second : array of shape (n_pairs,), uint16
    The proteins of each pair, the most alike pair first.
flags : array of shape (n_pairs,), uint8
    `POSITIVE` and `LAST`.
weights : array of shape (n, LANES), float32
    How often each protein counts; a pair counts as the product of both.
related : array of shape (LANES,), float64
    Weight of all pairs that share a term.
stops : array of shape (n_stops, LANES), float64
    Weights of pairs called related, rising, at which hits are told; the last one infinite.
n_above : int
    The pairs before this one are those above a threshold.

Returns
-------
pooled : array of shape (LANES,)
    Sum over positive pairs of the precision where they stand.
best : array of shape (LANES,)
    Greatest hits / (related / 4 + called).
at : array of shape (2, n_stops, LANES)
    Hits, and pairs called related, at each stop; in the last place above the threshold.
precision : array of shape (n, LANES)
    Average precision of the others for each protein; NaN for one without relations.
"""


@numba.njit(cache=True, nogil=True, error_model="numpy")
def sweep_labellings(first, second, flags, marks, n, n_related, stops, n_above):  # type: ignore[no-untyped-def]
    """Follow a ranking with `BITS` labellings of its pairs, without weights.

    Parameters
    ----------
    first, second, flags, n_above
        As for `sweep_many`; the flag `POSITIVE` is not heeded.
    marks : array of shape (n_pairs,), uint8
        Bit b is set where a pair shares a term in labelling b.
    n : int
        Number of proteins.
    n_related : int
        Pairs that share a term, the same in each labelling.
    stops : array of shape (n_stops,), float64

    Returns
    -------
    pooled, best, at, precision
        As those of `sweep_many`.
    """
    hits = np.zeros((n, BITS), np.float32)
    gain = np.zeros((n, BITS), np.float32)
    seen = np.zeros(n, np.float32)
    precision = np.zeros((n, BITS), np.float32)
    pooled, best = np.zeros(BITS), np.zeros(BITS)
    hit, got = np.zeros(BITS), np.zeros(BITS)
    at = np.zeros((2, len(stops), BITS))
    above = len(stops) - 1
    reached = 0
    begin = 0
    while begin < len(first):
        end = begin + 1
        if flags[begin] & LAST:
            i, j, marked = first[begin], second[begin], marks[begin]
            seen[i] += 1
            seen[j] += 1
            bit = 0
            while marked:
                if marked & 1:
                    hits[i, bit] += 1
                    hits[j, bit] += 1
                    precision[i, bit] += hits[i, bit] / seen[i]
                    precision[j, bit] += hits[j, bit] / seen[j]
                    hit[bit] += 1
                    pooled[bit] += hit[bit] / end
                    best[bit] = max(best[bit], hit[bit] / (0.25 * n_related + end))
                marked >>= 1
                bit += 1
        else:
            while not flags[end - 1] & LAST:
                end += 1
            for m in range(begin, end):
                seen[first[m]] += 1
                seen[second[m]] += 1
                for bit in range(BITS):
                    if marks[m] >> bit & 1:
                        gain[first[m], bit] += 1
                        gain[second[m], bit] += 1
                        got[bit] += 1
            for m in range(begin, end):
                for bit in range(BITS):
                    if marks[m] >> bit & 1:
                        for p in (first[m], second[m]):
                            if gain[p, bit] > 0:
                                hits[p, bit] += gain[p, bit]
                                precision[p, bit] += gain[p, bit] * hits[p, bit] / seen[p]
                                gain[p, bit] = 0
            for bit in range(BITS):
                if got[bit] > 0:
                    hit[bit] += got[bit]
                    pooled[bit] += got[bit] * hit[bit] / end
                    best[bit] = max(best[bit], hit[bit] / (0.25 * n_related + end))
                    got[bit] = 0
        while end >= stops[reached]:
            at[0, reached] = hit
            at[1, reached] = end
            reached += 1
        if begin < n_above <= end:
            at[0, above] = hit
            at[1, above] = end
        begin = end
    for p in range(n):
        for b in range(BITS):
            precision[p, b] = precision[p, b] / hits[p, b] if hits[p, b] > 0 else np.nan
    return pooled, best, at, precision


@numba.njit(cache=True, nogil=True, error_model="numpy")
def pack_pairs(scores, offset, keys, place):  # type: ignore[no-untyped-def]
    """Write the pairs of some rows as numbers that sort by falling score.

    Parameters
    ----------
    scores : array of shape (m, n), uint32
        Bits of the float32 scores of rows `offset` and following with all proteins.
    offset : int
    keys : array of shape (n_pairs,), uint64
        Filled from `place` on.
    place : int

    Returns
    -------
    int
        The next place.
    """
    sign = np.uint32(0x80000000)
    for row in range(scores.shape[0]):
        i = offset + row
        for j in range(i + 1, scores.shape[1]):
            bits = scores[row, j]
            rising = ~bits if bits & sign else bits | sign
            keys[place] = np.uint64(~rising) << np.uint64(32) | np.uint64(i << 16 | j)
            place += 1
    return place


@numba.njit(cache=True, nogil=True, error_model="numpy")
def unpack_pairs(keys, related, first, second, flags):  # type: ignore[no-untyped-def]
    """Read sorted keys: proteins and flags of each pair.

    Parameters
    ----------
    keys : array of shape (n_pairs,), uint64
    related : array of shape (n, n), bool
        Which proteins share a term.
    first, second : array of shape (n_pairs,), uint16
        Filled.
    flags : array of shape (n_pairs,), uint8
        Filled.
    """
    last = len(keys) - 1
    for k in range(len(keys)):
        key = keys[k]
        i, j = key >> np.uint64(16) & np.uint64(0xFFFF), key & np.uint64(0xFFFF)
        first[k], second[k] = i, j
        flags[k] = POSITIVE if related[i, j] else np.uint8(0)
        if k == last or keys[k + 1] >> np.uint64(32) != key >> np.uint64(32):
            flags[k] |= LAST


@numba.njit(cache=True, nogil=True, error_model="numpy")
def places_of(first, second, n, places):  # type: ignore[no-untyped-def]
    """Note where each pair stands: `places` (n * (n - 1) / 2), uint32, by `pair_number`."""
    for k in range(len(first)):
        places[pair_number(np.int64(first[k]), np.int64(second[k]), n)] = k


@numba.njit(cache=True, nogil=True, error_model="numpy")
def mark(first, second, order, places, n, bit, marks):  # type: ignore[no-untyped-def]
    """Set a bit of the pairs that share a term once the terms of proteins are exchanged.

    Parameters
    ----------
    first, second : array of shape (n_related,), uint16
        Pairs that share a term.
    order : array of shape (n,), int64
        The protein that gets the terms of each.
    places : array
        As `places_of` has filled it.
    n : int
    bit : uint8
    marks : array of shape (n_pairs,), uint8
        Bits are added.
    """
    for k in range(len(first)):
        i, j = order[first[k]], order[second[k]]
        marks[places[pair_number(min(i, j), max(i, j), n)]] |= bit


@numba.njit(cache=True, nogil=True, error_model="numpy")
def pair_number(i, j, n):  # type: ignore[no-untyped-def]
    """Return the number of the pair i < j of n proteins, row by row."""
    return i * (2 * n - i - 1) // 2 + j - i - 1


@numba.njit(cache=True, nogil=True, error_model="numpy")
def related_weight(first, second, flags, weights, total):  # type: ignore[no-untyped-def]
    """Add the weights of the pairs that share a term to `total` of shape (lanes,)."""
    for k in range(len(first)):
        if flags[k] & POSITIVE:
            for b in range(weights.shape[1]):
                total[b] += weights[first[k], b] * weights[second[k], b]
