"""A job that runs in a python process of its own."""

from __future__ import annotations

import pickle
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, Literal, TypeAlias

from napari_cryoml._errors import InputError
from napari_cryoml.jobs._events import Command, Event, Job, ResultT
from napari_cryoml.jobs._process import death_notice, end_group, spawn
from napari_cryoml.jobs._wire import receive, send

JobState: TypeAlias = Literal["running", "done", "failed", "cancelled"]

UNREAD_LIMIT = 1000
"""Events that may wait unread before the child has to wait too."""
LOG_BYTES = 65536
"""How much of the child's printed output is kept, counted from its end."""
TERMINATE_GRACE_S = 1.0
_READ_BYTES = 4096


class ChildJob(Generic[ResultT]):
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
        self._process = spawn(threads)
        self._lock = threading.Lock()
        self._state: JobState = "running"
        self._result: Any = None
        self._error: str | None = None
        self._traceback = ""
        self._log = b""
        self._inbox: deque[Event] = deque()
        self._outbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._gone = threading.Event()
        self._outbox.put(request)
        self._thread(self._write)
        self._readers = [self._thread(work) for work in (self._read, self._read_log)]
        self._thread(self._keep)

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
        _check_importable(function)
        try:
            request = pickle.dumps((function, args, kwargs))
        except Exception as error:
            raise InputError(
                f"The settings of this job cannot be sent to another process: {error}."
            ) from error
        return cls(request, threads)

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

    @property
    def error(self) -> str | None:
        """One sentence for the user if the job has failed, else None."""
        return self._error

    @property
    def traceback(self) -> str:
        """The child's traceback if it raised an exception, for the log; else empty."""
        return self._traceback

    @property
    def log(self) -> str:
        """The end of what the child printed, at most `LOG_BYTES`."""
        return self._log.decode(errors="replace")

    @property
    def pid(self) -> int:
        """Number of the child process."""
        return self._process.pid

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

    def __enter__(self) -> ChildJob[ResultT]:
        return self

    def __exit__(self, *exception: object) -> None:
        self.cancel()
        self.wait(2 * TERMINATE_GRACE_S)

    def _settle(self, state: JobState, **outcome: Any) -> bool:
        """Take on a final state unless there is one; return whether it was taken on."""
        with self._lock:
            if self._state != "running":
                return False
            for name, value in outcome.items():
                setattr(self, f"_{name}", value)
            self._state = state
            return True

    def _end(self) -> None:
        end_group(self._process, force=False)
        timer = threading.Timer(TERMINATE_GRACE_S, self._kill)
        timer.daemon = True
        timer.start()

    def _kill(self) -> None:
        if self._process.poll() is None:
            end_group(self._process, force=True)

    @staticmethod
    def _thread(work: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=work, name=f"ChildJob{work.__name__}", daemon=True)
        thread.start()
        return thread

    def _write(self) -> None:
        # In a thread: a large request fills the pipe while the child still imports.
        try:
            while not self._gone.is_set():
                send(self._process.stdin, self._outbox.get())  # type: ignore[arg-type]
        except (OSError, ValueError):
            return  # the child has gone; the keeper says how

    def _read(self) -> None:
        try:
            while True:
                # Written by our own child process, over a pipe that no one else holds.
                kind, content = pickle.loads(receive(self._process.stdout))  # type: ignore[arg-type] # noqa: S301
                self._take(kind, content)
        except (EOFError, OSError):
            return
        except Exception as error:
            if self._settle("failed", error=f"Something went wrong in our code: {error}."):
                self._end()

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

    def _read_log(self) -> None:
        while chunk := self._process.stderr.read(_READ_BYTES):  # type: ignore[union-attr]
            self._log = (self._log + chunk)[-LOG_BYTES:]

    def _keep(self) -> None:
        code = self._process.wait()
        # Whatever the job had started would hold the pipes open, and the memory.
        end_group(self._process, force=True)
        for thread in self._readers:
            thread.join(5)
        self._settle("failed", error=death_notice(code))
        self._gone.set()
        self._outbox.put(b"")  # wakes the writer, which then ends too
        if not any(thread.is_alive() for thread in self._readers):
            self._close_pipes()

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()


def _check_importable(function: Callable[..., Any]) -> None:
    name = getattr(function, "__qualname__", "<unnamed>")
    module = getattr(function, "__module__", None)
    if "<" in name or module in (None, "__main__"):
        raise InputError(
            f"A background job must be a function at the top level of a module; {module}.{name} "
            f"cannot be imported from another process: move it into a module of its own."
        )
