"""Averages of a class, round by round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.classes import ClassState, Rows, class_rows
from napari_cryoml._widgets.classify import _work
from napari_cryoml._widgets.classify._desk import Desk
from napari_cryoml._widgets.frame import Connections
from napari_cryoml._widgets.jobs import JobWatcher
from napari_cryoml.averaging import AverageStep, ClassAverage, SubtomogramAverage
from napari_cryoml.jobs import Event

LEAST = 2


class Averaging:
    """Averages crops in a process of their own.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    desk : Desk
    start_job : callable
        Starts a job, as `ChildJob.start` does.
    """

    def __init__(self, viewer: Any, desk: Desk, start_job: Callable[..., Any]) -> None:
        self._viewer = viewer
        self._desk = desk
        self._start_job = start_job
        self._state: ClassState | None = None
        self._n = 0
        self._made: ClassAverage | SubtomogramAverage | None = None
        self._stopping, self._round = False, ""
        self._watcher = JobWatcher()
        self._watcher.received.connect(self._on_event)
        self._watcher.ended.connect(self._on_end)
        self._connections = Connections(
            (desk.replaced, self._clear),
            (desk.predicted, self.show_classes),
            (desk.labelled, self.show_classes),
            (desk.rated, self.show_classes),
        )

    @property
    def running(self) -> bool:
        """Whether crops are being averaged."""
        return bool(self._watcher.running)

    def close(self) -> None:
        """End the job."""
        self._connections.close()
        self._watcher.close()

    def _clear(self) -> None:
        self._watcher.close()
        self._made = None
        average, state = self._desk.view.average, self._desk.state
        average.clear()
        average.show_ndim(3 if state is None else state.ndim)
        self.show_classes()

    def show_classes(self) -> None:
        """Offer the classes with how many crops are of each."""
        rows = class_rows(self._desk)
        counts = {
            row.name: row.labelled if row.predicted is None else row.predicted for row in rows
        }
        chosen = self._desk.view.average.chosen[1]
        current = chosen if chosen in counts else self._desk.current
        self._desk.view.average.show_classes(counts, current)

    def run_or_stop(self) -> None:
        """Average what was chosen; stop what runs, and cancel it the second time."""
        if self.running:
            self._stop()
            return
        with self._desk.telling():
            state = self._desk.need_state()
            of, name = self._desk.view.average.chosen
            rows = self._rows(state, of, name)
            if len(rows) < LEAST:
                raise InputError(
                    f"{len(rows)} crop{'s are' if len(rows) != 1 else ' is'} meant: an average "
                    f"needs {LEAST} or more. Choose another class, or lower the threshold."
                )
            config = self._desk.view.average.config(state.ndim)
            job = self._start_job(_work.average, state.crops, rows, config)
            self._state, self._n = state, min(len(rows), _work.MOST_AVERAGED)
            self._stopping, self._round = False, ""
            self._desk.note("")
            self._desk.view.average.begin_job(_begun(len(rows), self._n))
            self._desk.view.average.panel.show_busy(self._n)
            self._watcher.watch(job)

    def _stop(self) -> None:
        if self._stopping:
            self._watcher.cancel()
            return
        self._stopping = True
        self._watcher.stop()
        self._desk.view.average.show_progress(0, 0, "Stopping after this round…")

    def _rows(self, state: ClassState, of: str, name: str) -> Rows:
        if of == "labelled":
            return np.flatnonzero(state.classes.texts == name)
        if of == "predicted":
            return np.flatnonzero(state.verdicts(self._desk.threshold) == name)
        if of == "gallery":
            return np.sort(self._desk.view.gallery.crops.rows)
        return np.sort(explorer_rows(self._viewer, state))

    def _on_event(self, event: Event) -> None:
        if self._state is not self._desk.state:
            return
        average = self._desk.view.average
        if isinstance(event, AverageStep):
            average.panel.show_average(event.current)
            self._round = f"Round {event.iteration} has ended."
        average.panel.show_busy(self._n, event.done, event.total)
        average.show_progress(event.done, event.total, event.message or self._round)

    def _on_end(self, job: Any) -> None:
        average = self._desk.view.average
        if self._state is not self._desk.state:
            return
        if job.state == "failed":
            average.clear()
            self._desk.warn(job.error)
        elif job.state == "cancelled":
            average.clear("The average was cancelled.")
        else:
            self._made = job.result
            average.panel.show_average(job.result)
            average.end_job("")

    def save(self) -> None:
        """Write the average on show and its halves to files."""
        self._desk.save_average(self._made)


def explorer_rows(viewer: Any, state: ClassState) -> Rows:
    """Return the rows that are selected in the Explorer of a viewer.

    Raises
    ------
    InputError
        If no Explorer is open, or nothing of these crops is selected in it.
    """
    from napari_cryoml._widgets.embedding import explorers

    explorer = explorers.of(viewer)
    found = None if explorer is None else explorer.desk.state
    if found is None:
        raise InputError("No map is open in the Explorer: open one, and draw around some points.")
    wanted = set(found.embedding.ids[found.selected].tolist())
    rows = [row for row, one in enumerate(state.ids) if one in wanted]
    if not rows:
        raise InputError("None of these crops is selected in the Explorer: draw around some there.")
    return np.array(rows, np.intp)


def _begun(n_all: int, n: int) -> str:
    if n < n_all:
        return f"A random {n:,} of {n_all:,} crops are averaged."
    return f"{n:,} crops are averaged."
