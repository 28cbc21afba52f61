"""Kill a real window while somebody labels in it."""

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from napari_cryoml import io
from napari_cryoml.project import DIAMETER, Project

pytestmark = [pytest.mark.slow, pytest.mark.viewer]
SCRIPT = Path(__file__).with_name("crash_window.py")


def killed(path, seconds):
    """Return the labels that the window had told, and killed it some time after the first."""
    command = [sys.executable, str(SCRIPT), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        told = [process.stdout.readline()]
        time.sleep(seconds)
        process.kill()
        told += process.stdout.readlines()
    return [line.split() for line in told if line.endswith("\n")]


@pytest.mark.timeout(600)
def test_a_window_that_is_killed_loses_no_label(tmp_path):
    io.write_mrc(tmp_path / "a.mrc", np.random.default_rng(0).normal(size=(200, 200)))
    path, rng = tmp_path / "picker.cryoml", random.Random(0)
    with Project.create(path) as project:
        project.add_images(io.open_images([tmp_path / "a.mrc"]))
        project.set_setting(DIAMETER, 1.0)
    for _ in range(5):
        told = killed(path, rng.uniform(0, 2))
        assert told
        with Project.open(path) as project:
            kept = project.annotations("a.mrc").positions
            # The window may have gone on by one label, or be in between undo and redo.
            assert abs(len(kept) - int(told[-1][0])) <= 1
            for number, place in told[-20:-1]:
                assert np.allclose(kept[int(number) - 1], [float(n) for n in place.split(",")])
            if project.can_redo:
                project.redo()
            before = len(project.annotations("a.mrc"))
            assert project.undo() is not None
            assert len(project.annotations("a.mrc")) == before - 1
            project.redo()
