"""Maps of many rows: some are laid out as landmarks, the rest is placed among them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace

import numpy as np

from napari_cryoml.embedding._layouts import (
    STEPS,
    Layout,
    LayoutChanged,
    ProjectionConfig,
    Projector,
    Rows,
    Vectors,
    layout_changed,
)
from napari_cryoml.embedding._neighbours import into_cells
from napari_cryoml.embedding._placement import NeighbourPlacement
from napari_cryoml.jobs import Command, Event, relay

_LAID_OUT = 0.7  # share of the work when the landmarks have their places
_LEARNED = 0.85  # and when a network has learned them
_ROWS_AT_ONCE = 50_000
_MOST_CELLS = 1000
_LANDMARKS_A_CELL = 10

Place = Callable[[Vectors], Layout]


def choose_landmarks(vectors: Vectors, n: int, seed: int) -> Rows:
    """Return rows that stand for all, rising.

    Vectors are sorted into cells by k-means, and as many are drawn from a small cell as from a
    large one, as long as they last: a plain draw would leave out what is rare.

    Parameters
    ----------
    vectors : array of shape (m, d), float32
    n : int
        How many, at most `m`.
    seed : int
    """
    cell = into_cells(vectors, max(1, min(_MOST_CELLS, n // _LANDMARKS_A_CELL)))
    weight = 1 / np.bincount(cell)[cell]
    # Drawing without replacement with these weights (Efraimidis and Spirakis 2006).
    keys = np.random.default_rng(seed).exponential(size=len(vectors)) / weight
    return np.sort(np.argsort(keys, kind="stable")[:n])


def lay_out_by_landmarks(
    projector: Projector, config: ProjectionConfig, vectors: Vectors, start: Layout | None
) -> Generator[LayoutChanged, Command | None, tuple[Layout, Rows]]:
    """Lay out some rows, then place the others among them.

    Parameters
    ----------
    projector : Projector
    config : ProjectionConfig
    vectors : array of shape (n, d), float32
        As `scaled` gives them.
    start : array of shape (n, 2), float32, optional

    Yields
    ------
    LayoutChanged
        Of the landmarks, then of the rows that were placed.

    Returns
    -------
    layout : array of shape (n, 2), float32
        NaN for rows that had not been placed when it was stopped.
    landmarks : array of shape (m,), intp
    """
    landmarks = choose_landmarks(vectors, min(config.n_landmarks, len(vectors)), config.seed)
    layout = np.full((len(vectors), 2), np.nan, np.float32)
    begun = None if start is None else start[landmarks]
    fitting = relay(
        projector.lay_out(vectors[landmarks], begun),
        lambda event: replace(event, done=round(_LAID_OUT * event.done), rows=landmarks),
    )
    layout[landmarks], stopped = yield from fitting
    if stopped:
        return layout, landmarks
    place, stopped = yield from _placement(projector, config, vectors[landmarks], layout[landmarks])
    rest = np.setdiff1d(np.arange(len(vectors)), landmarks, assume_unique=True)
    # The first chunks show the whole map, and not its first rows.
    rest = np.random.default_rng(config.seed).permutation(rest)
    begun_at = _LEARNED if config.placement == "network" else _LAID_OUT
    for begin in range(0, len(rest), _ROWS_AT_ONCE):
        if stopped:
            break
        rows = rest[begin : begin + _ROWS_AT_ONCE]
        layout[rows] = place(vectors[rows])
        share = begun_at + (1 - begun_at) * (begin + len(rows)) / len(rest)
        event = layout_changed(share, layout[rows], "Placing rows among landmarks.")
        stopped = (yield replace(event, rows=rows)) is Command.STOP
    return layout, landmarks


def _placement(
    projector: Projector, config: ProjectionConfig, vectors: Vectors, layout: Layout
) -> Generator[LayoutChanged, Command | None, tuple[Place, bool]]:
    """Return what places further rows, and whether it was stopped meanwhile."""
    if config.placement == "neighbours":
        return NeighbourPlacement(vectors, layout, projector.n_neighbours), False
    from napari_cryoml.embedding._distilled import distil

    def tell(event: Event) -> LayoutChanged:
        share = _LAID_OUT + (_LEARNED - _LAID_OUT) * event.done / event.total
        return LayoutChanged(
            done=round(STEPS * share),
            total=STEPS,
            message="Teaching the map to a network.",
            layout=np.empty((0, 2), np.float32),
            rows=np.empty(0, np.intp),
        )

    return (yield from relay(distil(vectors, layout, config.seed), tell))
