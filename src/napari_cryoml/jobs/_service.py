"""A service that answers requests in a python process of its own."""

from __future__ import annotations

import itertools
import pickle
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeAlias, TypeVar

from napari_cryoml._errors import InputError
from napari_cryoml.jobs._child_process import ChildProcess, call_message
from napari_cryoml.jobs._events import Command, Event, Job

ServiceState: TypeAlias = Literal["starting", "running", "failed", "closed"]

RequestT = TypeVar("RequestT")
ReplyT = TypeVar("ReplyT")
RequestT_contra = TypeVar("RequestT_contra", contravariant=True)
ReplyT_co = TypeVar("ReplyT_co", covariant=True)

UNREAD_EVENTS = 20
"""Events that may wait unread; further ones take the place of the oldest."""

_CLOSED = "The background process was closed before it had answered."


class Service(Protocol[RequestT_contra, ReplyT_co]):
    """What works in the child: made there once, then asked many times.

    It may also have a method ``idle() -> bool`` that does one short slice of work which nobody
    has asked for yet, such as reading the next image, and returns whether there is more. It is
    called while no request waits, from 0.3 s after the last one on; a request that comes
    meanwhile waits for the end of the slice.
    """

    def answer(self, request: RequestT_contra, /) -> ReplyT_co | Job[ReplyT_co]:
        """Return the reply, or a job whose result is the reply.

        An `InputError` becomes the sentence of the `Answer`. The events of a job are sent as they
        come, at most 20 a second: where there are more, the newest counts, and the last one is
        always sent. Other requests wait for its end.
        """


@dataclass(frozen=True, slots=True)
class Answer(Generic[ReplyT]):
    """What has become of one request, or how far it has come.

    Parameters
    ----------
    ticket : int
        What `ChildService.ask` returned for it.
    reply : object or None
        What the service returned; None if `error` is set or the request was superseded.
    error : str or None
        One sentence for the user on what went wrong.
    superseded : bool
        Whether a newer request took its place, or it was stopped, before the service had begun
        with it.
    traceback : str
        The child's traceback if `error` is set, for the log; else empty.
    event : Event, optional
        A sign of life of the job that makes the reply, which is still to come; None in the
        one answer that is the last of its ticket.
    """

    ticket: int
    reply: ReplyT | None = None
    error: str | None = None
    superseded: bool = False
    traceback: str = ""
    event: Event | None = None

    @property
    def is_last(self) -> bool:
        """Whether nothing follows on this request."""
        return self.event is None


