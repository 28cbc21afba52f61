"""The way out: picks, vectors and pictures, in files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml import io
from napari_cryoml._errors import InputError
from napari_cryoml._widgets.embedding._columns import layout_columns
from napari_cryoml._widgets.embedding._desk import Desk
from napari_cryoml._widgets.embedding._state import CLASS, LABEL, SCORE, MapState
from napari_cryoml._widgets.link import write_classes, write_picks
from napari_cryoml.data import Embedding, Picks, PicksTable
from napari_cryoml.embedding import most_correlated

_FEW_ROWS, _MOST_LIKE = 2000, 5


class Exporting:
    """Writes what is on the map.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def run(self, what: str) -> None:
        """Write "picks" of the selection, "classes" by file, or all: see `EXPORTS`."""
        with self._desk.telling():
            {
                "picks": self._picks,
                "classes": self._classes,
                "embedding": self._embedding,
                "figure": self._figure,
                "page": self._page,
            }[what]()

    def _picks(self) -> None:
        state = self._desk.need_state()
        table = picks_of(state, state.need_selected("whose picks to write"), self._pixel_sizes())
        path = self._desk.view.ask_picks_path(self._desk.folder)
        if path is not None:
            self._write(write_picks, table, path, self._shapes())

    def _classes(self) -> None:
        state = self._desk.need_state()
        if not state.classes.counts:
            raise InputError("No row has a class: give some rows one first.")
        texts = state.classes.texts
        tables = {
            name: picks_of(state, np.flatnonzero(texts == name), self._pixel_sizes())
            for name in state.classes.counts
        }
        path = self._desk.view.ask_picks_path(self._desk.folder)
        if path is not None:
            self._write(write_classes, tables, path, self._shapes())

    def _embedding(self) -> None:
        state = self._desk.need_state()
        path = self._desk.view.ask_embedding_path(self._desk.folder)
        if path is not None:
            self._write(_write_embedding, whole_embedding(state), path)

    def _figure(self) -> None:
        self._desk.need_state()
        path = self._desk.view.ask_figure_path(self._desk.folder)
        if path is not None:
            self._desk.note(f"The map was written to {self._desk.view.export_figure(path)}.")

    def _page(self) -> None:
        state = self._desk.need_state()
        path = self._desk.view.ask_page_path(self._desk.folder)
        if path is not None:
            self._write(_write_page, state, path)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        project = self._desk.project
        return {} if project is None else {one.name: one.shape for one in project.images()}

    def _pixel_sizes(self) -> dict[str, float | None]:
        project = self._desk.project
        return {} if project is None else {one.name: one.pixel_size for one in project.images()}

    def _write(self, function: Callable[..., str], *args: Any) -> None:
        self._desk.note("Writing…")
        self._desk.background.run(
            function, *args, on_done=self._desk.note, on_error=self._desk.warn
        )


def picks_of(
    state: MapState, rows: npt.NDArray[np.intp], pixel_sizes: Mapping[str, float | None]
) -> PicksTable:
    """Return rows as picks of their images, with the classes and orientations that are known.

    Parameters
    ----------
    state : MapState
    rows : array of shape (k,)
    pixel_sizes : mapping of str to float or None
        Angstrom per pixel of the images, by name, where they are known.

    Raises
    ------
    InputError
        If the rows lie in no images.
    """
    embedding = state.embedding
    if embedding.images is None or embedding.positions is None:
        raise InputError("These rows lie in no images: export the embedding in their place.")
    images, found = embedding.images[rows], []
    scores = embedding.table.get(SCORE)
    diameter = embedding.provenance.get("diameter")
    classes = state.classes.texts if state.classes.counts else None
    rotations = io.rotations_of(embedding.table) if embedding.positions.shape[1] == 3 else None
    for name in dict.fromkeys(images.tolist()):
        mine = rows[images == name]
        found.append(
            Picks(
                name,
                embedding.positions[mine],
                None if scores is None else np.asarray(scores, np.float32)[mine],
                pixel_size=pixel_sizes.get(name),
                diameter=float(diameter) if isinstance(diameter, int | float) else None,
                columns={} if classes is None else {CLASS: classes[mine]},
                rotations=None if rotations is None else rotations[mine],
            )
        )
    return PicksTable.of(found)


def whole_embedding(state: MapState) -> Embedding:
    """Return the embedding with all that was made of it in its table."""
    columns = dict(state.columns)
    for method, layout in state.layouts.items():
        columns |= layout_columns(method, layout)
    if state.classes.counts:
        columns[CLASS] = state.classes.texts
    if LABEL in state.names:
        columns[LABEL] = state.column(LABEL)
    return state.embedding.with_columns(**columns)


def _write_page(state: MapState, path: Path) -> str:
    """Write a map as a page for a browser, with the rows most like each where they are few."""
    from napari_cryoml.embedding.drawing import write_page

    embedding = whole_embedding(state)
    colour = state.colour if state.colour in embedding.table else None
    moved = None if state.arrows is None else state.arrows.placed(state.layout)
    write_page(
        path,
        embedding,
        state.layout,
        title=path.stem,
        colour=colour,
        arrows=moved,
        neighbours=_neighbours(embedding),
    )
    return f"The map was written to {path}: open it in a browser."


def _neighbours(embedding: Embedding) -> dict[int, list[tuple[int, float]]]:
    """Return the rows most like each row, unless there are many rows."""
    found: dict[int, list[tuple[int, float]]] = {}
    for row, name in enumerate(embedding.ids.tolist() if len(embedding) <= _FEW_ROWS else ()):
        with suppress(InputError):  # a constant vector is like nothing
            like = most_correlated(embedding, name, _MOST_LIKE)
            found[row] = list(zip(like.rows.tolist(), like.correlation.tolist(), strict=True))
    return found


def _write_embedding(embedding: Embedding, path: Path) -> str:
    written = io.write_embedding(embedding, path)
    return f"{len(embedding):,} rows were written to {written}."
