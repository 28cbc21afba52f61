"""What the child process of a service does: answer what arrives, use quiet moments."""

from __future__ import annotations

import os
import pickle
import threading
import traceback
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from io import FileIO
from typing import Any

from napari_cryoml.jobs._child_end import claim_pipes, heed, sentence_of
from napari_cryoml.jobs._events import Command, Event
from napari_cryoml.jobs._inline import run_inline
from napari_cryoml.jobs._stream import EventStream
from napari_cryoml.jobs._wire import receive, send

QUIET_S = 0.3
"""For how long no request must have come before background work begins."""


def main() -> None:
    """Make the service that the first message on stdin names; answer the others on stdout."""
    commands, pipe = claim_pipes()
    try:
        first = receive(commands)
    except EOFError:
        return
    mouth = _Mouth(pipe)
    inbox = _Inbox(when_dropped=lambda ticket: mouth.say("superseded", ticket))
    heed(commands, inbox.put)
    try:
        service = _make_service(first, mouth)
        if service is not None:
            mouth.say("ready", None)
            _serve(service, inbox, mouth)
    except OSError:
        os._exit(1)  # nobody is left to hear it


def _make_service(first: bytes, mouth: _Mouth) -> Any | None:
    try:
        # Written by our own parent process, over a pipe that no one else holds.
        factory, args, kwargs = pickle.loads(first)  # noqa: S301
        return factory(*args, **kwargs)
    except Exception as error:
        mouth.say("failure", (sentence_of(error), traceback.format_exc()))
        return None


def _serve(service: Any, inbox: _Inbox, mouth: _Mouth) -> None:
    idle = getattr(service, "idle", lambda: False)
    is_more, pause_s = True, QUIET_S
    while True:
        waiting = inbox.take(pause_s if is_more else None)
        if waiting is None:
            is_more, pause_s = _use_quiet(idle), 0.0
        else:
            stream = EventStream(partial(_say_event, mouth, waiting.ticket))
            reply = _answer(service, waiting, stream)
            stream.close()
            mouth.say("answer", (waiting.ticket, *reply))
            is_more, pause_s = True, QUIET_S


def _answer(service: Any, waiting: _Waiting, stream: EventStream) -> tuple[Any, str | None, str]:
    """Return the reply, the sentence on what went wrong and its traceback."""
    try:
        reply: Any = service.answer(pickle.loads(waiting.request))  # noqa: S301
        if isinstance(reply, Generator):
            reply = run_inline(reply, stream.put, waiting.stop.is_set)
        return reply, None, ""
    except Exception as error:
        return None, sentence_of(error), traceback.format_exc()


def _say_event(mouth: _Mouth, ticket: int, event: Event) -> None:
    mouth.say("event", (ticket, event))


def _use_quiet(idle: Callable[[], bool]) -> bool:
    try:
        return bool(idle())
    except Exception:
        # Nobody has asked for this work; if it matters, the next request meets the same trouble.
        traceback.print_exc()
        return False


class _Mouth:
    """Says whole messages, one at a time: several threads have something to say."""

    def __init__(self, pipe: FileIO) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def say(self, kind: str, content: Any) -> None:
        message = _packed(kind, content)
        with self._lock:
            send(self._pipe, message)


def _packed(kind: str, content: Any) -> bytes:
    try:
        return pickle.dumps((kind, content), protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # only replies and events hold what is not ours
        refusal = (content[0], None, sentence_of(error), traceback.format_exc())
        return pickle.dumps(("answer", refusal))


@dataclass(frozen=True, slots=True)
class _Waiting:
    ticket: int
    replaces: str | None
    request: bytes
    stop: threading.Event = field(default_factory=threading.Event)

    def takes_place_of(self, older: _Waiting) -> bool:
        return self.replaces is not None and self.replaces == older.replaces


class _Inbox:
    """The requests that wait, of those with the same key only the newest; and the one in hand."""

    def __init__(self, when_dropped: Callable[[int], None]) -> None:
        self._when_dropped = when_dropped
        self._waiting: list[_Waiting] = []
        self._in_hand: _Waiting | None = None
        self._changed = threading.Condition()

    def put(self, message: bytes) -> None:
        kind, content = pickle.loads(message)  # noqa: S301 - as above
        if kind == Command.STOP.value:
            self._stop(content)
        else:
            new = _Waiting(*content)
            self._drop(new.takes_place_of, new)

    def _stop(self, ticket: int) -> None:
        with self._changed:
            if self._in_hand is not None and self._in_hand.ticket == ticket:
                self._in_hand.stop.set()
        self._drop(lambda waiting: waiting.ticket == ticket)

    def _drop(self, is_over: Callable[[_Waiting], bool], *new: _Waiting) -> None:
        with self._changed:
            dropped = [old for old in self._waiting if is_over(old)]
            self._waiting = [old for old in self._waiting if not is_over(old)] + [*new]
            self._changed.notify()
        for old in dropped:
            self._when_dropped(old.ticket)

    def take(self, timeout_s: float | None) -> _Waiting | None:
        """Return the oldest request once there is one; None if none came in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting, timeout_s)
            self._in_hand = self._waiting.pop(0) if self._waiting else None
            return self._in_hand
