"""What a user can get wrong with images of cells: one sentence that says what to do."""

import re
from collections.abc import Callable
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from napari_cryoml.io import read_cells, write_cell_labels

SHAPE = (40, 50)


def _labels(*places: tuple[int, int]) -> np.ndarray:
    labels = np.zeros(SHAPE, np.int32)
    for number, (y, x) in enumerate(places, start=1):
        labels[max(y - 3, 0) : y + 4, max(x - 3, 0) : x + 4] = number
    return labels


PLACES = [(10, 10), (20, 35), (30, 15)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with an image of two channels, its labels, and older crops."""
    rng = np.random.default_rng(0)
    image = rng.normal(100, 5, (2, *SHAPE)) + 200 * (_labels(*PLACES) > 0)
    tifffile.imwrite(tmp_path / "a.tif", image.astype(np.uint16), photometric="minisblack")
    write_cell_labels(tmp_path / "a_labels.tif", _labels(*PLACES))
    (tmp_path / "older.npz").write_text("older")
    return tmp_path


@pytest.fixture
def refused(shell, folder: Path) -> Callable[..., str]:
    """Return a function that must fail to crop cells, and returns the sentence that says why."""

    def run(*words: object, image: str = "a.tif") -> str:
        out = folder / "older.npz"
        said = shell("cells", "crop", folder / image, *words, "--out", out, "--size=16", "--json")
        assert said.code == 2, said.err
        sentence = said.json["error"]
        assert sentence.endswith(".")
        assert not re.search(r"[.!?] [A-Z]", sentence), f"more than one sentence: {sentence}"
        assert said.sentences[-1] == sentence
        assert out.read_text() == "older"
        return sentence

    return run


def test_labels_without_a_cell(refused, folder) -> None:
    write_cell_labels(folder / "none.tif", np.zeros(SHAPE, np.uint8))
    assert "hold no cell" in refused("--labels", folder / "none.tif")


def test_labels_of_another_image(refused, folder) -> None:
    write_cell_labels(folder / "x.tif", np.ones((20, 25), np.uint8))
    sentence = refused("--labels", folder / "x.tif")
    assert "(2, 40, 50)" in sentence
    assert "(20, 25)" in sentence


def test_a_picture_of_labels(refused, folder) -> None:
    colours = np.random.default_rng(0).integers(0, 255, (*SHAPE, 3)).astype(np.uint8)
    iio.imwrite(folder / "picture.png", colours)
    assert "a picture of them in colours" in refused("--labels", folder / "picture.png")


def test_labels_that_hold_objects(refused, folder) -> None:
    np.save(folder / "a_seg.npy", np.array([{"masks": 1}], object), allow_pickle=True)
    assert "_seg.npy files of Cellpose" in refused("--labels", folder / "a_seg.npy")


@pytest.mark.parametrize("option", ["--protein", "--marker"])
def test_a_channel_that_is_missing(refused, folder, option) -> None:
    sentence = refused("--labels", folder / "a_labels.tif", option, "dapi")
    assert "no channel 'dapi' in a.tif" in sentence
    assert "from 0 to 1" in sentence


def test_no_crop_lies_within_the_image(refused, folder) -> None:
    sentence = refused("--labels", folder / "a_labels.tif", "--edge=drop", "--set", "size=39")
    assert "'mirror' or 'pad'" in sentence


def test_angstrom_and_micrometres_mixed_up(refused, folder) -> None:
    words = ["--rescale=1600", "--pixel-size=0.16"]
    assert "check its pixel size" in refused("--labels", folder / "a_labels.tif", *words)


@pytest.mark.parametrize("name", ["b.tif", "b.png", "b.npy"])
def test_a_damaged_image(refused, folder, name) -> None:
    (folder / name).write_bytes(b"\x00\x01junk")
    assert "b." in refused("--labels", folder / "a_labels.tif", image=name)


def test_an_image_of_one_value_has_no_cells(refused, folder) -> None:
    tifffile.imwrite(folder / "flat.tif", np.full((2, *SHAPE), 7, np.uint8))
    sentence = refused("--segment", image="flat.tif")
    assert "No cell was found in channel '0' of flat.tif" in sentence


def test_cells_that_are_kept_but_bad_are_counted(shell, folder) -> None:
    image = np.random.default_rng(0).normal(100, 5, (2, *SHAPE)).astype(np.uint16)
    labels = _labels(*PLACES)
    image[0][labels == 1] = 4095
    image[1][labels == 2] = 0
    tifffile.imwrite(folder / "bad.tif", image, photometric="minisblack")
    words = ["--labels", folder / "a_labels.tif", "--out", folder / "c.zarr", "--size=16", "--json"]
    said = shell("cells", "crop", folder / "bad.tif", *words)
    assert said.code == 0, said.err
    assert (said.json["saturated"], said.json["constant"], said.json["empty"]) == (1, 2, 2)
    assert "1 of 3 cells are saturated" in said.err
    assert "2 of 3 cells have a channel of one value" in said.err
    assert "2 of 3 cells have no signal in the channel 'protein'" in said.err
    assert read_cells(folder / "c.zarr").columns["saturated"].tolist() == [1, 0, 0]


def test_cells_over_the_border_are_counted(shell, folder) -> None:
    write_cell_labels(folder / "l.tif", _labels(*PLACES, (2, 44)))
    words = ["--labels", folder / "l.tif", "--out", folder / "c.zarr", "--size=16", "--edge=drop"]
    said = shell("cells", "crop", folder / "a.tif", *words, "--json")
    assert said.code == 0, said.err
    assert "1 of 4 cells of a.tif were dropped: their crops leave the image." in said.err
    assert said.json["n"] == 3
