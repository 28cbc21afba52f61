"""A disk without room, and a clock that goes backwards."""

import errno
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import torch

from napari_cryoml import checkpoint, io
from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, Picks, PicksTable
from napari_cryoml.project import Project

LABEL = Annotations.of_positives([[1.0, 2.0]])
FILL = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from napari_cryoml import io
from napari_cryoml.data import Annotations, Picks, PicksTable
from napari_cryoml.project import Project
folder, limit = Path(sys.argv[1]), int(sys.argv[2])
project = Project.open(folder / "p.cryoml")
picks = PicksTable.of([Picks("a.mrc", np.ones((100_000, 2)))])
if limit:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
for act in (
    lambda: project.add_model(bytes(5_000_000), {}),
    lambda: io.write_picks(picks, folder / "picks.csv"),
    lambda: io.write_mrc(folder / "map.mrc", np.ones((1000, 1000), np.float32)),
):
    try:
        act()
        print("done")
    except ValueError as error:
        print(type(error).__name__, error)
project.annotate("a.mrc", add=Annotations.of_positives([[3.0, 4.0]]))
"""


def project_in(folder):
    io.write_mrc(folder / "a.mrc", np.zeros((40, 50), np.float32))
    with Project.create(folder / "p.cryoml") as project:
        project.add_images(io.open_images([folder / "a.mrc"]))
        project.annotate("a.mrc", add=LABEL)


def check_refused(folder, limit):
    """Fill the disk of a folder: three sentences, and a project that goes on."""
    before = sorted(folder.iterdir())
    command = [sys.executable, "-c", FILL, str(folder), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = done.stdout.splitlines()
    assert len(said) == 3
    assert all(line.startswith("InputError ") for line in said)
    assert sorted(folder.iterdir()) == before
    with Project.open(folder / "p.cryoml") as project:
        assert project.counts() == {"a.mrc": (2, 0)}
        assert project.models() == []
    return said


@pytest.mark.skipif(sys.platform == "win32", reason="files have no limit of size there")
def test_a_limit_of_size_costs_only_what_does_not_fit(tmp_path):
    project_in(tmp_path)
    check_refused(tmp_path, 1_000_000)


def test_a_full_disk_costs_only_what_does_not_fit(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("a small disk can be mounted by root alone")
    try:
        project_in(disk)
        said = check_refused(disk, 0)
        assert all("full" in line or "space" in line for line in said)
    finally:
        subprocess.run(["umount", str(disk)], check=True)  # noqa: S607


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_fault_of_the_disk_leaves_the_file_from_before(tmp_path, monkeypatch, fault):
    table = PicksTable.of([Picks("a.mrc", [[1.0, 2.0]])])
    writers = {
        "a.star": lambda path: io.write_picks(table, path),
        "a.mrc": lambda path: io.write_mrc(path, np.ones((4, 4))),
        "a.safetensors": lambda path: checkpoint.save(path, {"a": torch.ones(3)}, {}),
    }
    for name, write in writers.items():
        write(tmp_path / name)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    def broken(_):
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr(os, "fsync", broken)
    for name, write in writers.items():
        with pytest.raises(InputError, match=r"written|space"):
            write(tmp_path / name)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_records_are_in_order_though_the_clock_goes_backwards(tmp_path, monkeypatch):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    times = iter(start - timedelta(days=number) for number in range(1000))
    for room in ("_edit_log", "_model_records"):
        monkeypatch.setattr(f"napari_cryoml.project.{room}.now", lambda: next(times))
    project_in(tmp_path)
    with Project.open(tmp_path / "p.cryoml") as project:
        for number in range(5):
            project.annotate("a.mrc", add=Annotations.of_positives([[number, number]]))
            project.add_model(b"%d" % number, {"number": number})
            project.log_job("train", next(times), next(times), "done", {"number": number})
        made = [entry.made for entry in project.models()]
        assert made == sorted(made, reverse=True)
        assert [entry.summary["number"] for entry in project.models()] == [*range(5)]
        assert [entry.summary["number"] for entry in project.jobs()] == [*range(5)]
        assert project.current_model().summary["number"] == 4
        for number in reversed(range(5)):
            assert project.undo().removed.positions.tolist() == [[number, number]]
        assert project.redo().added.positions.tolist() == [[0, 0]]
