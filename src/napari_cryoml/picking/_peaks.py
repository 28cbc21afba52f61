"""Non-maximum suppression: from a score map to peaks that keep their distance."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import ScoreMap

Indices = npt.NDArray[np.intp]
Scores = npt.NDArray[np.float32]

# Elements of one gather or scatter: keeps the working set in cache and the memory bounded.
_BLOCK = 2**17

# Between sqrt(3), the corner of a 3-D neighbourhood, and 2.
_TOUCHING = 1.8


def find_peaks(
    score_map: ScoreMap | npt.NDArray[Any],
    radius: float,
    threshold: float,
    subpixel: bool = True,
    local_maxima: bool = True,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    """Return the peaks of a score map by exact greedy non-maximum suppression.

    The best candidate is taken, all candidates within `radius` of it are dropped, and so on down
    to `threshold`; of equal scores the one that comes first in the array goes first. What is
    taken above a score does not depend on anything below it: the peaks at a higher threshold are
    the first rows of those at a lower one, and a threshold slider is a slice.

    Parameters
    ----------
    score_map : ScoreMap or array of shape (gy, gx) or (gz, gy, gx)
        Scores, compared as float32. NaN is never a peak.
    radius : float
        Grid points; two peaks are more than `radius` apart (before the sub-pixel shift). 0 keeps
        every candidate.
    threshold : float
        Lowest score of a peak, inclusive. ``-inf`` takes all there are.
    subpixel : bool, default True
        Move each peak to the top of a parabola through it and its two neighbours, axis by axis,
        by half a grid point at most; a peak on the edge of the map stays on the edge.
    local_maxima : bool, default True
        Candidates are the points that no neighbour (8 in 2-D, 26 in 3-D) exceeds. If False every
        point is a candidate, and points on the slope of a peak, just outside `radius`, are taken
        too: that is the suppression of Topaz (Bepler et al. 2019), a source of duplicates at low
        thresholds.

    Returns
    -------
    positions : array of shape (n, ndim), float64
        Grid coordinates (z)yx, by falling score.
    scores : array of shape (n,), float32
        Score of the map at each peak, not of the parabola.

    Raises
    ------
    InputError
        If `radius` is negative or not finite, or `threshold` is NaN.
    """
    values = score_map.values if isinstance(score_map, ScoreMap) else score_map
    values = np.asarray(values, dtype=np.float32)
    _check(radius, threshold)
    reach = max(int(radius), 1)
    # A margin as wide as the radius: flat offsets can neither leave the array nor wrap round.
    padded = np.pad(values, reach, constant_values=-np.inf)
    padded[np.isnan(padded)] = -np.inf
    alive = _candidates(padded, threshold, local_maxima)
    taken, scores = _suppress(alive, _offsets(padded.shape, radius), padded.shape)
    index = np.stack(np.unravel_index(taken, padded.shape), axis=-1)
    positions = (index - reach).astype(np.float64)
    if subpixel:
        positions += _subpixel_shift(padded, index)
    return positions, scores


def _check(radius: float, threshold: float) -> None:
    if not (np.isfinite(radius) and radius >= 0):
        raise InputError(f"The suppression radius must be 0 or more grid points, not {radius}.")
    if np.isnan(threshold):
        raise InputError("The threshold of the picks must be a number, not NaN.")


def _offsets(shape: tuple[int, ...], radius: float) -> Indices:
    """Return the flat offsets of a ball without its centre, nearest first."""
    reach = int(radius)
    steps = np.indices((2 * reach + 1,) * len(shape)).reshape(len(shape), -1) - reach
    squares = (steps**2).sum(axis=0)
    inside = (squares > 0) & (squares <= radius**2)
    strides = np.cumprod((1, *shape[:0:-1]))[::-1]
    flat = strides @ steps[:, inside]
    return flat[np.argsort(squares[inside], kind="stable")].astype(np.intp)


def _candidates(padded: Scores, threshold: float, local_maxima: bool) -> Scores:
    """Return the flat scores with -inf wherever no peak may be."""
    flat = padded.ravel()
    if not local_maxima:
        return np.where(flat >= threshold, flat, np.float32(-np.inf))
    peaks = _local_maxima(flat, _offsets(padded.shape, _TOUCHING))
    peaks = peaks[flat[peaks] >= threshold]
    alive = np.full_like(flat, -np.inf)
    alive[peaks] = flat[peaks]
    return alive


def _local_maxima(alive: Scores, near: Indices) -> Indices:
    """Return the points that come before all of `near` in the order of the suppression."""
    margin = int(np.abs(near).max())
    inner = slice(margin, len(alive) - margin)
    own = alive[inner]
    best = own > -np.inf
    for offset in near:
        other = alive[margin + offset : len(alive) - margin + offset]
        best &= own > other if offset < 0 else own >= other
    return np.flatnonzero(best) + margin


def _suppress(alive: Scores, ball: Indices, shape: tuple[int, ...]) -> tuple[Indices, Scores]:
    """Return what greedy suppression takes, best first; uses `alive` up.

    A point that comes before everything alive within the radius is taken by the greedy order,
    whatever happens elsewhere: rounds of such points give the greedy set many points at a time.
    Where they become few (ramps, plateaus), the rest is done one by one.
    """
    near = _offsets(shape, _TOUCHING)
    index: list[Indices] = []
    score: list[Scores] = []
    remaining = np.flatnonzero(alive > -np.inf)
    productive = True
    while len(remaining):
        if productive:
            dense = len(remaining) * 8 > len(alive) and len(ball) >= len(near)
            candidates = _local_maxima(alive, near) if dense else remaining
            taken = _leaders(alive, candidates, ball)
            productive = len(taken) > 32 + len(remaining) // 512
        else:
            taken = _one_by_one(alive, remaining, ball)
        index.append(taken)
        score.append(alive[taken])
        _erase(alive, taken, ball)
        remaining = np.flatnonzero(alive > -np.inf)
    return _sorted(index, score)


def _leaders(alive: Scores, candidates: Indices, ball: Indices) -> Indices:
    """Return the candidates that come before everything alive within the ball."""
    start = 0
    while start < len(ball) and len(candidates):
        block = ball[start : start + max(1, _BLOCK // len(candidates))]
        start += len(block)
        own = alive[candidates][:, None]
        other = alive[candidates[:, None] + block]
        beaten = (other > own) | ((other == own) & (block < 0))
        candidates = candidates[~beaten.any(axis=1)]
    return candidates


def _erase(alive: Scores, centres: Indices, ball: Indices) -> None:
    alive[centres] = -np.inf
    rows = max(1, _BLOCK // max(len(ball), 1))
    for start in range(0, len(centres), rows):
        alive[centres[start : start + rows, None] + ball] = -np.inf


def _one_by_one(alive: Scores, remaining: Indices, ball: Indices) -> Indices:
    """Return what plain greedy suppression takes of `remaining`, on a copy of what is alive."""
    free = alive > -np.inf
    order = remaining[np.argsort(-alive[remaining], kind="stable")]
    taken = []
    for start in range(0, len(order), 1024):
        chunk = order[start : start + 1024]
        for point in chunk[free[chunk]].tolist():
            if free[point]:
                taken.append(point)
                free[point + ball] = False
    return np.array(taken, dtype=np.intp)


def _sorted(index: list[Indices], score: list[Scores]) -> tuple[Indices, Scores]:
    if not index:
        return np.empty(0, np.intp), np.empty(0, np.float32)
    indices, scores = np.concatenate(index), np.concatenate(score)
    order = np.lexsort((indices, -scores))
    return indices[order], scores[order]


def _subpixel_shift(padded: Scores, index: Indices) -> npt.NDArray[np.float64]:
    """Return the shift to the top of a parabola along each axis, within half a point."""
    shift = np.zeros(index.shape)
    for axis in range(padded.ndim):
        step = np.zeros(padded.ndim, dtype=np.intp)
        step[axis] = 1
        before, here, after = (
            padded[tuple((index + sign * step).T)].astype(np.float64) for sign in (-1, 0, 1)
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            top = (before - after) / (2 * (before - 2 * here + after))
        usable = np.isfinite(before) & np.isfinite(after) & np.isfinite(top)
        peaked = usable & (here >= before) & (here >= after)
        shift[peaked, axis] = np.clip(top[peaked], -0.5, 0.5)
    return shift
