import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.io import open_images, write_mrc


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "movies" / "sub").mkdir(parents=True)
    for name in ("movies/b.mrc", "movies/a.mrc", "movies/sub/c.mrc"):
        write_mrc(tmp_path / name, np.zeros((4, 5), np.float32), 1.0)
    return tmp_path


def names(path):
    return [image.name for image in open_images(path)]


def test_lines_are_paths_in_their_order(folder):
    path = folder / "list.txt"
    path.write_text("# those of Tuesday\n\nmovies/b.mrc\n  movies/a.mrc  \nmovies/b.mrc\n")
    assert names(path) == ["b.mrc", "a.mrc"]


def test_lines_may_be_absolute_or_stacks_and_folders(folder):
    path = folder / "elsewhere.lst"
    path.write_text(f"{folder / 'movies' / 'sub'}\n{folder / 'movies' / 'a.mrc'}\n")
    assert names(path) == ["c.mrc", "a.mrc"]


def test_paths_of_a_star_file_start_from_its_project(folder):
    job = folder / "CtfFind" / "job003"
    job.mkdir(parents=True)
    rows = "movies/a.mrc 1.5\nmovies/sub/c.mrc 1.2\n"
    path = job / "micrographs_ctf.star"
    path.write_text(
        "data_optics\n\nloop_\n_rlnOpticsGroup\n1\n\ndata_micrographs\n\nloop_\n"
        f"_rlnMicrographName\n_rlnCtfMaxResolution\n{rows}"
    )
    assert names(path) == ["a.mrc", "c.mrc"]


def test_paths_may_start_from_the_working_directory(folder, tmp_path_factory, monkeypatch):
    path = tmp_path_factory.mktemp("other") / "list.txt"
    path.write_text("movies/a.mrc\n")
    monkeypatch.chdir(folder)
    assert names(path) == ["a.mrc"]


def test_a_named_image_that_is_not_there_is_said(folder):
    path = folder / "list.txt"
    path.write_text("movies/a.mrc\nmovies/gone.mrc\n")
    with pytest.raises(InputError, match=r"gone\.mrc"):
        open_images(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("empty.txt", "# nothing\n"),
        ("other.star", "data_\n\nloop_\n_rlnVoltage\n300\n"),
    ],
)
def test_a_list_without_images_says_what_was_expected(folder, name, text):
    (folder / name).write_text(text)
    with pytest.raises(InputError, match="names no image: a path a line was expected"):
        open_images(folder / name)


def test_a_list_that_names_itself_is_refused(folder):
    path = folder / "list.txt"
    path.write_text("list.txt\n")
    with pytest.raises(InputError, match=r"names another list, list\.txt"):
        open_images(path)