class ChildService(ChildProcess, Generic[RequestT, ReplyT]):
    """An object in a child process that answers requests; made by `ChildService.start`.

    Nothing here blocks except `wait`. An error in one request is in its answer, and the service
    goes on; when the child dies, `state` is "failed", `error` says why in a sentence, and every
    request that was still open is answered with that sentence. The child ends by itself when this
    process goes away, however it goes. As a context manager, it is closed when the block is left.

    A reply may be made by a job, whose events come as answers too. Events that nobody reads do not
    hold it up: the newest `UNREAD_EVENTS` are kept.

    Requests, events and replies are pickled, over a pipe that only the two processes hold; send
    numpy and plain values, since a tensor would import torch on this side.

    Examples
    --------
    In the slot of a timer:

    >>> for answer in service.poll():  # doctest: +SKIP
    ...     if answer.event is not None:
    ...         draw(answer.event)
    ...     elif not answer.superseded:
    ...         show(answer.reply, answer.error)
    """

    def __init__(self, request: bytes, threads: int | None) -> None:
        self._tickets = itertools.count()
        self._open: set[int] = set()
        self._answers: list[Answer[ReplyT]] = []
        self._news = threading.Condition()  # its lock may be taken twice by one thread
        self._is_ready = False
        super().__init__("napari_cryoml.jobs._service_child", request, threads)

    @classmethod
    def start(
        cls,
        factory: Callable[..., Service[RequestT, ReplyT]],
        /,
        *args: Any,
        threads: int | None = None,
        **kwargs: Any,
    ) -> ChildService[RequestT, ReplyT]:
        """Make ``factory(*args, **kwargs)`` in a new process and return at once.

        Parameters
        ----------
        factory : callable
            Returns the service; may be its class. The child imports it by name: it must stand at
            the top level of a module other than the main script.
        *args, **kwargs
            Arguments for `factory`; they are pickled.
        threads : int, optional
            Threads that numerical libraries in the child may use; cores - 1 by default, or what
            the environment variable OMP_NUM_THREADS says.

        Raises
        ------
        InputError
            If the factory cannot be imported by name, the arguments cannot be pickled, or no
            process can be started.
        """
        return cls(call_message(factory, args, kwargs), threads)

    @property
    def state(self) -> ServiceState:
        """One of "starting", "running", "failed" and "closed"; the last two stay."""
        if self._state == "running" and not self._is_ready:
            return "starting"
        return self._state

    def ask(self, request: RequestT, replaces: str | None = None) -> int:
        """Send a request and return its ticket at once; requests are answered in order.

        Parameters
        ----------
        request : object
            Is pickled before this returns. It may be sent while the service still starts.
        replaces : str, optional
            A request with the same key that still waits is dropped for this one, and its answer
            says `Answer.superseded`; so quick clicks never queue up. None drops nothing.

        Raises
        ------
        InputError
            If the request cannot be pickled.
        """
        ticket = next(self._tickets)
        try:
            message = pickle.dumps(("ask", (ticket, replaces, pickle.dumps(request))))
        except Exception as error:
            raise InputError(f"This request cannot be sent to another process: {error}.") from error
        with self._news:
            self._open.add(ticket)
        self._outbox.put(message)
        if self._state != "running":
            self._answer_what_is_open()
        return ticket

    def stop(self, ticket: int) -> None:
        """Ask for an early end of one request.

        A job in hand gets `Command.STOP` at its next event, and its reply is what it has reached
        by then. A request that still waits is answered with `Answer.superseded`. Does nothing to
        one that is answered without a job, or has been answered.
        """
        self._outbox.put(pickle.dumps((Command.STOP.value, ticket)))

    def poll(self) -> list[Answer[ReplyT]]:
        """Return the answers since the last call, in order; never waits."""
        with self._news:
            answers, self._answers = self._answers, []
        return answers

    def wait(self, ticket: int, timeout: float | None = None) -> Answer[ReplyT]:
        """Wait for the last answer to one request, and return it; all others stay for `poll`.

        Parameters
        ----------
        ticket : int
            What `ask` has returned.
        timeout : float, optional
            Seconds.

        Raises
        ------
        TimeoutError
            If there is no answer in time.
        KeyError
            If there is no such ticket, or its answer was already given away.
        """
        with self._news:
            if ticket not in self._open and self._answer_to(ticket) is None:
                raise KeyError(f"Request {ticket} was never sent, or its answer was taken.")
            self._news.wait_for(lambda: self._answer_to(ticket) is not None, timeout)
            answer = self._answer_to(ticket)
            if answer is None:
                raise TimeoutError(f"Request {ticket} was not answered within {timeout} s.")
            self._forget(answer)
        return answer

    def close(self) -> None:
        """End the process and all it has started; `state` is "closed" when this returns.

        Does nothing to a service that has ended. Never waits: the process is asked to terminate
        at once and killed a second later. Open requests are answered with an error.
        """
        if self._settle("closed"):
            self._end()

    def _quit(self) -> None:
        self.close()

    def _take(self, kind: str, content: Any) -> None:
        if kind == "ready":
            self._is_ready = True
        elif kind == "failure":
            sentence, text = content
            self._settle("failed", error=sentence, traceback=text)
        elif kind == "superseded":
            self._give(Answer(content, superseded=True))
        elif kind == "event":
            self._pass_on(*content)
        else:
            ticket, reply, error, text = content
            self._give(Answer(ticket, reply, error, traceback=text))

    def _give(self, answer: Answer[ReplyT]) -> None:
        with self._news:
            if answer.ticket in self._open:
                self._open.discard(answer.ticket)
                self._answers.append(answer)
                self._news.notify_all()

    def _pass_on(self, ticket: int, event: Event) -> None:
        with self._news:
            if ticket not in self._open:
                return
            unread = [answer for answer in self._answers if not answer.is_last]
            if len(unread) >= UNREAD_EVENTS:
                self._forget(unread[0])
            self._answers.append(Answer(ticket, event=event))

    def _forget(self, answer: Answer[ReplyT]) -> None:
        # By identity: events and replies hold arrays, which have no one truth.
        self._answers = [other for other in self._answers if other is not answer]

    def _answer_to(self, ticket: int) -> Answer[ReplyT] | None:
        last = (answer for answer in self._answers if answer.is_last)
        return next((answer for answer in last if answer.ticket == ticket), None)

    def _settle(self, state: str, **outcome: Any) -> bool:
        is_news = super()._settle(state, **outcome)
        if is_news:
            self._answer_what_is_open()
        return is_news

    def _answer_what_is_open(self) -> None:
        with self._news:
            for ticket in sorted(self._open):
                self._give(Answer(ticket, error=self._error or _CLOSED))
