"""Services small enough to look through; child processes import them by name."""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml.jobs import ChildService


class Desk:
    """Does what the request says, and remembers."""

    def __init__(self, name="desk"):
        self.name = name
        self.asked = []

    def answer(self, request):
        kind, *details = request
        self.asked.append(kind)
        return getattr(self, kind)(*details)

    def echo(self, value):
        return value

    def whoami(self):
        return self.name, os.environ.get("OMP_NUM_THREADS"), os.getpid()

    def history(self):
        return list(self.asked)

    def zeros(self, n):
        return np.zeros(n)

    def hold(self, path):
        """Say that this request is in hand, and wait until it may go on."""
        Path(path).write_text("held")
        while Path(path).exists():
            time.sleep(0.005)

    def refuse(self):
        raise InputError("The image is upside down: turn it.")

    def stumble(self):
        return {}["missing"]

    def unpicklable(self):
        return lambda: None

    def talk(self):
        print("printed line")
        return sys.stdin.read()

    def leave(self, code):
        os._exit(code)

    def die_by(self, number):
        os.kill(os.getpid(), number)
        time.sleep(60)


class IdleDesk(Desk):
    """Uses quiet moments for `slices` slices of work after every request."""

    def __init__(self, slices):
        super().__init__()
        self.slices = slices
        self.left = slices
        self.done = 0
        self.waited_s = []
        self.answered_at = time.monotonic()

    def answer(self, request):
        try:
            return super().answer(request)
        finally:
            self.left = self.slices
            self.answered_at = time.monotonic()

    def idle(self):
        if self.left == self.slices:
            self.waited_s.append(time.monotonic() - self.answered_at)
        self.left -= 1
        self.done += 1
        return self.left > 0

    def report(self):
        return self.done, self.waited_s


class BrokenIdleDesk(IdleDesk):
    def idle(self):
        self.done += 1
        raise RuntimeError("no background today")


class BeatingDesk(Desk):
    """Writes to a file in every quiet moment for as long as this process lives."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def idle(self):
        with Path(self.path).open("a") as file:
            file.write(".")
        time.sleep(0.02)
        return True


class DeafDesk(Desk):
    def __init__(self):
        super().__init__()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def refused_desk():
    raise InputError("There is no desk: buy one.")


def broken_desk():
    raise ZeroDivisionError("no legs")


def start_and_vanish(path):
    """For a parent that dies: start a service, wait for its first beat, go without goodbye."""
    ChildService.start(BeatingDesk, path)
    while not Path(path).exists():
        time.sleep(0.01)
    os._exit(0)
