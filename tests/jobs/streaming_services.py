"""Services that answer with jobs; child processes import them by name."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml.jobs import Command, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(Event):
    layout: object = None


class Stage:
    """Does what the request says; most of it is a job."""

    def answer(self, request):
        kind, *details = request
        return getattr(self, kind)(*details)

    def echo(self, value):
        return value

    def count(self, n):
        for done in range(1, n + 1):
            yield Event(done=done, total=n)
        return n

    def move(self):
        yield Moved(done=1, total=1, layout=np.arange(6.0).reshape(3, 2))
        return np.zeros((3, 2))

    def until_stopped(self):
        """Say a little more often than is passed on, and return how often was said."""
        done = 0
        while True:
            done += 1
            command = yield Event(done=done, total=0)
            if command is Command.STOP:
                return "stopped"
            time.sleep(0.01)

    def announce(self, path):
        """Say two things at once, then be silent until a file has gone."""
        Path(path).write_text("held")
        yield Event(done=0, total=1)
        yield Event(done=0, total=1, message="a long step")
        while Path(path).exists():
            time.sleep(0.005)
        return "over"

    def refuse(self):
        yield Event(done=0, total=2)
        raise InputError("The map is upside down: turn it.")

    def unpicklable(self):
        yield Moved(done=0, total=2, layout=lambda: None)
        return 1
