"""A job that runs on a worker of a Dask scheduler."""

from __future__ import annotations

import pickle
import threading
import time
import traceback
import uuid
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic

from napari_cryoml._errors import InputError
from napari_cryoml.jobs._child_end import sentence_of
from napari_cryoml.jobs._child_job import UNREAD_LIMIT, JobState
from napari_cryoml.jobs._child_process import call_message
from napari_cryoml.jobs._cluster_config import ClusterConfig
from napari_cryoml.jobs._dask_connection import connected
from napari_cryoml.jobs._events import Event, Job, ResultT
from napari_cryoml.jobs._inline import run_inline
from napari_cryoml.jobs._stream import EventStream

if TYPE_CHECKING:
    from distributed import Client, Future

LARGEST_EVENT_BYTES = 2**20
"""A larger event goes through the scheduler without what it carries."""
_ASK_S = 0.5  # between two questions of a worker whether to stop
_PAUSE_S = 0.05
_LAST_EVENT_S = 2.0
_STOP, _CANCEL = "stop", "cancel"


class DaskJob(Generic[ResultT]):
    """One job on a worker; made by `DaskJob.start`, and used as a `ChildJob` is.

    Events arrive over a topic of the scheduler, in order; those that are larger than
    `LARGEST_EVENT_BYTES` as a plain `Event`. While `UNREAD_LIMIT` events wait for `poll`, the
    oldest give way. A worker that is lost takes the job along: the scheduler starts it anew on
    another one. What a worker does between two events cannot be interrupted.
    """

    def __init__(self, request: bytes, config: ClusterConfig, on_gpu: bool) -> None:
        self._request, self._config, self._on_gpu = request, config, on_gpu
        self._state: JobState = "running"
        self._error: str | None = None
        self._traceback = ""
        self._result: Any = None
        self._inbox: deque[Event] = deque(maxlen=UNREAD_LIMIT)
        self._wish: str | None = None
        self._last_heard = -1
        self._gone = threading.Event()
        self._name = f"napari-cryoml-{uuid.uuid4().hex}"
        threading.Thread(target=self._run, name="DaskJob", daemon=True).start()

    @classmethod
    def start(
        cls,
        config: ClusterConfig,
        function: Callable[..., Job[ResultT]],
        /,
        *args: Any,
        on_gpu: bool = False,
        **kwargs: Any,
    ) -> DaskJob[ResultT]:
        """Start ``function(*args, **kwargs)`` on a worker and return at once.

        Parameters
        ----------
        config : ClusterConfig
        function : callable
            Returns a job; the worker imports it by name, so it needs this package too.
        *args, **kwargs
            Arguments for `function`; they are pickled. Paths must be good on the worker as well.
        on_gpu : bool, default False
            Only on a worker that has the Dask resource GPU.

        Raises
        ------
        InputError
            If the function cannot be imported by name, or the arguments cannot be pickled.
        """
        return cls(call_message(function, args, kwargs), config, on_gpu)

    @property
    def state(self) -> JobState:
        """One of "running", "done", "failed" and "cancelled"; once not running, it stays."""
        return self._state

    @property
    def error(self) -> str | None:
        """One sentence for the user if the job has failed, else None."""
        return self._error

    @property
    def traceback(self) -> str:
        """The traceback of what was raised, for the log; else empty."""
        return self._traceback

    @property
    def log(self) -> str:
        """Empty: what a worker prints stays where the worker is."""
        return ""

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
        """Ask the job to finish early; the result of the work so far follows."""
        self._wish = self._wish or _STOP

    def cancel(self) -> None:
        """Give the job up: `state` is "cancelled" when this returns; the worker ends in its time.

        Does nothing to a job that has ended.
        """
        self._wish = _CANCEL
        self._settle("cancelled")

    def wait(self, timeout: float | None = None) -> JobState:
        """Wait until the job has ended here, and return the state."""
        self._gone.wait(timeout)
        return self._state

    def __enter__(self) -> DaskJob[ResultT]:
        return self

    def __exit__(self, *exception: object) -> None:
        self.cancel()
        self._gone.wait(2)

    def _settle(self, state: JobState) -> None:
        if self._state == "running":
            self._state = state

    def _run(self) -> None:
        try:
            with connected(self._config) as client:
                client.subscribe_topic(self._name, self._hear)
                self._result = self._followed(client)
                self._settle("done")
        except Exception as error:
            self._error, self._traceback = sentence_of(error), traceback.format_exc()
            self._settle("failed")
        finally:
            self._gone.set()

    def _followed(self, client: Client) -> Any:
        """Return the result once it is there; pass on what the owner wishes meanwhile."""
        from distributed import Event as Flag

        flags = {wish: Flag(f"{self._name}-{wish}", client=client) for wish in (_STOP, _CANCEL)}
        future: Future = client.submit(
            _carried_out,
            self._request,
            self._name,
            pure=False,
            resources={"GPU": 1} if self._on_gpu else None,
        )
        told = None
        while not future.done():
            if self._wish is not None and self._wish != told:
                told = self._wish
                flags[told].set()
            if told == _CANCEL:
                client.cancel([future])
                return None
            time.sleep(_PAUSE_S)
        result, n_events = future.result()
        self._await_event(n_events - 1)
        return result

    def _await_event(self, number: int) -> None:
        """Wait for an event on its way: the result may come before the last one."""
        deadline = time.monotonic() + _LAST_EVENT_S
        while self._last_heard < number and time.monotonic() < deadline:
            time.sleep(_PAUSE_S)

    def _hear(self, message: tuple[float, Any]) -> None:
        # Written by our own code in a worker; whoever may write to the scheduler may run code
        # there anyway.
        number, event = pickle.loads(message[1])  # noqa: S301
        self._last_heard = number
        if self._state == "running":
            self._inbox.append(event)


def _carried_out(request: bytes, name: str) -> tuple[Any, int]:
    """Carry out a job in a worker; return its result and how many events were sent."""
    from distributed import Event as Flag
    from distributed import get_worker

    function, args, kwargs = pickle.loads(request)  # noqa: S301 - written by our own client
    worker = get_worker()
    n_sent = 0

    def send(event: Event) -> None:
        nonlocal n_sent
        worker.log_event(name, _packed(n_sent, event))
        n_sent += 1

    stream = EventStream(send)
    asked = _Asked(Flag(f"{name}-{_STOP}"), Flag(f"{name}-{_CANCEL}"))
    result = run_inline(function(*args, **kwargs), stream.put, asked)
    stream.close()
    return result, n_sent


def _packed(number: int, event: Event) -> bytes:
    packed = pickle.dumps((number, event))
    if len(packed) > LARGEST_EVENT_BYTES:
        packed = pickle.dumps(
            (number, Event(done=event.done, total=event.total, message=event.message))
        )
    return packed


class _Asked:
    """Answers whether to stop; the scheduler is asked now and then only."""

    def __init__(self, stop: Any, cancel: Any) -> None:
        self._stop, self._cancel, self._at = stop, cancel, -_ASK_S

    def __call__(self) -> bool:
        if time.monotonic() < self._at + _ASK_S:
            return False
        self._at = time.monotonic()
        if self._cancel.is_set():
            raise InputError("The job was cancelled.")
        return bool(self._stop.is_set())
