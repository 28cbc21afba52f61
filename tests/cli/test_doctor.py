import json
import subprocess
from collections import namedtuple

import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.cli import _checks
from napari_cryoml.jobs import ClusterAbout

Usage = namedtuple("Usage", "total used free")


def by_name(found):
    return {finding.name: finding for finding in found}


@pytest.fixture
def no_display(monkeypatch):
    monkeypatch.setattr(_checks, "has_display", lambda: False)


def test_every_check_says_what_is_there(shell, no_display):
    said = shell("doctor", "--json")
    names = [finding["name"] for finding in said.json["findings"]]
    assert names[:4] == ["Python", "Libraries", "Qt", "Plugin"]
    assert {"Threads", "Memory", "GPU", "Display"} <= set(names)
    assert all(finding["found"] for finding in said.json["findings"])
    assert said.json["problems"] == []
    assert said.code == 0


def test_a_note_or_problem_comes_with_advice(no_display):
    for finding in _checks.findings():
        assert (finding.state == "ok") == (finding.advice == "")


def test_a_report_is_what_was_said(shell, no_display, tmp_path):
    path = tmp_path / "report.txt"
    said = shell("doctor", "--report", path)
    assert said.code == 0
    assert path.read_text() == said.err
    assert "ok      Python: napari-cryoml" in said.err


def test_a_problem_fails_the_command(shell, no_display, monkeypatch):
    monkeypatch.setattr(_checks, "_version", lambda name: None)
    said = shell("doctor", "--json")
    assert said.code == 1
    assert "Libraries" in said.json["problems"]
    assert "Qt" in said.json["problems"]


def test_several_bindings_are_a_note(monkeypatch):
    monkeypatch.setattr(_checks, "_version", lambda name: "6.8")
    assert _checks._binding().state == "note"


@pytest.mark.parametrize(
    ("about", "state", "word"),
    [
        ({"qt": "PyQt6", "opengl": "4.5", "renderer": "NVIDIA"}, "ok", "NVIDIA"),
        ({"qt": "PyQt6", "opengl": "4.5", "renderer": "llvmpipe"}, "note", "llvmpipe"),
        ({"qt": "PyQt6"}, "problem", "PyQt6"),
    ],
)
def test_a_display_is_judged_by_its_opengl(monkeypatch, about, state, word):
    done = subprocess.CompletedProcess([], 0, stdout="a warning\n" + json.dumps(about) + "\n")
    monkeypatch.setattr(_checks, "has_display", lambda: True)
    monkeypatch.setattr(subprocess, "run", lambda *args, **options: done)
    finding = _checks._display()
    assert (finding.state, word in finding.found) == (state, True)


def test_a_display_that_ends_the_process_is_a_problem(monkeypatch):
    def fail(*args, **options):
        raise subprocess.CalledProcessError(-6, "qt", stderr="no such plugin: xcb\n")

    monkeypatch.setattr(_checks, "has_display", lambda: True)
    monkeypatch.setattr(subprocess, "run", fail)
    finding = _checks._display()
    assert finding.state == "problem"
    assert "no such plugin: xcb" in finding.found


def test_little_disk_is_a_note(monkeypatch, tmp_path):
    monkeypatch.setattr(_checks.shutil, "disk_usage", lambda path: Usage(9, 9, 2**30))
    finding = _checks._disk("things", tmp_path / "not" / "yet")
    assert (finding.state, "1.0 GiB free" in finding.found) == ("note", True)


def test_a_folder_without_permission_is_a_problem(monkeypatch, tmp_path):
    monkeypatch.setattr(_checks.os, "access", lambda path, mode: False)
    assert _checks._disk("things", tmp_path).state == "problem"


def test_a_scheduler_is_looked_at(monkeypatch):
    about = ClusterAbout("tcp://n:1", 2, 4, 1, 8.0)
    monkeypatch.setattr(_checks, "look_at_cluster", lambda config: about)
    finding = _checks._cluster("tcp://n:1")
    assert finding.state == "ok"
    assert finding.found == "2 workers, 1 with a GPU, 4 at a time, at tcp://n:1."


def test_a_scheduler_that_is_silent_is_a_problem(monkeypatch):
    def silent(config):
        raise InputError("No Dask scheduler answered.")

    monkeypatch.setattr(_checks, "look_at_cluster", silent)
    assert _checks._cluster("tcp://n:1").state == "problem"
