from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_cryoml.io import read_cell_labels, read_cells, write_cell_labels

SHAPE = (60, 80)
CENTRES = [(15, 20), (40, 30), (30, 60)]


def _field(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return an image of two channels and the labels of its three cells, numbered with gaps."""
    grid = np.indices(SHAPE)
    labels = np.zeros(SHAPE, np.int32)
    for number, (y, x) in enumerate(CENTRES, start=1):
        labels[(grid[0] - y) ** 2 + (grid[1] - x) ** 2 <= 64] = 5 * number
    rng = np.random.default_rng(seed)
    image = rng.normal(100, 3, (2, *SHAPE)) + 300 * (labels > 0)
    return np.rint(image).astype(np.uint16), labels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with two images of two channels, and one with their labels."""
    (tmp_path / "images").mkdir()
    for number, name in enumerate("ab"):
        image, labels = _field(number)
        for channel, word in zip(image, ("gfp", "rfp"), strict=True):
            tifffile.imwrite(tmp_path / "images" / f"{name}_{word}.tif", channel)
        write_cell_labels(tmp_path / "labels" / f"{name}_labels.tif", labels)
    return tmp_path


def test_crops_by_labels(shell, folder) -> None:
    out = folder / "cells.zarr"
    words = ["cells", "crop", folder / "images", "--labels", folder / "labels", "--out", out]
    said = shell(*words, "--size", 24, "--marker", "rfp", "--pixel-size", 1600, "--json")
    assert said.code == 0, said.err
    result = said.json
    areas = result.pop("median_area")
    assert result == {
        "cells": str(out),
        "n": 6,
        "images": 2,
        "size": 24,
        "channels": ["gfp", "rfp"],
        "pixel_size": 1600.0,
        "saturated": 0,
        "constant": 0,
        "empty": 0,
    }
    cells = read_cells(out)
    assert areas == np.median(cells.columns["area"])
    assert cells.ids[0] == "a.tif@15.0,20.0"
    assert cells.columns["label"].tolist() == [5, 10, 15] * 2
    assert cells.columns["roi_id"].tolist() == ["a.tif"] * 3 + ["b.tif"] * 3
    image, labels = _field(0)
    np.testing.assert_array_equal(cells.read([1])[0], image[:, 28:52, 18:42])
    np.testing.assert_array_equal(np.asarray(cells.masks[1]), (labels == 10)[28:52, 18:42])


def test_cells_are_found_and_keep_their_ids(shell, folder) -> None:
    first = folder / "first.zarr"
    words = ["cells", "crop", folder / "images", "--size", 24]
    assert shell(*words, "--labels", folder / "labels", "--out", first).code == 0
    out = folder / "second.npz"
    options = ["--segment", "--marker", "rfp", "--known", first, "--set", "segment.smallest=100"]
    said = shell(*words, *options, "--out", out, "--json")
    assert said.code == 0, said.err
    assert said.json["labels"] == str(folder / "second_labels")
    assert read_cell_labels(folder / "second_labels" / "a_labels.tif").max() == 3
    before, after = read_cells(first), read_cells(out)
    assert sorted(after.ids) == sorted(before.ids)


def test_a_table_tells_the_protein_of_each_image(shell, folder) -> None:
    (folder / "t.csv").write_text("image,gene,plate\nb_gfp.tif,ACT1,007\na_gfp.tif,NA,008\n")
    out = folder / "cells.zarr"
    words = ["cells", "crop", folder / "images", "--labels", folder / "labels", "--out", out]
    said = shell(*words, "--size", 24, "--table", folder / "t.csv", "--json")
    assert said.code == 0, said.err
    assert said.json["proteins"] == 2
    assert "'image' as file, 'gene' as protein was taken" in said.err
    columns = read_cells(out).columns
    assert columns["protein"].tolist() == ["NA"] * 3 + ["ACT1"] * 3
    assert columns["plate"].tolist() == ["008"] * 3 + ["007"] * 3


def test_options_reach_the_crops(shell, folder) -> None:
    out = folder / "cells.npz"
    words = ["cells", "crop", folder / "images", "--labels", folder / "labels", "--out", out]
    options = ["--size", 16, "--rescale", 3200, "--pixel-size", 1600, "--edge", "drop", "--mask"]
    said = shell(*words, *options, "--channels", "rfp,gfp", "--set", "others=false", "--json")
    assert said.code == 0, said.err
    assert "were dropped: their crops leave the image" in said.err
    assert said.json["channels"] == ["rfp"]
    cells = read_cells(out)
    assert (cells.shape, cells.n_channels, cells.pixel_size) == ((16, 16), 1, 3200.0)
    assert not cells.read([0])[0, 0][~cells.masks[0]].any()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "give one of the two"),
        (["--labels", "labels", "--segment"], "give one of the two"),
        (["--labels", "none"], "There is no file"),
        (["--labels", "labels", "--protein", "dapi"], "no channel 'dapi' in a.tif"),
        (["--labels", "labels", "--edge", "cut"], "edge"),
        (["--labels", "labels", "--rescale", "100"], "need the pixel size of a.tif"),
        (["--labels", "labels", "--channels", "a,b,c"], "--channels names 3"),
        (["--labels", "labels", "--table", "none.csv"], "There is no file"),
        (["--segment", "--set", "segment.smallest=100000"], "No cell was found in channel '0'"),
        (["--segment", "--set", "segment.wrong=1"], "choose one of"),
    ],
)
def test_mistakes_are_sentences(shell, folder, options, sentence, monkeypatch) -> None:
    monkeypatch.chdir(folder)
    said = shell("cells", "crop", "images", "--out", "cells.zarr", *options, "--json")
    assert said.code == 2
    assert sentence in said.json["error"]
    assert not (folder / "cells.zarr").exists()


def test_the_name_tells_the_kind_of_file(shell, folder) -> None:
    said = shell("cells", "crop", folder / "images", "--segment", "--out", folder / "c.mrcs")
    assert said.code == 2
    assert "end its name in .zarr or .npz" in said.err


def test_simulated_images_with_their_labels_and_places(shell, tmp_path) -> None:
    screen = tmp_path / "screen"
    words = ["--fields", 2, "--proteins", 6, "--set", "cells_per_field=5", "--set", "shape=128,128"]
    assert shell("cells", "simulate", *words, "--out", screen).code == 0
    words = ["cells", "crop", screen, "--labels", screen, "--table", screen / "cells.csv"]
    said = shell(*words, "--out", tmp_path / "c.zarr", "--json")
    assert said.code == 0, said.err
    truth = pd.read_csv(screen / "cells.csv")
    cells = read_cells(tmp_path / "c.zarr")
    assert said.json["images"] == 2
    assert len(cells) == len(truth)
    by_key = truth.set_index(["image", "label"])
    keys = list(zip(cells.columns["roi_id"], cells.columns["label"], strict=True))
    assert cells.columns["protein"].tolist() == by_key.loc[keys, "protein"].tolist()
    np.testing.assert_allclose(cells.positions, by_key.loc[keys, ["y", "x"]], atol=0.01)
