"""Pieces of work small enough to look through; workers import them by name."""

import os
import signal
from pathlib import Path

from napari_cryoml._errors import InputError


def square(number):
    return number * number


def square_but_three(number):
    if number == 3:
        raise InputError("Three cannot be squared: give another number.")
    return number * number


def third_time_lucky(path):
    """Fail twice, which a file remembers."""
    tries = len(Path(path).read_text()) if Path(path).exists() else 0
    Path(path).write_text("x" * (tries + 1))
    if tries < 2:
        raise OSError("the disk hiccups")
    return tries + 1


def kill_once(path):
    """Take the worker along the first time."""
    if not Path(path).exists():
        Path(path).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def die_at_zero(number):
    if number == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


class Scale:
    """Work with something large to carry along."""

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, number):
        return self.factor * number
