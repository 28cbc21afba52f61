"""Projects of every older version, and of a newer one."""

import os
import sqlite3

import pytest
from image_files import FileImage
from test_store import of_version_1

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations
from napari_cryoml.project import Project
from napari_cryoml.project._schema import VERSION, definitions, expected_definitions, statements


def of_version(path, version):
    """Write a project as a version did."""
    connection = sqlite3.connect(of_version_1(path), isolation_level=None)
    for statement in statements(since=1, version=version):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    return path


def version_of(path):
    connection = sqlite3.connect(path)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    assert definitions(connection) == expected_definitions(version)
    connection.close()
    return version


older = pytest.mark.parametrize("version", range(1, VERSION))


@older
def test_an_older_project_is_migrated_on_a_copy(project_path, version):
    before = of_version(project_path, version).read_bytes()
    with Project.open(project_path) as project:
        assert project.counts() == {"a": (1, 1), "b": (0, 0)}
        assert project.picks("a").positions.tolist() == [[1.0, 2.0]]
        assert project.redo().images == ("b",)
        project.annotate("a", add=Annotations.of_positives([[5.0, 5.0]]))
    kept = project_path.with_name(f"test.cryoml.v{version}.bak")
    assert sorted(project_path.parent.iterdir()) == [project_path, kept]
    assert kept.read_bytes() == before
    assert (version_of(kept), version_of(project_path)) == (version, VERSION)
    with Project.open(project_path) as project:
        assert project.counts()["a"] == (2, 1)


def test_an_older_copy_that_is_there_is_not_replaced(project_path):
    for _ in range(2):
        project_path.unlink(missing_ok=True)
        Project.open(of_version(project_path, 3)).close()
    names = sorted(path.name for path in project_path.parent.iterdir())
    assert names == ["test.cryoml", "test.cryoml.v3-2.bak", "test.cryoml.v3.bak"]


def test_the_old_file_can_be_put_back(project_path):
    Project.open(of_version(project_path, 2)).close()
    project_path.with_name("test.cryoml.v2.bak").replace(project_path)
    with Project.open(project_path) as project:
        assert project.counts()["a"] == (1, 1)


def test_a_disk_without_links_gets_a_second_copy(project_path, monkeypatch):
    def refuse(*_):
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    Project.open(of_version(project_path, 3)).close()
    assert version_of(project_path.with_name("test.cryoml.v3.bak")) == 3
    assert version_of(project_path) == VERSION


def test_a_link_to_a_project_stays_a_link(project_path, tmp_path):
    real = of_version(tmp_path / "real.cryoml", 3)
    project_path.symlink_to(real)
    Project.open(project_path).close()
    assert project_path.is_symlink()
    assert version_of(real) == VERSION


@pytest.mark.parametrize("when", ["mkstemp", "link", "replace"])
def test_a_copy_that_cannot_be_written_costs_nothing(project_path, monkeypatch, when):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    before = of_version(project_path, 3).read_bytes()
    with monkeypatch.context() as patch:
        if when == "mkstemp":
            patch.setattr("tempfile.mkstemp", full)
        elif when == "link":
            patch.setattr(os, "link", full)
            patch.setattr("napari_cryoml.project._migration._to_disk", full)
        else:
            patch.setattr("pathlib.Path.replace", full)
        with pytest.raises(InputError, match="of an older version, and its copy"):
            Project.open(project_path)
    assert project_path.read_bytes() == before
    assert not [path for path in project_path.parent.iterdir() if path.name.startswith(".")]
    Project.open(project_path).close()
    assert version_of(project_path) == VERSION


def test_a_newer_project_is_refused_and_left_alone(project_path, tmp_path):
    with Project.create(project_path) as project:
        project.add_images([FileImage("b", tmp_path / "b")])
    connection = sqlite3.connect(project_path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    before = project_path.read_bytes()
    for how in (False, None, True):
        with pytest.raises(InputError, match=r"newer napari-cryoml .*: update napari-cryoml"):
            Project.open(project_path, read_only=how)
    assert project_path.read_bytes() == before
