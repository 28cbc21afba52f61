"""Events of a job on their way out of a child process: few, in order, the last one always."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from napari_cryoml.jobs._events import Event

INTERVAL_S = 0.05
"""Least time between two events that are sent."""


class EventStream:
    """Sends events at most every `INTERVAL_S`; one that must wait gives way to a newer one.

    Parameters
    ----------
    send : callable
        Gets the events; called in the thread of `put`, or in one of its own where the event had
        to wait, so that what a job says before a long step is seen while the step lasts.
    """

    def __init__(self, send: Callable[[Event], object]) -> None:
        self._send = send
        self._lock = threading.RLock()
        self._waiting: Event | None = None
        self._timer: threading.Timer | None = None
        self._sent_at = -INTERVAL_S

    def put(self, event: Event) -> None:
        """Send an event now, or as soon as its turn has come."""
        with self._lock:
            self._waiting = event
            pause_s = self._sent_at + INTERVAL_S - time.monotonic()
            if pause_s <= 0:
                self._flush()
            elif self._timer is None:
                self._timer = threading.Timer(pause_s, self._flush)
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """Send what waits; nothing is sent once this has returned."""
        self._flush()

    def _flush(self) -> None:
        with self._lock:
            event, self._waiting = self._waiting, None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if event is not None:
                self._sent_at = time.monotonic()
                self._send(event)
