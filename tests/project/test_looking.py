"""A project that is only looked at: open elsewhere, in a folder of others, or by choice."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from image_files import FileImage
from test_store import labelled, of_version_1, opened_elsewhere

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, Picks
from napari_cryoml.project import Project, Relabel

LABEL = Annotations.of_positives([[1.0, 2.0]])
LOOK = """
import os
import sys
from napari_cryoml.project import Project
if sys.argv[2] == "nobody" and os.geteuid() == 0:  # root may write anywhere
    os.setuid(65534)
with Project.open(sys.argv[1], read_only=None) as project:
    print(project.read_only, sum(n for n, _ in project.counts().values()), project.why_read_only)
"""
HOLD = """
import sys
from napari_cryoml.data import Annotations
from napari_cryoml.project import Project
project = Project.open(sys.argv[1])
print("open", flush=True)
if sys.argv[2] == "half":
    project._store._begin()
    project._store._connection.execute("PRAGMA cache_size = 1")
    for number in range(2000):
        project._store._connection.execute(
            "INSERT INTO settings VALUES (?, ?)", (f"key {number}", "1" * 1000)
        )
    print("half", flush=True)
sys.stdin.read()
"""


def looked_at(path, *, as_nobody=False):
    who = "nobody" if as_nobody else "self"
    command = [sys.executable, "-c", LOOK, str(path), who]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    read_only, count, *why = done.stdout.strip().split(" ", 2)
    return read_only == "True", int(count), "".join(why)


def held(path, how="whole"):
    """Return another process that has the project open, with a transaction half done or not."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    for _ in range(2 if how == "half" else 1):
        process.stdout.readline()
    return process


def test_nobody_else_needs_to_look(project_path):
    assert looked_at(labelled(project_path)) == (False, 1, "")


@pytest.mark.parametrize("how", ["whole", "half"])
def test_a_project_open_in_another_process_is_shown_as_it_was(project_path, how):
    labelled(project_path, 3)
    with held(project_path, how) as process:
        with Project.open(project_path, read_only=None) as project:
            assert project.read_only
            assert "open in another window or program" in project.why_read_only
            assert project.counts() == {"b": (3, 0)}
            assert project.setting("key 1") is None
        assert "open in another window" in opened_elsewhere(project_path)
        process.kill()
    with Project.open(project_path) as project:
        assert project.setting("key 1") is None
        assert not project.read_only


def test_a_project_open_in_this_process_keeps_its_lock(project_path):
    with Project.open(labelled(project_path)) as first:
        with Project.open(project_path, read_only=None) as second:
            assert second.read_only
            first.annotate("b", add=LABEL)
            assert (first.counts()["b"], second.counts()["b"]) == ((2, 0), (1, 0))
        assert looked_at(project_path)[:2] == (True, 2)
        with Project.open(project_path, read_only=True) as third:
            assert third.counts()["b"] == (2, 0)
        first.annotate("b", add=LABEL)
    assert looked_at(project_path) == (False, 3, "")


@pytest.mark.parametrize(
    "change",
    [
        lambda project: project.annotate("b", add=LABEL),
        lambda project: project.annotate_many({"b": Relabel(add=LABEL)}),
        lambda project: project.undo(),
        lambda project: project.classify(["x"], "junk"),
        lambda project: project.set_setting("a", 1),
        lambda project: project.set_setting("a", 1, undoable=True),
        lambda project: project.add_model(b"weights", {}),
        lambda project: project.set_picks("b", Picks("b", [[1.0, 2.0]])),
        lambda project: project.clear_picks(),
        lambda project: project.add_images([FileImage("c", project.path)]),
        lambda project: project.relocate("b", project.path),
        lambda project: project.check_writable(),
    ],
)
def test_every_change_is_refused_in_one_sentence(project_path, change):
    with Project.open(labelled(project_path), read_only=True) as project:
        with pytest.raises(InputError, match="opened to look at it: open it again") as caught:
            change(project)
        assert str(caught.value).count("\n") == 0
        assert project.counts() == {"b": (1, 0)}
        assert project.can_undo


def test_looking_leaves_nothing_behind(project_path):
    before = labelled(project_path).read_bytes()
    project = Project.open(project_path, read_only=True)
    copy = project._store._snapshot.path
    assert copy.exists()
    project.close()
    project.close()
    assert not copy.exists()
    assert project_path.read_bytes() == before
    assert list(project_path.parent.iterdir()) == [project_path]


def test_an_older_project_is_looked_at_without_a_change(project_path):
    before = of_version_1(project_path).read_bytes()
    with Project.open(project_path, read_only=True) as project:
        assert project.counts() == {"a": (1, 1), "b": (0, 0)}
        assert project.embeddings() == []
    assert project_path.read_bytes() == before
    assert list(project_path.parent.iterdir()) == [project_path]


@pytest.mark.parametrize("how", [True, None])
def test_what_is_no_project_cannot_be_looked_at(project_path, how):
    with pytest.raises(InputError, match="There is no project"):
        Project.open(project_path, read_only=how)
    project_path.write_bytes(b"something else")
    with pytest.raises(InputError, match="is not a napari-cryoml project"):
        Project.open(project_path, read_only=how)


def test_a_project_that_is_written_to_all_the_time_is_a_sentence(project_path, monkeypatch):
    from napari_cryoml.project import _snapshot

    numbers = iter(range(10_000))
    monkeypatch.setattr(_snapshot, "_state", lambda parts: [next(numbers)])
    monkeypatch.setattr(_snapshot, "_PATIENCE_S", 0.1)
    with pytest.raises(InputError, match="written to without a pause"):
        Project.open(labelled(project_path), read_only=True)


@pytest.fixture
def open_folder():
    """A folder that other users can get to."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "others"
        (Path(folder) / "others").chmod(0o755)


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="rights work otherwise on Windows")
@pytest.mark.parametrize("journal", [False, True])
def test_a_folder_that_cannot_be_written_is_looked_at(open_folder, journal):
    open_folder.mkdir()
    path = labelled(open_folder / "p.cryoml", 2)
    if journal:  # the program that wrote it has crashed in the middle
        with held(path, "half") as process:
            process.kill()
        assert (open_folder / "p.cryoml-journal").stat().st_size > 0
    for each in open_folder.iterdir():
        each.chmod(0o444)
    open_folder.chmod(0o555)
    read_only, count, why = looked_at(path, as_nobody=True)
    assert (read_only, count) == (True, 2)
    assert "cannot be written: copy it to a folder of yours" in why


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_a_link_to_a_project_is_looked_at_with_the_journal_of_the_file(project_path, tmp_path):
    (tmp_path / "deep").mkdir()
    project_path.symlink_to(labelled(tmp_path / "deep" / "real.cryoml", 2))
    with held(project_path, "half") as process:
        with Project.open(project_path, read_only=None) as project:
            assert project.read_only
            assert project.counts() == {"b": (2, 0)}
            assert project.setting("key 1") is None
        process.kill()
