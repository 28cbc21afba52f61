"""The inner loop of UMAP, compiled once and kept on disk."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numba
import numpy as np
import numpy.typing as npt

Layout = npt.NDArray[np.float32]

_NEGATIVES = 5
_PULLS = 2  # each row moves itself alone: an edge drawn from one end is followed at either
_LARGEST_STEP = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Who pulls whom, as sparse rows.

    Parameters
    ----------
    indptr : array of shape (n + 1,), int64
        Where the edges of each row begin.
    indices : array of shape (n_edges,), int32
        The row at the other end.
    weights : array of shape (n_edges,), float32
        Share of epochs in which an edge pulls, in (0, 1].
    """

    indptr: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pull:
    """Shape and strength of the forces.

    Parameters
    ----------
    a, b : float
        Of the membership 1 / (1 + a d^(2 b)) of a pair at distance d.
    """

    a: float
    b: float


def move_rows(
    layout: Layout,
    edges: Edges,
    pull: Pull,
    *,
    alpha: float,
    epoch: int,
    seed: int,
    pool: ThreadPoolExecutor,
    n_threads: int,
) -> Layout:
    """Return the rows after one epoch of stochastic gradient descent.

    Each row moves itself alone and sees all others as they were before the epoch. So the result
    is the same for any number of threads.

    Parameters
    ----------
    layout : array of shape (n, 2), float32
    edges : Edges
    pull : Pull
    alpha : float
        Length of the steps.
    epoch, seed : int
        Together they decide which edges and which other rows are drawn.
    pool : ThreadPoolExecutor
    n_threads : int

    References
    ----------
    McInnes, Healy and Melville, "UMAP: Uniform Manifold Approximation and Projection for
    Dimension Reduction", arXiv:1802.03426 (2018), section 4.3 and algorithm 5.
    """
    moved = np.empty_like(layout)
    bounds = np.linspace(0, len(layout), n_threads + 1).astype(np.int64)
    running = [
        pool.submit(
            _move,
            low,
            high,
            layout,
            moved,
            edges.indptr,
            edges.indices,
            edges.weights,
            np.float32(pull.a),
            np.float32(pull.b),
            np.float32(alpha),
            epoch,
            np.uint64(seed),
        )
        for low, high in pairwise(bounds)
    ]
    for part in running:
        part.result()
    return moved


@numba.njit(cache=True, nogil=True, inline="always")
def _scrambled(state: np.uint64) -> np.uint64:
    """Return 64 random bits for each state (splitmix64)."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@numba.njit(cache=True, nogil=True, inline="always")
def _clipped(step: np.float32) -> np.float32:
    return min(np.float32(_LARGEST_STEP), max(np.float32(-_LARGEST_STEP), step))


@numba.njit(cache=True, nogil=True, fastmath=True)
def _move(  # type: ignore[no-untyped-def]
    low, high, layout, moved, indptr, indices, weights, a, b, alpha, epoch, seed
):
    """Move rows `low` to `high`."""
    golden = np.uint64(0x9E3779B97F4A7C15)
    one, two, tiny = np.float32(1), np.float32(2), np.float32(0.001)
    n_rows = np.uint64(len(layout))
    for row in range(low, high):
        y, x = layout[row, 0], layout[row, 1]
        state = _scrambled(_scrambled(seed + np.uint64(row) * golden) + np.uint64(epoch))
        for edge in range(indptr[row], indptr[row + 1]):
            # An edge of weight w is followed every 1 / w epochs, from a beginning of its own.
            bits = _scrambled(seed + np.uint64(edge) * golden) >> np.uint64(11)
            phase = np.float64(bits) / 2.0**53
            weight = np.float64(weights[edge])
            if np.floor((epoch + 1) * weight + phase) == np.floor(epoch * weight + phase):
                continue
            other = indices[edge]
            for _ in range(_PULLS):
                dy, dx = y - layout[other, 0], x - layout[other, 1]
                square = dy * dy + dx * dx
                if square > 0:
                    power = square**b
                    force = -two * a * b * power / (square * (one + a * power))
                    y += alpha * _clipped(force * dy)
                    x += alpha * _clipped(force * dx)
            for _ in range(_NEGATIVES):
                state += golden
                drawn = np.int64(_scrambled(state) % n_rows)
                dy, dx = y - layout[drawn, 0], x - layout[drawn, 1]
                square = dy * dy + dx * dx
                if square > 0 and drawn != row:
                    force = two * b / ((tiny + square) * (one + a * square**b))
                    y += alpha * _clipped(force * dy)
                    x += alpha * _clipped(force * dx)
        moved[row, 0], moved[row, 1] = y, x
