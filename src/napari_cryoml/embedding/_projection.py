"""Maps of vectors: from rows to places in the plane."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.embedding._landmarks import lay_out_by_landmarks
from napari_cryoml.embedding._layouts import (
    Layout,
    LayoutChanged,
    Projection,
    ProjectionConfig,
    Projector,
    Rows,
    Vectors,
    layout_changed,
    projections,
    scaled,
)
from napari_cryoml.embedding._pca import PcaConfig, principal_components
from napari_cryoml.embedding._tsne import TsneConfig
from napari_cryoml.embedding._umap import UmapConfig
from napari_cryoml.jobs import Command, Job, relay

__all__ = [
    "PROTEIN_MAP",
    "LayoutChanged",
    "PcaConfig",
    "Projection",
    "ProjectionConfig",
    "TsneConfig",
    "UmapConfig",
    "place",
    "project",
    "projections",
    "warm_up",
]

PROTEIN_MAP = TsneConfig(perplexity=40, metric="cosine")
"""The map of Razdaibiedina and Brechalov 2022 (section 3.2) for vectors of proteins; they do not
tell the metric: directions are compared, for it is correlation that tells what proteins do."""

_FEWEST = 4
"""Rows below which there are no neighbourhoods to speak of."""


def project(
    vectors: npt.ArrayLike, config: ProjectionConfig, *, start: npt.ArrayLike | None = None
) -> Job[Projection]:
    """Make a map of vectors.

    Its first event is a map by PCA, within a second or so; more follow while it takes shape.
    Sent `Command.STOP`, it ends with the places that rows have at that moment.

    Parameters
    ----------
    vectors : array of shape (n, d), float16 or float32
        Rows with numbers that are not finite are set aside: NaN on the map, and a note says how
        many.
    config : ProjectionConfig
    start : array of shape (n, 2), optional
        Begin with this map, so that it stays recognisable; rows may be NaN.

    Yields
    ------
    LayoutChanged

    Returns
    -------
    Projection

    Raises
    ------
    InputError
        If the arrays are no tables of rows, or the backend asked for is not there.
    """
    given = _table(vectors, "Vectors")
    begun = None if start is None else _start(start, len(given))
    projector = config.build()
    finite = np.flatnonzero(np.isfinite(given).all(axis=1))
    notes = _set_aside(len(given) - len(finite))
    whole = len(finite) == len(given)
    table = scaled(given if whole else given[finite], config.metric)
    run = _lay_out(projector, config, table, begun if whole or begun is None else begun[finite])
    if whole:
        placed, landmarks, said = yield from run
        return Projection(placed, landmarks, (*notes, *said), projector.origin)

    def in_all(event: LayoutChanged) -> LayoutChanged:
        return replace(event, rows=finite if event.rows is None else finite[event.rows])

    (placed, landmarks, said), _ = yield from relay(run, in_all)
    layout = np.full((len(given), placed.shape[1]), np.nan, np.float32)
    layout[finite] = placed
    landmarks = None if landmarks is None else finite[landmarks]
    return Projection(layout, landmarks, (*notes, *said), projector.origin)


def place(
    vectors: npt.ArrayLike,
    layout: npt.ArrayLike,
    new_vectors: npt.ArrayLike,
    config: ProjectionConfig,
) -> Layout:
    """Return places of further rows on a map that stays as it is.

    Parameters
    ----------
    vectors : array of shape (n, d)
        The rows of the map.
    layout : array of shape (n, 2)
        Their places; rows with NaN do not count.
    new_vectors : array of shape (m, d)
    config : ProjectionConfig
        What the map was made with.

    Returns
    -------
    array of shape (m, 2), float32
        For PCA the exact projection, for UMAP the mean place of the nearest rows weighted by
        membership. For t-SNE it is that mean too, moved by some rounds among the rows of the map
        (Poličar, Stražar and Zupan, 2024) unless these are more than `landmarks_above` or 15 or
        fewer. NaN for new rows that are not finite.

    Raises
    ------
    InputError
        If the tables do not match, or no row of the map has a place.
    """
    known, new = _table(vectors, "Vectors"), _table(new_vectors, "New vectors")
    places = _start(layout, len(known))
    if new.shape[1] != known.shape[1]:
        raise InputError(
            f"New vectors of length {new.shape[1]} cannot be placed on a map of vectors of length "
            f"{known.shape[1]}: embed both in the same way."
        )
    usable = np.isfinite(known).all(axis=1) & np.isfinite(places).all(axis=1)
    if not usable.any():
        raise InputError("No row of the map has a place: make the map first.")
    finite = np.isfinite(new).all(axis=1)
    # Both in one table: centre and scale must be the same.
    both = scaled(np.concatenate([known[usable], new[finite]]), config.metric)
    n = int(usable.sum())
    placed = np.full((len(new), places.shape[1]), np.nan, np.float32)
    if finite.any():
        placed[finite] = config.build().place(both[:n], places[usable], both[n:])
    return placed


def warm_up() -> None:
    """Load and compile what maps need, so that the first one does not wait for it."""
    vectors = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
    for config in (UmapConfig(epochs=10), TsneConfig(early_iterations=1, iterations=1)):
        for _ in project(vectors, config):
            pass


def _lay_out(
    projector: Projector, config: ProjectionConfig, table: Vectors, start: Layout | None
) -> Generator[LayoutChanged, Command | None, tuple[Layout, Rows | None, list[str]]]:
    """Return layout, landmarks and notes of finite rows."""
    first = principal_components(table, 2, config.seed) if len(table) else np.empty((0, 2), "f4")
    if (yield layout_changed(0, first, "Principal components.")) is Command.STOP:
        return first, None, ["Stopped at the principal components."]
    if len(table) < _FEWEST or not np.ptp(table, axis=0).any():
        return first, None, _too_plain(len(table))
    start = None if start is None else _filled(table, start, projector.n_neighbours)
    if not config.uses_landmarks or len(table) <= config.landmarks_above:
        layout = yield from projector.lay_out(table, start)
        return layout, None, projector.notes(len(table))
    layout, landmarks = yield from lay_out_by_landmarks(projector, config, table, start)
    notes = [f"{len(landmarks)} landmarks were laid out, the other rows placed among them."]
    missing = int(np.isnan(layout).any(axis=1).sum())
    if missing:
        notes = [f"Stopped: {missing} of {len(table)} rows have no place yet."]
    return layout, landmarks, [*projector.notes(len(landmarks)), *notes]


def _too_plain(n_rows: int) -> list[str]:
    if n_rows == 0:
        return ["There are no rows to map."]
    if n_rows < _FEWEST:
        rows = "1 row is" if n_rows == 1 else f"{n_rows} rows are"
        return [f"{rows} too few for neighbourhoods: this is a map by PCA."]
    return ["All rows are equal: they share one place."]


def _set_aside(n_rows: int) -> list[str]:
    if not n_rows:
        return []
    rows = "1 row has" if n_rows == 1 else f"{n_rows} rows have"
    return [f"{rows} numbers that are not finite and no place on the map."]


def _filled(table: Vectors, start: Layout, n_neighbours: int) -> Layout | None:
    """Return a beginning for all rows: those without one begin among their neighbours."""
    from napari_cryoml.embedding._placement import NeighbourPlacement

    known = np.isfinite(start).all(axis=1)
    if not known.any():
        return None
    if known.all():
        return start
    filled = start.copy()
    filled[~known] = NeighbourPlacement(table[known], start[known], n_neighbours)(table[~known])
    return filled


def _table(vectors: npt.ArrayLike, what: str) -> npt.NDArray[np.floating]:
    table = np.asarray(vectors)
    if table.ndim != 2 or table.dtype.kind not in "fiub":
        raise InputError(
            f"{what} must be a table of n rows and d columns of numbers; an array of shape "
            f"{table.shape} and type {table.dtype} was given."
        )
    return table


def _start(layout: npt.ArrayLike, n_rows: int) -> Layout:
    places = np.asarray(layout, dtype=np.float32)
    if places.ndim != 2 or places.shape[1] < 2 or len(places) != n_rows:
        raise InputError(
            f"A map of {n_rows} rows has as many places with two coordinates; an array of shape "
            f"{places.shape} was given."
        )
    return places
