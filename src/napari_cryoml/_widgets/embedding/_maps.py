"""Lays the vectors out as maps, which are drawn while they are made."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.embedding._columns import SELECTION, layout_columns
from napari_cryoml._widgets.embedding._desk import Desk
from napari_cryoml._widgets.embedding._keeping import Keeping
from napari_cryoml._widgets.embedding._state import Layout, MapState
from napari_cryoml._widgets.jobs import ServiceLine
from napari_cryoml.embedding import LayoutChanged, ProjectRequest
from napari_cryoml.jobs import Event

FIRST = "pca"
"""The map that is there in a moment."""

DRAW_S = 0.1
"""Least time between two drawings of a map that moves; more, where one takes long."""


class Maps:
    """The maps of the embedding on show.

    Parameters
    ----------
    desk : Desk
    line : ServiceLine
        To the service that has the vectors.
    keeping : Keeping
    """

    def __init__(self, desk: Desk, line: ServiceLine, keeping: Keeping) -> None:
        self._desk = desk
        self._line = line
        self._keeping = keeping
        self._ticket: int | None = None
        self._stopping = False
        self._drawn = 0.0
        self._began = False
        self._notes: dict[str, tuple[str, ...]] = {}
        self._remarks: tuple[str, ...] = ()

    @property
    def running(self) -> bool:
        """Whether a map is being made."""
        return self._ticket is not None

    def begin(self, method: str, remarks: tuple[str, ...] = ()) -> None:
        """Show the maps of another embedding: what it has, else PCA and then the method chosen.

        Parameters
        ----------
        method : str
        remarks : tuple of str
            Sentences on the rows, which stay on show until their map is there.
        """
        self._remarks = remarks
        self._desk.note(" ".join(remarks))
        self._ticket, self._stopping, self._notes = None, False, {}
        state = self._desk.need_state()
        if method in state.layouts:
            self.show(method)
        elif state.layouts:
            self.show(state.method)
        else:
            self._make(FIRST, then=method)

    def show(self, method: str) -> None:
        """Show the map of a method, making it if there is none yet."""
        with self._desk.telling():
            state = self._desk.need_state()
            if method in state.layouts:
                state.method = method
                self._tell()
                self._desk.show_map(refit=True)
                self._desk.show_counts()
            else:
                self._make(method)

    def again(self) -> None:
        """Make the map on show again, with the options of the moment."""
        with self._desk.telling():
            state = self._desk.need_state()
            if state.method == SELECTION:
                self.selection()
            else:
                self._make(state.method or FIRST)

    def selection(self) -> None:
        """Map the selected rows alone."""
        with self._desk.telling():
            state = self._desk.need_state()
            rows = state.need_selected("to map them alone")
            if len(rows) < 3:
                raise InputError(f"{len(rows)} rows make no map: select three or more.")
            self._ask(SELECTION, self._desk.view.chosen_method(), rows)

    def stop(self) -> None:
        """Have the map finished with what there is; a second time, give it up at once."""
        if self._ticket is None:
            return
        if self._stopping:
            with self._desk.telling():
                self._line.restart()
            return
        self._stopping = True
        self._line.stop(self._ticket)
        self._desk.view.show_running("stopping")

    def _make(self, method: str, then: str = "") -> None:
        self._ask(method, method, None, then)

    def _ask(self, name: str, method: str, rows: Any, then: str = "") -> None:
        if self.running:
            raise InputError("A map is being made: stop it first, or wait.")
        desk = self._desk
        state, config = desk.need_state(), desk.view.map_config(method)
        before = state.method, state.layouts.get(name)
        self._began = False
        self._ticket = self._line.ask(
            ProjectRequest(config, rows),
            on_event=lambda event: self._on_event(state, name, rows, event),
            on_done=lambda made: self._on_done(state, name, rows, made, config, then),
            on_error=lambda sentence: self._give_up(state, name, before, sentence),
            on_dropped=lambda: self._give_up(state, name, before, ""),
        )
        desk.view.begin_job("mapping", f"Mapping by {method}.")

    def _on_event(self, state: MapState, name: str, rows: Any, event: Event) -> None:
        if state is not self._desk.state:
            return
        self._desk.view.show_progress(event.done, event.total, event.message)
        now = time.monotonic()
        if not isinstance(event, LayoutChanged) or now - self._drawn < DRAW_S:
            return
        _merge(state, name, event, rows)
        self._draw(state, name)
        end = time.monotonic()
        self._drawn = end + max(5 * (end - now) - DRAW_S, 0)

    def _on_done(
        self, state: MapState, name: str, rows: Any, made: Any, config: Any, then: str
    ) -> None:
        self._end("")
        if state is not self._desk.state:
            return
        state.set_layout(name, made.layout[:, :2], rows)
        self._notes[name] = (*made.notes, made.origin)
        self._draw(state, name)
        note = {"method": config.name, "options": config.model_dump(mode="json")}
        self._keeping.columns(layout_columns(name, state.layouts[name]), note)
        self._tell()
        self._desk.note(" ".join([*self._remarks, *made.notes]))
        self._desk.show_counts()
        if not then or then == name:
            self._remarks = ()
        else:
            with self._desk.telling():
                self._make(then)

    def _give_up(
        self, state: MapState, name: str, before: tuple[str, Layout | None], sentence: str
    ) -> None:
        """Go back to the map from before."""
        self._end("")
        if sentence:
            self._desk.warn(sentence)
        method, layout = before
        if layout is None:
            state.layouts.pop(name, None)
        else:
            state.layouts[name] = layout
        if state is self._desk.state and state.method == name:
            self._show(state, method, refit=True)

    def _end(self, text: str) -> None:
        self._ticket, self._stopping = None, False
        self._desk.view.end_job(text)

    def _draw(self, state: MapState, name: str) -> None:
        """Draw a map that moves, unless the user has gone to another one meanwhile."""
        first, self._began = not self._began, True
        if first or state.method == name:
            self._show(state, name, refit=first)

    def _show(self, state: MapState, name: str, *, refit: bool) -> None:
        state.method = name
        self._desk.show_map(refit=refit)

    def _tell(self) -> None:
        state = self._desk.need_state()
        said = self._notes.get(state.method, ())
        self._desk.view.show_notes(" ".join(one for one in said if one))


def _merge(state: MapState, name: str, event: LayoutChanged, rows: Any) -> None:
    """Take the places of a map that moves; those of some rows leave the others where they are."""
    layout, part = event.layout, event.rows
    n = len(state) if rows is None else len(rows)
    known = state.layouts.get(name)
    whole = np.full((n, 2), np.nan, np.float32)
    if part is None:
        whole = layout[:, :2]
    else:
        if known is not None:
            whole = known[slice(None) if rows is None else rows].copy()
        whole[part] = layout[:, :2]
    state.set_layout(name, whole, rows)
