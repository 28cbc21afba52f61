import errno
import warnings

import numpy as np
import pytest
from coordinate_tables import assert_same, shapes, table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io import FORMATS, read_picks, write_picks

WRITERS = [
    (name, ndim)
    for name, entry in FORMATS.items()
    for ndim in entry.ndims
    if entry.write is not None and entry.read is not None
]
SCORELESS = {"box", "coords", "imod"}
LOSSY_NAMES = {"dynamo", "motl", "stopgap"}


def written(name, ndim, folder, picks):
    suffix = FORMATS[name].suffixes[0]
    path = folder / ("job" if FORMATS[name].folder else f"picks{suffix}")
    return write_picks(picks, path, format=name, box_size=16, shapes=shapes(ndim))


def read_back(name, ndim, files):
    path = files[0].parent if FORMATS[name].per_image else files[0]
    return read_picks(path, format=name, pixel_size=1.5, shapes=shapes(ndim))


@pytest.mark.parametrize(("name", "ndim"), WRITERS)
def test_each_format_gives_back_what_was_written(tmp_path, name, ndim):
    picks = table(ndim)
    files = written(name, ndim, tmp_path, picks)
    assert files
    assert all(file.is_file() for file in files)
    found = read_back(name, ndim, files)
    tolerance = 1e-4 if name == "cryosparc" else 1e-6
    assert_same(found, picks, atol=tolerance, scores=name not in SCORELESS)


@pytest.mark.parametrize(("name", "ndim"), WRITERS)
def test_each_format_takes_a_single_image_and_says_so_by_its_suffix(tmp_path, name, ndim):
    if FORMATS[name].folder:
        pytest.skip("written as a folder, which has no suffix")
    picks = table(ndim, images=("a.mrc",))
    path = tmp_path / f"a{FORMATS[name].suffixes[0]}"
    by_name = write_picks(picks, path, format=name, box_size=16, shapes=shapes(ndim))
    assert by_name == [path]
    found = read_picks(path, pixel_size=1.5, shapes=shapes(ndim))
    assert found.n_picks == 3
    np.testing.assert_allclose(found.picks[0].positions, picks.picks[0].positions, atol=1e-4)


@pytest.mark.parametrize(("name", "ndim"), WRITERS)
def test_each_format_takes_an_image_without_picks(tmp_path, name, ndim):
    empty = PicksTable((Picks("a.mrc", np.empty((0, ndim)), pixel_size=1.5),))
    files = written(name, ndim, tmp_path, empty)
    with pytest.warns(InputWarning, match="holds no picks"):
        found = read_back(name, ndim, files)
    assert found.n_picks == 0


@pytest.mark.parametrize("name", ["star", "csv", "box", "cbox", "eman-json", "coords"])
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(st.floats(0, 8192, width=32), st.floats(0, 8192, width=32)),
        min_size=1,
        max_size=5,
    )
)
def test_text_formats_keep_any_position(tmp_path, name, rows):
    picks = PicksTable((Picks("a.mrc", np.array(rows, dtype=np.float64)),))
    (path,) = write_picks(picks, tmp_path / f"a{FORMATS[name].suffixes[0]}", box_size=31)
    assert_same(read_picks(path), picks, atol=1e-6)


def test_a_format_that_is_read_only_and_one_that_is_write_only_say_so(tmp_path):
    with pytest.raises(InputError, match="can be read and not written"):
        write_picks(table(2), tmp_path / "a.box", format="helicon")
    (tmp_path / "a.star").write_text("data_\n")
    with pytest.raises(InputError, match="without naming a format"):
        read_picks(tmp_path / "a.star", format="relion5-tomo")


def test_unknown_suffix_missing_file_and_unknown_format_are_one_sentence(tmp_path):
    (tmp_path / "a.xyz").write_text("1 2\n")
    with pytest.raises(InputError, match="give its format"):
        read_picks(tmp_path / "a.xyz")
    with pytest.raises(InputError, match="There is no file"):
        read_picks(tmp_path / "b.star")
    with pytest.raises(InputError, match="choose one of"):
        read_picks(tmp_path / "a.xyz", format="boxes")
    with pytest.raises(InputError, match="give a format"):
        write_picks(table(2), tmp_path / "folder")


def test_a_two_dimensional_format_refuses_tomograms_and_names_others(tmp_path):
    with pytest.raises(InputError, match=r"does not hold 3-D picks: choose one of .*star"):
        write_picks(table(3), tmp_path / "a.box", box_size=10)


def test_json_is_eman_in_2d_and_copick_in_3d(tmp_path):
    write_picks(table(2, images=("a",)), tmp_path / "a.json")
    write_picks(table(3, images=("b",)), tmp_path / "b.json")
    assert '"boxes"' in (tmp_path / "a.json").read_text()
    assert '"points"' in (tmp_path / "b.json").read_text()


def test_several_images_of_a_per_image_format_go_to_a_folder(tmp_path):
    files = write_picks(table(2), tmp_path / "picks.box", box_size=10)
    assert files == [tmp_path / "picks" / "a.box", tmp_path / "picks" / "b.box"]
    assert read_picks(tmp_path / "picks").images == ["a", "b"]


def test_two_images_of_one_stem_do_not_overwrite_each_other(tmp_path):
    picks = table(2, images=("Square_1/x.mrc", "Square_2/x.mrc"))
    with pytest.raises(InputError, match=r"'Square_1/x\.mrc' and 'Square_2/x\.mrc'"):
        write_picks(picks, tmp_path / "out", format="box", box_size=10)


def test_a_folder_with_two_files_for_one_image_is_refused(tmp_path):
    (tmp_path / "a.box").write_text("1 1 2 2\n")
    (tmp_path / "a.coords").write_text("1 1\n")
    with pytest.raises(InputError, match="two files with picks of 'a'"):
        read_picks(tmp_path)
    assert read_picks(tmp_path, format="coords").n_picks == 1


def test_a_folder_without_coordinates_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no coordinate files"):
        read_picks(tmp_path)


def test_a_full_disk_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "a.star"
    path.write_text("old")

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(InputError, match="the disk is full"):
        write_picks(table(2), path)
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.star"]


def test_image_names_the_only_image_of_a_file_and_no_other(tmp_path):
    (tmp_path / "one.csv").write_text("image_name,x,y\np,1,2\n")
    (tmp_path / "two.csv").write_text("image_name,x,y\np,1,2\nq,1,2\n")
    assert read_picks(tmp_path / "one.csv", image="mine").images == ["mine"]
    assert read_picks(tmp_path / "two.csv", image="mine").images == ["p", "q"]


def test_binary_rubbish_under_any_suffix_is_an_input_error(tmp_path):
    rubbish = bytes(range(256)) * 8
    for suffix in {s for entry in FORMATS.values() for s in entry.suffixes}:
        path = tmp_path / f"rubbish{suffix}"
        path.write_bytes(rubbish)
        with pytest.raises(InputError, match="rubbish"):
            read_picks(path)


def test_every_coordinate_file_of_the_zoo_is_read_or_refused_in_one_sentence(shared_data):
    suffixes = {s for entry in FORMATS.values() for s in entry.suffixes}
    read, refused = 0, []
    for path in sorted((shared_data / "formats").rglob("*")):
        if path.suffix not in suffixes:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", InputWarning)
                read += read_picks(path).n_picks > 0
        except InputError as error:
            refused.append(str(error))
    assert read > 40
    assert all("\n" not in message and len(message) < 500 for message in refused)
