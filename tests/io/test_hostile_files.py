"""Files that were broken on purpose, each of a kind that once did harm."""

import struct

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io import read_picks, write_picks


@pytest.fixture
def model(tmp_path):
    """An IMOD model of two points, as bytes, and where to put a broken one."""
    picks = Picks("t.mrc", np.array([[1.0, 2, 3], [4, 5, 6]]), pixel_size=1.0)
    (path,) = write_picks(
        PicksTable.of([picks]), tmp_path / "good.mod", shapes={"t.mrc": (9, 9, 9)}
    )
    return path.read_bytes(), tmp_path / "bad.mod"


def read(content, path):
    path.write_bytes(content)
    return read_picks(path)


def test_a_whole_model_is_read(model):
    content, path = model
    assert read(content, path).n_picks == 2


def test_a_model_without_an_end_is_no_endless_search(model):
    content, path = model
    with pytest.raises(InputError, match="without the mark of its end"):
        read(content[: content.index(b"IEOF")], path)


@pytest.mark.parametrize("count", [2**31 - 1, 10_000, -1, -(2**31)])
def test_a_contour_that_does_not_fit_takes_no_memory(model, count):
    content, path = model
    place = content.index(b"CONT") + 4
    with pytest.raises(InputError, match="part b'CONT' at byte"):
        read(content[:place] + struct.pack(">i", count) + content[place + 4 :], path)


def test_an_unknown_part_that_does_not_fit_is_said(model):
    content, path = model
    place = content.index(b"IEOF")
    with pytest.raises(InputError, match="part b'ABCD'"):
        read(content[:place] + b"ABCD\x7f\xff\xff\xff" + content[place:], path)


def test_a_contour_before_any_object_is_said(model):
    content, path = model
    start = content.index(b"OBJT")
    contour = content[content.index(b"CONT") :]
    with pytest.raises(InputError, match="damaged IMOD model"):
        read(content[:start] + contour, path)


def test_a_word_among_the_numbers_of_a_dynamo_table_is_said(tmp_path):
    row = ["1"] * 42
    path = tmp_path / "t.tbl"
    path.write_text(" ".join(row) + "\n" + " ".join([*row[:3], "0.5-3", *row[4:]]) + "\n")
    with pytest.raises(InputError, match="is not a Dynamo table"):
        read_picks(path)


def test_a_row_without_an_image_is_an_image_of_its_own(tmp_path):
    path = tmp_path / "picks.txt"
    path.write_text("image_name\tx_coord\ty_coord\na\t1\t2\n\t3\t4\n")
    assert read_picks(path, format="topaz").n_picks == 2


@pytest.mark.parametrize("suffix", [".csv", ".star"])
def test_what_a_parser_says_becomes_one_sentence(tmp_path, suffix):
    head = {".csv": "x,y\n", ".star": "data_\n\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n"}
    cell = {".csv": ",", ".star": " "}[suffix]
    path = tmp_path / f"picks{suffix}"
    path.write_text(head[suffix] + cell.join("12") + "\n" + cell.join("12345") + "\n")
    with pytest.raises(InputError) as caught:
        read_picks(path)
    assert "\n" not in str(caught.value)


def test_an_error_of_several_lines_is_one_sentence():
    error = InputError("a.csv is damaged: 3 fields came,\n  2 were expected\n.")
    assert str(error) == "a.csv is damaged: 3 fields came, 2 were expected."
    assert str(InputError()) == ""
    assert str(InputError("Choose ../a or .mrc files.")) == "Choose ../a or .mrc files."
