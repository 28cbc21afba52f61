"""How far a job has come that is made of other jobs."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from napari_cryoml.jobs import Command, Event, Job, relay
from napari_cryoml.jobs._events import ResultT


@dataclass(slots=True)
class Progress:
    """What is done of a job in parts, and whether it was told to stop.

    Parameters
    ----------
    total : int
        Units of work of all parts.
    """

    total: int
    done: int = 0
    stopped: bool = False

    def part(self, job: Job[ResultT], size: int, message: str = "") -> Job[ResultT]:
        """Carry out a job that is `size` units of the whole, and return its result."""
        start = self.done

        def tell(event: Event) -> Event:
            self.done = start + size * event.done // max(event.total, 1)
            return Event(done=self.done, total=self.total, message=message)

        result, stopped = yield from relay(job, tell)
        self.done = start + size
        self.stopped = self.stopped or stopped
        return result

    def tell(self, event: Event) -> Generator[Event, Command | None, None]:
        """Send an event of this job's own."""
        command = yield event
        self.stopped = self.stopped or command is Command.STOP
