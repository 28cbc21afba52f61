"""Carry a job out here and now."""

from __future__ import annotations

from collections.abc import Callable

from napari_cryoml.jobs._events import Command, Event, Job, ResultT


def run_inline(
    job: Job[ResultT],
    on_event: Callable[[Event], object] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> ResultT:
    """Carry out `job` in this thread and return its result.

    Parameters
    ----------
    job : Job
        A generator that has not been started.
    on_event : callable, optional
        Called with every event, in order, before the job goes on.
    should_stop : callable, optional
        Asked after every event. The first time it answers True, `Command.STOP` is sent, once;
        the job then ends in its own time, its last events still reach `on_event`.

    Returns
    -------
    object
        What the generator returns.

    Raises
    ------
    Exception
        Whatever the job or a callback raises; the generator is closed then.
    """
    command: Command | None = None
    told = False
    try:
        while True:
            try:
                event = job.send(command)
            except StopIteration as end:
                return end.value
            command = None
            if on_event is not None:
                on_event(event)
            if not told and should_stop is not None and should_stop():
                command, told = Command.STOP, True
    finally:
        job.close()
