import os
import shutil
import sys

import numpy as np
import pytest
from image_files import FileImage

import napari_cryoml.io
from napari_cryoml._errors import InputError
from napari_cryoml.data import ArrayImage
from napari_cryoml.project import Project


def test_images_come_back_in_order_after_reopening(project, project_path, tmp_path, shape):
    project.close()
    with Project.open(project_path) as again:
        entries = again.images()
    assert [entry.name for entry in entries] == ["a", "b"]
    assert entries[0].shape == shape
    assert entries[0].ndim == len(shape)
    assert entries[0].pixel_size == 1.5
    assert entries[0].path == tmp_path / "a"


def test_only_new_images_are_added(project, tmp_path):
    same = FileImage.make(tmp_path, "a")
    new = FileImage("c", tmp_path / "c", pixel_size=None)
    assert [entry.name for entry in project.add_images([same, new, new])] == ["c"]
    assert [entry.name for entry in project.images()] == ["a", "b", "c"]
    assert project.image("c").pixel_size is None
    assert project.add_images([]) == []


def test_second_file_of_one_name_is_refused_and_nothing_is_added(project, tmp_path):
    other = FileImage.make(tmp_path / "elsewhere", "a")
    with pytest.raises(InputError, match="Two images are called 'a'"):
        project.add_images([FileImage.make(tmp_path, "c"), other])
    assert [entry.name for entry in project.images()] == ["a", "b"]


def test_slices_of_one_file_are_images_of_their_own(project, tmp_path):
    slices = [FileImage(f"stack#{i}", tmp_path / "stack") for i in range(3)]
    assert len(project.add_images(slices)) == 3


def test_images_without_a_file_or_of_odd_rank_are_refused(project, tmp_path):
    with pytest.raises(InputError, match="memory only"):
        project.add_images([ArrayImage(np.zeros((4, 4)))])
    with pytest.raises(InputError, match="4 axes"):
        project.add_images([FileImage("t", tmp_path / "t", (1, 2, 3, 4))])


def test_unknown_image_is_a_sentence(project):
    for call in (project.image, project.annotations, project.picks, project.locate):
        with pytest.raises(InputError, match="no image 'nope'"):
            call("nope")


def test_moved_and_copied_folders_find_their_own_images(tmp_path):
    folder = tmp_path / "before"
    image = FileImage.make(folder / "images", "a")
    with Project.create(folder / "p.cryoml") as project:
        project.add_images([image])
        assert project.locate("a") == image.path
    shutil.copytree(folder, tmp_path / "copy")
    folder.rename(tmp_path / "after")
    for place in ("copy", "after"):
        with Project.open(tmp_path / place / "p.cryoml") as project:
            assert project.locate(project.image("a")) == tmp_path / place / "images" / "a"
            assert project.add_images([FileImage.make(tmp_path / place / "images", "a")]) == []


def test_moved_project_file_finds_images_where_they_were(tmp_path):
    image = FileImage.make(tmp_path / "images", "a")
    with Project.create(tmp_path / "p.cryoml") as project:
        project.add_images([image])
    moved = tmp_path / "deep" / "down" / "p.cryoml"
    moved.parent.mkdir(parents=True)
    (tmp_path / "p.cryoml").rename(moved)
    with Project.open(moved) as project:
        assert project.locate("a") == image.path


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_links_keep_their_names(project, tmp_path):
    target = FileImage.make(tmp_path / "raw", "FoilHole_1").path
    link = tmp_path / "linked"
    link.symlink_to(target)
    project.add_images([FileImage("linked", link)])
    assert project.locate("linked") == link


def test_missing_file_is_a_sentence_until_it_is_relocated(project, tmp_path):
    new = tmp_path / "elsewhere" / "renamed"
    new.parent.mkdir()
    (tmp_path / "a").rename(new)
    with pytest.raises(InputError, match="no longer at"):
        project.locate("a")
    with pytest.raises(InputError, match="There is no file"):
        project.relocate("a", tmp_path / "nothing")
    entry = project.relocate("a", os.fspath(new))
    assert entry.path == new
    assert project.locate("a") == new


def test_relative_way_is_kept_with_slashes(project):
    rows = project._store.rows("SELECT relative FROM images ORDER BY id")
    assert rows == [("a",), ("b",)]


def test_sources_are_opened_by_name_and_checked(project, tmp_path, monkeypatch, shape):
    files = {"a": [FileImage("a", tmp_path / "a", shape)], "b": [FileImage("b", None, (1, 1))]}
    monkeypatch.setattr(
        napari_cryoml.io, "open_images", lambda paths: files[paths[0].name], raising=False
    )
    assert project.source("a") is files["a"][0]
    with pytest.raises(InputError, match=r"had shape \(40, 50\).*\(1, 1\) now"):
        project.source(project.image("b"))


def test_sources_of_a_stack_are_told_apart(project, tmp_path, monkeypatch):
    slices = [FileImage(f"stack#{i}", FileImage.make(tmp_path, "stack").path) for i in range(3)]
    project.add_images(slices)
    monkeypatch.setattr(napari_cryoml.io, "open_images", lambda paths: slices, raising=False)
    assert project.source("stack#1") is slices[1]
    del slices[1]
    with pytest.raises(InputError, match="no image 'stack#1' in"):
        project.source("stack#1")


@pytest.mark.parametrize("text", ["[]", "[1, -2]", "{}", "no json", "[1.5, 2]", "[[1], 2]"])
def test_damaged_shape_is_a_sentence(project, text):
    project._store.write("UPDATE images SET shape = ?", text)
    with pytest.raises(InputError, match=r"list of images .* is damaged"):
        project.images()


def test_real_files_and_stacks_are_read_through_io(project_path, tmp_path):
    stack = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    napari_cryoml.io.write_mrc(tmp_path / "one.mrc", stack[0], 1.5)
    napari_cryoml.io.write_mrc(tmp_path / "many.mrcs", stack, 1.5)
    with Project.create(project_path) as project:
        found = napari_cryoml.io.open_images([tmp_path / "one.mrc", tmp_path / "many.mrcs"])
        names = [entry.name for entry in project.add_images(found)]
        pixels = [project.source(name).read() for name in names]
    assert len(names) == 3
    assert np.array_equal(pixels, [stack[0], *stack])
