"""Groups of like rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from napari_cryoml._widgets.embedding._desk import Desk
from napari_cryoml._widgets.embedding._groups_tab import NO_GROUPS
from napari_cryoml._widgets.embedding._keeping import Keeping
from napari_cryoml._widgets.embedding._state import CLUSTER, MapState
from napari_cryoml._widgets.jobs import ServiceLine
from napari_cryoml.embedding import ClusterRequest
from napari_cryoml.jobs import Event


class Grouping:
    """Makes groups, and shows how large they are.

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
        desk.replaced.connect(self._begin)

    def close(self) -> None:
        """Let go of the desk."""
        self._desk.replaced.disconnect(self._begin)

    def run(self) -> None:
        """Make groups; while that runs, stop and take what there is."""
        if self._ticket is not None:
            self._line.stop(self._ticket)
            return
        with self._desk.telling():
            state = self._desk.need_state()
            tab = self._desk.view.groups
            config, name = tab.config(), tab.chosen
            self._ticket = self._line.ask(
                ClusterRequest(config),
                on_event=self._on_event,
                on_done=lambda found: self._on_done(state, found, name, config),
                on_error=self._on_error,
                on_dropped=self._end,
            )
            tab.show_running(True)

    def show(self) -> None:
        """Show the groups there are, in the colours of the map."""
        state = self._desk.state
        labels = _groups_of(state)
        if state is None or labels is None:
            self._desk.view.groups.show_groups((), (), NO_GROUPS)
            return
        sizes = np.bincount(labels[labels >= 0])
        n_rest = int((labels < 0).sum())
        self._desk.view.show_groups(sizes, groups_text(sizes, n_rest, math.nan, ()), n_rest)

    def _begin(self) -> None:
        self._end()
        if self._desk.state is not None:
            self._desk.view.groups.suggest(len(self._desk.state))
        self.show()

    def _on_event(self, event: Event) -> None:
        share = f" {event.done} of {event.total}." if event.total else ""
        self._desk.view.groups.show_text(f"{event.message or 'Grouping.'}{share}")

    def _on_done(self, state: MapState, found: Any, name: str, config: Any) -> None:
        self._end()
        if state is not self._desk.state:
            return
        state.columns[CLUSTER] = found.labels
        state.colour = CLUSTER
        note = {"method": name, "options": config.model_dump(mode="json")}
        self._keeping.columns({CLUSTER: found.labels}, note)
        self._desk.show_colours()
        n_rest = int((found.labels < 0).sum())
        text = groups_text(found.sizes, n_rest, found.silhouette, found.notes)
        self._desk.view.show_groups(found.sizes, text, n_rest)

    def _on_error(self, sentence: str) -> None:
        self._end()
        self._desk.warn(sentence)

    def _end(self) -> None:
        self._ticket = None
        self._desk.view.groups.show_running(False)


def _groups_of(state: MapState | None) -> Any:
    if state is None or CLUSTER not in state.names:
        return None
    labels = state.column(CLUSTER)
    return labels.astype(int) if labels.dtype.kind in "iu" else None


def groups_text(sizes: Any, n_rest: int, silhouette: float, notes: tuple[str, ...]) -> str:
    """Return how many groups there are, how large, and how well they part."""
    if not len(sizes):
        return " ".join(["No groups were found.", *notes])
    parts = [f"{len(sizes)} groups of {min(sizes):,} to {max(sizes):,} rows."]
    if n_rest:
        parts.append(f"{n_rest:,} rows are in none.")
    if math.isfinite(silhouette):
        parts.append(f"Silhouette {silhouette:.2f}.")
    return " ".join([*parts, *notes])
