"""A job that is part of another one."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

from napari_cryoml.jobs._events import Command, Event, ResultT

SaidT = TypeVar("SaidT", bound=Event)
ToldT = TypeVar("ToldT", bound=Event)


def relay(
    job: Generator[SaidT, Command | None, ResultT], tell: Callable[[SaidT], ToldT]
) -> Generator[ToldT, Command | None, tuple[ResultT, bool]]:
    """Carry out a job within another one, which tells its events in words of its own.

    Parameters
    ----------
    job : generator of events
    tell : callable
        Takes each event, and returns the one to yield.

    Yields
    ------
    Event
        What `tell` returns; commands go to the job.

    Returns
    -------
    result : object
        Of the job.
    stopped : bool
        Whether it was told to stop.
    """
    command: Command | None = None
    stopped = False
    while True:
        try:
            event = job.send(command)
        except StopIteration as end:
            return end.value, stopped
        command = yield tell(event)
        stopped = stopped or command is Command.STOP
