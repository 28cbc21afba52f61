"""A line to a service in a child process: whoever asks is the one who hears."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from napari_cryoml._widgets.jobs._service_watcher import ServiceWatcher
from napari_cryoml.jobs import Answer, Event

logger = logging.getLogger(__name__)


def _ignore(*_: Any) -> None:
    """Hear and do nothing."""


@dataclass(frozen=True, slots=True)
class _Asked:
    on_done: Callable[[Any], object]
    on_error: Callable[[str], object]
    on_event: Callable[[Event], object]
    on_dropped: Callable[[], object]


class ServiceLine:
    """Asks one service, which is started anew if it has died.

    Parameters
    ----------
    start_service : callable
        Starts a service, as `ChildService.start` does.
    """

    def __init__(self, start_service: Callable[..., Any]) -> None:
        self._start = start_service
        self._made_by: tuple[Any, ...] | None = None
        self._open: dict[int, _Asked] = {}
        self._watcher = ServiceWatcher()
        self._watcher.answered.connect(self._on_answer)
        self._watcher.progressed.connect(self._on_event)
        self._watcher.dropped.connect(self._on_dropped)

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return bool(self._open)

    def serve(self, factory: Callable[..., Any], *args: Any) -> None:
        """Ask the service that ``factory(*args)`` makes, from now on; end the one before.

        Raises
        ------
        InputError
            If no process can be started.
        """
        self.close()
        self._made_by = (factory, *args)
        self._watcher.watch(self._start(*self._made_by))

    def restart(self) -> None:
        """End the service at once and start it anew; all that is open is dropped."""
        made_by, dropped = self._made_by, list(self._open.values())
        self.close()
        if made_by is not None:
            self.serve(*made_by)
        for asked in dropped:
            asked.on_dropped()

    def close(self) -> None:
        """End the service; what is still open is never answered."""
        self._open.clear()
        self._made_by = None
        self._watcher.close()

    def ask(
        self,
        request: Any,
        *,
        on_done: Callable[[Any], object],
        on_error: Callable[[str], object],
        on_event: Callable[[Event], object] = _ignore,
        on_dropped: Callable[[], object] = _ignore,
        key: str | None = None,
    ) -> int:
        """Send a request, and return its ticket.

        Parameters
        ----------
        request : object
        on_done, on_error : callable
            Get the reply, or one sentence.
        on_event : callable, optional
            Gets the events of a job that makes the reply.
        on_dropped : callable, optional
            Called if the request was stopped, or replaced, before anybody had begun with it.
        key : str, optional
            A request of the same key that still waits is dropped for this one.

        Raises
        ------
        InputError
            If the request cannot be sent, or no process can be started.
        RuntimeError
            If there is no service.
        """
        if not self._watcher.alive and self._made_by is not None:
            self._open.clear()
            self._watcher.watch(self._start(*self._made_by))
        ticket = self._watcher.ask(request, key)
        self._open[ticket] = _Asked(on_done, on_error, on_event, on_dropped)
        return ticket

    def stop(self, ticket: int) -> None:
        """Ask for an early end of a request: it is done with what it has, or dropped."""
        self._watcher.stop(ticket)

    def _on_dropped(self, answer: Answer[Any]) -> None:
        asked = self._open.pop(answer.ticket, None)
        if asked is not None:
            asked.on_dropped()

    def _on_event(self, answer: Answer[Any]) -> None:
        asked = self._open.get(answer.ticket)
        if asked is not None and answer.event is not None:
            asked.on_event(answer.event)

    def _on_answer(self, answer: Answer[Any]) -> None:
        asked = self._open.pop(answer.ticket, None)
        if answer.traceback:
            logger.error("%s\n%s", answer.error, answer.traceback)
        if asked is None:
            return
        if answer.error is not None:
            asked.on_error(answer.error)
        else:
            asked.on_done(answer.reply)
