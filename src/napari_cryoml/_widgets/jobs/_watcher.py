"""A timer that carries what a child process says to the GUI."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_cryoml._widgets.jobs._background import stop_timer
from napari_cryoml.jobs import Event

POLL_MS = 50
SLICE_S = 0.03
"""How long one tick may spend on events, so that the GUI stays awake under a flood of them."""


class JobWatcher(QObject):
    """Polls one job at a time.

    Parameters
    ----------
    parent : QObject, optional
    """

    received = Signal(object)
    """An `Event` of the job."""

    ended = Signal(object)
    """The job itself, after its last event; ask for its `state`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._job: Any = None
        self._waiting: deque[Event] = deque()
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._poll)

    @property
    def running(self) -> bool:
        """Whether a job is being watched."""
        return self._job is not None

    def watch(self, job: Any) -> None:
        """Watch `job`, a `ChildJob`, from now on.

        Raises
        ------
        RuntimeError
            If another job is still running.
        """
        if self._job is not None:
            raise RuntimeError("a job is running already")
        self._job = job
        self._waiting.clear()
        self._timer.start()

    def stop(self) -> None:
        """Ask the job to finish early and keep what it has."""
        if self._job is not None:
            self._job.stop()

    def cancel(self) -> None:
        """End the job at once; it is reported as ended at the next tick."""
        if self._job is not None:
            self._job.cancel()

    def close(self) -> None:
        """End the job and say nothing more about it."""
        stop_timer(self._timer)
        job, self._job = self._job, None
        if job is not None:
            job.cancel()

    def _poll(self) -> None:
        job = self._job
        if job is None:
            return
        # The state first: events that come before the end are then never missed.
        state = job.state
        self._waiting.extend(job.poll())
        until = time.monotonic() + SLICE_S
        while self._waiting and time.monotonic() < until:
            self.received.emit(self._waiting.popleft())
        if state != "running" and not self._waiting and self._job is job:
            self._timer.stop()
            self._job = None
            self.ended.emit(job)
