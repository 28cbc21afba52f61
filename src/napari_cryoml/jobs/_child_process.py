"""A python process of our own that carries out what it is sent, seen from the parent."""

from __future__ import annotations

import pickle
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from napari_cryoml._errors import InputError
from napari_cryoml.jobs._process import death_notice, end_group, spawn
from napari_cryoml.jobs._wire import receive, send

LOG_BYTES = 65536
"""How much of the child's printed output is kept, counted from its end."""
TERMINATE_GRACE_S = 1.0
_READ_BYTES = 4096

SelfT = TypeVar("SelfT", bound="ChildProcess")


class ChildProcess:
    """What a job and a service in a child process share: its pipes, its log and its end.

    Parameters
    ----------
    module : str
        Module whose ``main()`` the child runs.
    request : bytes
        The first message to the child.
    threads : int or None
        Threads for numerical libraries in the child; None for the default.
    """

    def __init__(self, module: str, request: bytes, threads: int | None) -> None:
        self._process = spawn(module, threads)
        self._lock = threading.Lock()
        self._state: Any = "running"
        self._error: str | None = None
        self._traceback = ""
        self._log = b""
        self._outbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._gone = threading.Event()
        self._outbox.put(request)
        self._thread(self._write)
        self._readers = [self._thread(work) for work in (self._read, self._read_log)]
        self._thread(self._keep)

    @property
    def error(self) -> str | None:
        """One sentence for the user if the child has failed, else None."""
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

    def __enter__(self: SelfT) -> SelfT:
        return self

    def __exit__(self, *exception: object) -> None:
        self._quit()
        self._gone.wait(2 * TERMINATE_GRACE_S)

    def _quit(self) -> None:
        """End the child without waiting for it."""
        raise NotImplementedError

    def _take(self, kind: str, content: Any) -> None:
        """Take in one message of the child, in the reader's thread."""
        raise NotImplementedError

    def _settle(self, state: str, **outcome: Any) -> bool:
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

    def _thread(self, work: Callable[[], None]) -> threading.Thread:
        name = f"{type(self).__name__}{work.__name__}"
        thread = threading.Thread(target=work, name=name, daemon=True)
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

    def _read_log(self) -> None:
        while chunk := self._process.stderr.read(_READ_BYTES):  # type: ignore[union-attr]
            self._log = (self._log + chunk)[-LOG_BYTES:]

    def _keep(self) -> None:
        code = self._process.wait()
        # Whatever the child had started would hold the pipes open, and the memory.
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


def call_message(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> bytes:
    """Return the message that makes a child call ``function(*args, **kwargs)``.

    Raises
    ------
    InputError
        If the function cannot be imported by name, or the arguments cannot be pickled.
    """
    _check_importable(function)
    try:
        return pickle.dumps((function, args, kwargs))
    except Exception as error:
        raise InputError(
            f"The settings of this job cannot be sent to another process: {error}."
        ) from error


def _check_importable(function: Callable[..., Any]) -> None:
    name = getattr(function, "__qualname__", "<unnamed>")
    module = getattr(function, "__module__", None)
    if "<" in name or module in (None, "__main__"):
        raise InputError(
            f"A background job must be a function at the top level of a module; {module}.{name} "
            f"cannot be imported from another process: move it into a module of its own."
        )
