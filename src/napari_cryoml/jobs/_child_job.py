"""A job that runs in a python process of its own."""

from __future__ import annotations

import pickle
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, Literal, TypeAlias

from napari_cryoml.jobs._child_process import ChildProcess, call_message
from napari_cryoml.jobs._events import Command, Event, Job, ResultT

JobState: TypeAlias = Literal["running", "done", "failed", "cancelled"]

UNREAD_LIMIT = 1000
"""Events that may wait unread before the child has to wait too."""


class ChildJob(ChildProcess, Generic[ResultT]):
    """One job in a child process; made by `ChildJob.start`.

    A crash or a kill of the child ends as state "failed" and a sentence in `error`; nothing here
    blocks except `wait`. The child ends by itself when this process goes away, however it goes.
    As a context manager, it cancels what still runs when the block is left.

    Events and the result are pickled by the child and unpickled here, over a pipe that only the
    two processes hold; jobs send numpy and plain values, since a tensor would import torch here.

    No event is dropped. While `UNREAD_LIMIT` events wait for `poll`, further ones wait in the
    child, so a consumer that has fallen asleep costs bounded memory and slows the job.

    Examples
    --------
    In the slot of a timer, ask for the state first, so that the last events are not missed:

    >>> state = job.state  # doctest: +SKIP
    >>> for event in job.poll():  # doctest: +SKIP
    ...     show(event)
    >>> if state != "running":  # doctest: +SKIP
    ...     timer.stop()
    """

    def __init__(self, request: bytes, threads: int | None) -> None:
        self._result: Any = None
        self._inbox: deque[Event] = deque()
        super().__init__("napari_cryoml.jobs._child", request, threads)

    @classmethod
    def start(
        cls,
        function: Callable[..., Job[ResultT]],
        /,
        *args: Any,
        threads: int | None = None,
        **kwargs: Any,
    ) -> ChildJob[ResultT]:
        """Start ``function(*args, **kwargs)`` in a new process and return at once.

        Parameters
        ----------
        function : callable
            Returns a job (is a generator function). The child imports it by name: it must stand
            at the top level of a module other than the main script.
        *args, **kwargs
            Arguments for `function`; they are pickled.
        threads : int, optional
            Threads that numerical libraries in the child may use; cores - 1 by default, or what
            the environment variable OMP_NUM_THREADS says.

        Raises
        ------
        InputError
            If the function cannot be imported by name, the arguments cannot be pickled, or no
            process can be started.
        """
        return cls(call_message(function, args, kwargs), threads)

    @property
    def state(self) -> JobState:
        """One of "running", "done", "failed" and "cancelled"; once not running, it stays."""
        return self._state

    @property
    def result(self) -> ResultT:
        """What the job has returned.

        Raises
        ------
        RuntimeError
            Unless `state` is "done".
        """
        if self._state != "done":
            raise RuntimeError(f"A job that is {self._state} has no result.")
        return self._result

    def poll(self) -> list[Event]:
        """Return the events since the last call, in order; never waits."""
        return [self._inbox.popleft() for _ in range(len(self._inbox))]

    def stop(self) -> None:
        """Ask the job to finish early: it gets `Command.STOP` at its next event.

        The result of the work so far follows, and `state` becomes "done".
        """
        self._outbox.put(pickle.dumps(Command.STOP))

    def cancel(self) -> None:
        """End the process and all it has started; `state` is "cancelled" when this returns.

        Does nothing to a job that has ended. Never waits: the process is asked to terminate at
        once and killed a second later. There is no result.
        """
        if self._settle("cancelled"):
            self._end()

    def wait(self, timeout: float | None = None) -> JobState:
        """Wait until the child process has gone, and return the state.

        Parameters
        ----------
        timeout : float, optional
            Seconds after which to return in any case, maybe with "running".
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        kept: list[Event] = []
        while not self._gone.wait(0.02):
            kept += self.poll()  # a job must not wait for a reader who waits for the job
            if deadline is not None and time.monotonic() > deadline:
                break
        self._inbox.extendleft(reversed(kept))
        return self._state

    def _quit(self) -> None:
        self.cancel()

    def _take(self, kind: str, content: Any) -> None:
        if kind == "result":
            self._settle("done", result=content)
        elif kind == "failure":
            sentence, text = content
            self._settle("failed", error=sentence, traceback=text)
        else:
            while len(self._inbox) >= UNREAD_LIMIT and self._is_busy():
                time.sleep(0.02)
            self._inbox.append(content)

    def _is_busy(self) -> bool:
        return self._state == "running" and self._process.poll() is None
