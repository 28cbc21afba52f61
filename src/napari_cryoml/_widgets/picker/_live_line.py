"""The line to the service behind live picking."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_cryoml._widgets.jobs import ServiceWatcher
from napari_cryoml._widgets.picker import _work
from napari_cryoml._widgets.picker._session import Session
from napari_cryoml.jobs import Answer, waited_for_threads
from napari_cryoml.picking import live

if TYPE_CHECKING:
    from napari_cryoml.picking.live import LiveConfig


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that live picks depend on.

    Parameters
    ----------
    image : str
        The image on show, or about to be.
    edit : int
        Number of the last edit of the labels.
    config : LiveConfig
    has_labels : bool
        Whether any particle is labelled; without, the service can only get ready.
    """

    image: str
    edit: int
    config: LiveConfig
    has_labels: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """A request on its way.

    Parameters
    ----------
    wanted : Wanted
    at : float
        When it was sent, by `time.perf_counter`.
    """

    wanted: Wanted
    at: float


class LiveLine:
    """Asks a service for the images of a session; starts it when it is needed, and again.

    Parameters
    ----------
    start_service : callable
        Starts a service, as `ChildService.start` does.
    """

    answered = Signal(object, object)
    """The `Answer` to a request for picks, and its `Sent`."""

    suggested = Signal(object)
    """The `Answer` to the latest request for suggestions."""

    def __init__(self, start_service: Callable[..., Any]) -> None:
        self._start_service = start_service
        self._watcher = ServiceWatcher()
        self._watcher.answered.connect(self._on_answer)
        self._served: tuple[str, ...] = ()
        self._sent: dict[int, Sent] = {}
        self._suggestion = -1

    @property
    def alive(self) -> bool:
        """Whether there is a service that works, or is being made."""
        return self._watcher.alive

    @property
    def starting(self) -> bool:
        """Whether the service is still being made."""
        return self._watcher.starting

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come."""
        return self._watcher.waiting

    def ask(self, session: Session, wanted: Wanted) -> None:
        """Ask for the picks of an image, in place of what was asked before and still waits.

        Raises
        ------
        InputError
            If no process can be started.
        """
        self._serve(session)
        request = live.LiveRequest(session.readable_labels(), wanted.image, wanted.config)
        ticket = self._watcher.ask(request, replaces="image")
        self._sent[ticket] = Sent(wanted, time.perf_counter())

    def suggest(self, session: Session, wanted: Wanted) -> None:
        """Ask for the places whose labels teach most.

        Raises
        ------
        InputError
            If no process can be started.
        """
        self._serve(session)
        request = live.SuggestRequest(session.readable_labels(), wanted.image, wanted.config)
        self._suggestion = self._watcher.ask(request, replaces="suggest")

    def close(self) -> None:
        """End the service and forget what was asked."""
        self._watcher.close()
        self._served = ()
        self._sent.clear()

    def _serve(self, session: Session) -> None:
        names = tuple(name for name in session.names if name in session.sources)
        if self._watcher.alive and names == self._served:
            return
        self.close()
        sources = [session.sources[name] for name in names]
        # All cores, not all but one: whoever has clicked waits for this and for nothing else.
        threads = waited_for_threads()
        service = self._start_service(_work.live_service, sources, threads=threads)
        self._watcher.watch(service)
        self._served = names

    def _on_answer(self, answer: Answer[Any]) -> None:
        if answer.ticket == self._suggestion:
            self.suggested.emit(answer)
            return
        sent = self._sent.pop(answer.ticket, None)
        if sent is not None:
            # Requests are answered in order: what was sent before is superseded.
            self._sent = {
                ticket: other for ticket, other in self._sent.items() if ticket > answer.ticket
            }
            self.answered.emit(answer, sent)
