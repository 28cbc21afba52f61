"""Jobs small enough to look through; child processes import them by name."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml.jobs import ChildJob, Command, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayEvent(Event):
    values: np.ndarray


def count(n, pause=0.0):
    """Count to n, or as far as it gets; return how far that was."""
    for i in range(n):
        if (yield Event(done=i + 1, total=n)) is Command.STOP:
            yield Event(done=i + 1, total=n, message="stopped")
            return i + 1
        time.sleep(pause)
    return n


def send_arrays(sizes):
    for i, size in enumerate(sizes):
        yield ArrayEvent(done=i + 1, total=len(sizes), values=np.arange(size))
    return sum(sizes)


def total_of(array):
    yield Event(done=1, total=1)
    return float(array.sum())


def surroundings():
    yield Event(done=0, total=1)
    return {
        "omp": os.environ.get("OMP_NUM_THREADS"),
        "waiting": os.environ.get("OMP_WAIT_POLICY"),
        "path": sys.path,
        "main": getattr(sys.modules["__main__"], "__file__", None),
        "modules": sorted(sys.modules),
    }


def talk():
    print("printed line")
    print("é" * 100_000, file=sys.stderr)
    print("last words")
    yield Event(done=1, total=1)
    return sys.stdin.read()


def refuse():
    yield Event(done=0, total=0)
    raise InputError("The image is upside down: turn it.")


def stumble():
    yield Event(done=0, total=0)
    return {}["missing"]


def run_out_of_memory():
    yield Event(done=0, total=0)
    raise MemoryError


def leave(code):
    yield Event(done=1, total=2)
    print("I am off")
    sys.stdout.flush()
    os._exit(code)


def die_by(number):
    yield Event(done=1, total=2)
    os.kill(os.getpid(), number)
    time.sleep(60)


def return_unpicklable():
    yield Event(done=1, total=1)
    return lambda: None


def return_unreadable():
    yield Event(done=1, total=1)
    return Unreadable()


class Unreadable:
    def __reduce__(self):
        return (_explode, ())


def _explode():
    raise RuntimeError("cannot be rebuilt")


def not_a_job():
    return 3


def beat(path):
    """Write to a file for as long as this process lives."""
    while True:
        with Path(path).open("a") as file:
            file.write(".")
        time.sleep(0.02)
        yield Event(done=0, total=0)


def beat_in_grandchild(path):
    """Start a process that outlives us unless someone ends it, then crash or wait."""
    code = (
        "import time, pathlib\n"
        f"while True:\n    pathlib.Path({str(path)!r}).open('a').write('.'); time.sleep(0.02)"
    )
    subprocess.Popen([sys.executable, "-c", code])
    while not Path(path).exists():
        time.sleep(0.01)
    yield Event(done=1, total=1)
    os.kill(os.getpid(), signal.SIGKILL)


def be_deaf():
    """Ignore the polite signal."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    yield Event(done=0, total=0)
    while True:
        time.sleep(1)


def start_and_vanish(path):
    """For a parent that dies: start a job, wait for its first beat, and go without goodbye."""
    job = ChildJob.start(beat, path)
    while not job.poll():
        time.sleep(0.01)
    os._exit(0)
