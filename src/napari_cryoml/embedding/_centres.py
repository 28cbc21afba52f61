"""Centres of k-means, and the centre that each row is nearest to."""

from __future__ import annotations

import warnings
from collections.abc import Generator
from typing import TypeAlias

import numpy as np

from napari_cryoml.embedding._clustering import Labels, Vectors
from napari_cryoml.jobs import Command, Event

ALL_AT_ONCE = 50_000
"""Rows up to which every round sees all of them; above, rounds see a batch."""

_ROUNDS_AT_ONCE = 10
_MOST_ROUNDS = 300
_BATCH = 8192
_LEAST_SEEN = 2_000_000  # rows in all batches together
_START = (10_000, 20)  # rows that k-means++ looks at: at least, and for each centre
_CHUNK = 8192

CentresJob: TypeAlias = Generator[Event, Command | None, tuple[Vectors, bool]]


def find_centres(vectors: Vectors, k: int, seed: int, restarts: int = 1) -> CentresJob:
    """Find the centres of k-means.

    Lloyd's rounds on all rows, or above `ALL_AT_ONCE` rows rounds of mini-batches (Sculley 2010,
    WWW, 1177); both start with k-means++ (Arthur and Vassilvitskii 2007, SODA, 1027).

    Parameters
    ----------
    vectors : array of shape (n, d), float32
    k : int
        At most n.
    seed : int
    restarts : int, default 1
        Starts of which the best is taken; mini-batches start once.

    Returns
    -------
    centres : array of shape (k, d), float32
        Some stand for no row where there are fewer different rows.
    is_whole : bool
        Whether it was not stopped before its end.
    """
    if len(vectors) > ALL_AT_ONCE:
        return (yield from _by_batches(vectors, k, seed))
    best, least = vectors[:0], np.inf
    for restart in range(restarts):
        centres, inertia, is_whole = yield from _by_rounds(vectors, k, seed, restart, restarts)
        if inertia < least:
            best, least = centres, inertia
        if not is_whole:
            return best, False
    return best, True


def _by_rounds(
    vectors: Vectors, k: int, seed: int, restart: int, restarts: int
) -> Generator[Event, Command | None, tuple[Vectors, float, bool]]:
    from sklearn.cluster import KMeans

    centres = _start(vectors, k, seed + restart)
    for rounds in range(_ROUNDS_AT_ONCE, _MOST_ROUNDS + 1, _ROUNDS_AT_ONCE):
        model = KMeans(k, init=centres, n_init=1, max_iter=_ROUNDS_AT_ONCE)
        with warnings.catch_warnings(action="ignore"):  # of fewer different rows; said elsewhere
            model.fit(vectors)
        centres = model.cluster_centers_
        message = f"k-means, start {restart + 1} of {restarts}: {rounds} rounds"
        told = yield Event(done=restart + 1, total=restarts, message=message)
        if told is Command.STOP:
            return centres, model.inertia_, False
        if model.n_iter_ < _ROUNDS_AT_ONCE:
            break
    return centres, model.inertia_, True


def _by_batches(vectors: Vectors, k: int, seed: int) -> CentresJob:
    from sklearn.cluster import MiniBatchKMeans

    rng = np.random.default_rng(seed)
    drawn = rng.permutation(len(vectors))[: max(_START[0], _START[1] * k)]
    model = MiniBatchKMeans(k, init=_start(vectors[drawn], k, seed), random_state=seed)
    batches = _batches(len(vectors), rng)
    for number, rows in enumerate(batches, 1):
        model.partial_fit(vectors[rows])
        told = yield Event(done=number, total=len(batches), message="k-means")
        if told is Command.STOP:
            return model.cluster_centers_, False
    return model.cluster_centers_, True


def _batches(n: int, rng: np.random.Generator) -> list[Labels]:
    """Return all rows in random order, in batches, as often as it takes to see enough."""
    passes = -(-_LEAST_SEEN // n)
    order = np.concatenate([rng.permutation(n) for _ in range(passes)])
    return np.array_split(order, -(-len(order) // _BATCH))


def _start(vectors: Vectors, k: int, seed: int) -> Vectors:
    from sklearn.cluster import kmeans_plusplus

    with warnings.catch_warnings(action="ignore"):  # k-means++ divides by zero for equal rows
        centres, _ = kmeans_plusplus(vectors, k, random_state=seed)
    return centres


def nearest_centre(vectors: Vectors, centres: Vectors) -> Labels:
    """Return the centre (m, d) that each row of (n, d) is nearest to, shape (n,)."""
    labels = np.empty(len(vectors), np.intp)
    half_squares = (centres**2).sum(axis=1) / 2
    for start in range(0, len(vectors), _CHUNK):
        rows = slice(start, start + _CHUNK)
        labels[rows] = (vectors[rows] @ centres.T - half_squares).argmax(axis=1)
    return labels
