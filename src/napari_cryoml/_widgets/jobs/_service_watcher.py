"""A timer that carries what a service in a child process answers to the GUI."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_cryoml._widgets.jobs._background import stop_timer

POLL_MS = 10
"""A click is answered within a tenth of a second: few milliseconds may be lost here."""


class ServiceWatcher(QObject):
    """Asks one service at a time, and hands over its answers on the GUI's thread.

    Parameters
    ----------
    parent : QObject, optional
    """

    answered = Signal(object)
    """The last `Answer` to a request that was not superseded."""

    progressed = Signal(object)
    """An `Answer` with an event of a job whose reply is still to come."""

    dropped = Signal(object)
    """The `Answer` to a request that was superseded, or stopped while it waited."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._service: Any = None
        self._open = 0
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._poll)

    @property
    def alive(self) -> bool:
        """Whether there is a service that can be asked."""
        return self._service is not None and self._service.state in ("starting", "running")

    @property
    def starting(self) -> bool:
        """Whether the service is still being made."""
        return self._service is not None and self._service.state == "starting"

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come."""
        return self._open > 0

    def watch(self, service: Any) -> None:
        """Ask `service`, a `ChildService`, from now on; close the one before."""
        self.close()
        self._service = service

    def ask(self, request: Any, replaces: str | None = None) -> int:
        """Send a request; return its ticket.

        Raises
        ------
        InputError
            If the request cannot be sent.
        RuntimeError
            If no service is being watched.
        """
        if self._service is None:
            raise RuntimeError("there is no service to ask")
        ticket: int = self._service.ask(request, replaces)
        self._open += 1
        self._timer.start()
        return ticket

    def stop(self, ticket: int) -> None:
        """Ask for an early end of one request; its answer still comes, unless it waited."""
        if self._service is not None:
            self._service.stop(ticket)

    def close(self) -> None:
        """End the service and hand nothing over any more."""
        stop_timer(self._timer)
        self._open = 0
        service, self._service = self._service, None
        if service is not None:
            service.close()

    def _poll(self) -> None:
        service = self._service
        answers = [] if service is None else service.poll()
        self._open -= sum(answer.is_last for answer in answers)
        if self._open <= 0:
            self._timer.stop()
        for answer in answers:
            if service is self._service:
                self._signal_for(answer).emit(answer)

    def _signal_for(self, answer: Any) -> Any:
        if answer.superseded:
            return self.dropped
        return self.answered if answer.is_last else self.progressed
