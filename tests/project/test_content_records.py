import shutil

import numpy as np
import pytest

import napari_cryoml.io as io
from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, Picks
from napari_cryoml.project import Project
from napari_cryoml.project._image_contents import content_of, size_of

SHAPE = (30, 40)


def pixels(seed):
    return np.random.default_rng(seed).normal(size=SHAPE).astype(np.float32)


@pytest.fixture
def moving(tmp_path):
    """A project with three images, labels in each, whose contents are noted."""
    folder = tmp_path / "images"
    folder.mkdir()
    for seed, name in enumerate("abc"):
        io.write_mrc(folder / f"{name}.mrc", pixels(seed), 1.5)
    with Project.create(tmp_path / "p.cryoml") as project:
        project.add_images(io.open_images([folder]))
        for number, name in enumerate("abc"):
            project.annotate(f"{name}.mrc", add=Annotations.of_positives([[number, number]]))
        project.set_picks("a.mrc", Picks("a.mrc", [[3.0, 4.0]]))
        assert project.note_contents() == 3
        yield project, folder


def test_renamed_files_are_found_by_what_they_hold(moving, tmp_path):
    project, folder = moving
    new = tmp_path / "archive" / "2026"
    new.mkdir(parents=True)
    for was, now in {"a": "one", "b": "a", "c": "b"}.items():  # names that mislead
        (folder / f"{was}.mrc").rename(new / f"{now}.mrc")
    io.write_mrc(new / "other.mrc", pixels(9), 1.5)
    assert [entry.name for entry in project.missing_images()] == ["a.mrc", "b.mrc", "c.mrc"]
    found = project.relink(tmp_path / "archive")
    assert {name: path.name for name, path in found.items()} == {
        "a.mrc": "one.mrc",
        "b.mrc": "a.mrc",
        "c.mrc": "b.mrc",
    }
    for seed, name in enumerate("abc"):
        source = project.source(f"{name}.mrc")
        assert source.name == f"{name}.mrc"
        assert np.array_equal(source.read(), pixels(seed))
        assert project.annotations(f"{name}.mrc").positions.tolist() == [[seed, seed]]
    assert project.picks("a.mrc").positions.tolist() == [[3.0, 4.0]]
    assert project.missing_images() == []
    assert project.relink(tmp_path / "archive") == {}


def test_images_that_are_there_are_left_alone(moving, tmp_path):
    project, folder = moving
    shutil.copytree(folder, tmp_path / "copy")
    (folder / "b.mrc").unlink()
    assert project.relink(tmp_path / "copy") == {"b.mrc": tmp_path / "copy" / "b.mrc"}
    assert project.locate("a.mrc") == folder / "a.mrc"


def test_other_content_of_the_same_name_and_size_is_not_taken(moving, tmp_path):
    project, folder = moving
    (folder / "a.mrc").unlink()
    (tmp_path / "new").mkdir()
    io.write_mrc(tmp_path / "new" / "a.mrc", pixels(7), 1.5)
    assert project.relink(tmp_path / "new") == {}
    with pytest.raises(InputError, match="no longer at"):
        project.locate("a.mrc")


def test_copies_of_one_content_go_each_to_the_image_of_their_name(tmp_path):
    folder, new = tmp_path / "images", tmp_path / "new"
    for place in (folder, new):
        place.mkdir()
    for name in ("x", "y"):
        io.write_mrc(folder / f"{name}.mrc", pixels(1))
        io.write_mrc(new / f"{name}.mrc", pixels(1))
    with Project.create(tmp_path / "p.cryoml") as project:
        project.add_images(io.open_images([folder]))
        project.note_contents()
        shutil.rmtree(folder)
        assert project.relink(new) == {"x.mrc": new / "x.mrc", "y.mrc": new / "y.mrc"}
        (new / "x.mrc").unlink()
        (new / "y.mrc").rename(new / "z.mrc")
        assert list(project.relink(new).values()) == [new / "z.mrc"]


def test_a_renamed_stack_gives_each_image_its_own_slice(tmp_path):
    stack = np.stack([pixels(seed) for seed in range(12)])
    io.write_mrc(tmp_path / "old.mrcs", stack)
    with Project.create(tmp_path / "p.cryoml") as project:
        project.add_images(io.open_images([tmp_path / "old.mrcs"]))
        assert project.note_contents() == 12
        (tmp_path / "deep").mkdir()
        (tmp_path / "old.mrcs").rename(tmp_path / "deep" / "new.mrcs")
        assert len(project.relink(tmp_path)) == 12
        for number in (1, 11):
            source = project.source(f"old.mrcs#{number}")
            assert source.name == f"old.mrcs#{number}"
            assert np.array_equal(source.read(), stack[number])


def test_a_folder_that_stands_for_an_image_is_found(tmp_path):
    import zarr

    was = tmp_path / "t.zarr"
    zarr.save_array(str(was), pixels(3))
    with Project.create(tmp_path / "p.cryoml") as project:
        project.add_images(io.open_images([was]))
        project.note_contents()
        (tmp_path / "deep").mkdir()
        was.rename(tmp_path / "deep" / "u.zarr")
        assert project.relink(tmp_path) == {"t.zarr": tmp_path / "deep" / "u.zarr"}


def test_what_is_known_is_not_read_again_and_what_is_gone_is_left_out(moving):
    project, folder = moving
    assert project.note_contents() == 0
    io.write_mrc(folder / "d.mrc", pixels(5))
    project.add_images([io.open_image(folder / "d.mrc")])
    (folder / "d.mrc").unlink()
    assert project.note_contents() == 0


def test_a_file_that_was_put_in_by_hand_is_known_by_what_it_holds(moving, tmp_path):
    project, folder = moving
    io.write_mrc(tmp_path / "chosen.mrc", pixels(8))
    project.relocate("a.mrc", tmp_path / "chosen.mrc")
    assert project.note_contents() == 1
    (tmp_path / "later").mkdir()
    (tmp_path / "chosen.mrc").rename(tmp_path / "later" / "again.mrc")
    (folder / "a.mrc").unlink()
    assert list(project.relink(tmp_path)) == ["a.mrc"]


def test_no_folder_is_a_sentence(moving, tmp_path):
    with pytest.raises(InputError, match="There is no folder"):
        moving[0].relink(tmp_path / "nowhere")


def test_a_digest_depends_on_size_beginning_middle_and_end(tmp_path):
    data = bytearray(3_000_000)
    seen = set()
    for change in (None, 0, 1_258_300, len(data) - 1):
        new = bytearray(data)
        if change is not None:
            new[change] = 1
        (tmp_path / "file").write_bytes(new)
        seen.add(content_of(tmp_path / "file"))
    (tmp_path / "file").write_bytes(data + b"\0")
    seen.add(content_of(tmp_path / "file"))
    assert len(seen) == 5


@pytest.mark.parametrize("content", [b"", b"x"])
def test_small_files_and_empty_folders_have_a_content(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    assert content_of(tmp_path / "file").size == size_of(tmp_path / "file") == len(content)
    (tmp_path / "folder").mkdir()
    assert content_of(tmp_path / "folder").size == 0
