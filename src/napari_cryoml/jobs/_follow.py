"""A child's job as a job of this process."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import TypeVar

from napari_cryoml._errors import InputError
from napari_cryoml.jobs._child_job import ChildJob
from napari_cryoml.jobs._events import Command, Event

ResultT = TypeVar("ResultT")

_PAUSE_SECONDS = 0.02


def follow(child: ChildJob[ResultT]) -> Generator[Event, Command | None, ResultT]:
    """Turn a running child into a job: its events, its result, its errors.

    Parameters
    ----------
    child : ChildJob
        Cancelled if the generator is closed early.

    Yields
    ------
    Event
        As the child sends them.

    Returns
    -------
    object
        The result of the child's job.

    Raises
    ------
    InputError
        With the child's sentence, if its job failed.
    """
    with child:
        while True:
            state = child.state  # before polling: no event from before the end is missed
            for event in child.poll():
                if (yield event) is Command.STOP:
                    child.stop()
            if state != "running":
                break
            time.sleep(_PAUSE_SECONDS)
        if state != "done":
            raise InputError(child.error or "The job was cancelled.")
        return child.result
