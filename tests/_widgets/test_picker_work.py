import sys
from dataclasses import dataclass

import numpy as np
import pytest

from napari_cryoml._widgets.picker import _work
from napari_cryoml.data import Picks, ScoreMap
from napari_cryoml.jobs import ChildJob, Command, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign(Event):
    step: int
    loss: float
    validation: float | None
    device: str = "CPU"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignImage(Event):
    image: str
    picks: Picks
    score_map: ScoreMap


def test_events_are_translated_and_the_result_comes_back():
    def job():
        yield Event(done=0, total=2, message="Reading.")
        yield Foreign(done=1, total=2, step=7, loss=0.5, validation=0.25)
        yield ForeignImage(
            done=2,
            total=2,
            image="a",
            picks=Picks("a", np.zeros((0, 2))),
            score_map=ScoreMap(np.zeros((1, 1)), np.ones(2), np.zeros(2)),
        )
        return "result"

    events = []

    def collect():
        events.append((yield from _work.translated(job())))

    kinds = [type(event) for event in collect()]
    assert kinds == [Event, _work.TrainingStep, _work.ImageDone]
    assert events == ["result"]


def test_a_stop_reaches_the_job():
    def job():
        for number in range(100):
            if (yield Event(done=number, total=100)) is Command.STOP:
                return number
        return None

    running = _work.translated(job())
    next(running)
    next(running)
    with pytest.raises(StopIteration) as end:
        running.send(Command.STOP)
    assert end.value.value == 1


def report_modules():
    yield Event(done=1, total=1, message=" ".join(sys.modules))


def test_reading_the_events_needs_no_torch(tmp_path):
    code = (
        "import sys; from napari_cryoml._widgets.picker import _work; "
        "print([m for m in ('torch', 'qtpy', 'napari', 'PyQt6') if m in sys.modules])"
    )
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_bad_request_ends_in_one_sentence(tmp_path):
    job = ChildJob.start(_work.pick, [], tmp_path / "none", device="cpu")
    job.wait(120)
    assert job.state == "failed"
    assert "none" in job.error
    assert "Traceback" not in job.error
