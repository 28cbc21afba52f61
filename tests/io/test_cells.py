import pickle
import warnings
from pathlib import Path

import h5py
import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest
import tifffile
import zarr

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import ArrayCrops, Crops
from napari_cryoml.io import read_cells, write_crops

CELLS = Path(__file__).parents[3] / "shared" / "data" / "cells"
PIXELS = np.random.default_rng(0).integers(0, 250, (6, 2, 20, 24)).astype(np.uint8)
SQUARE = PIXELS[..., :20]


def _npy(path, pixels):
    np.save(path, pixels)


def _npz(path, pixels):
    np.savez(path, images=pixels, protein=np.array(["a", "b"] * 3))


def _zarr(path, pixels):
    zarr.save_array(str(path), pixels)


def _h5(path, pixels):
    with h5py.File(path, "w") as file:
        file["images"] = pixels
        file["gene"] = ["a", "b"] * 3


@pytest.mark.parametrize("layout", ["ncyx", "nyxc", "nyx"])
@pytest.mark.parametrize(
    ("write", "name"), [(_npy, "c.npy"), (_npz, "c.npz"), (_zarr, "c.zarr"), (_h5, "c.h5")]
)
def test_crops_in_one_file(tmp_path, write, name, layout) -> None:
    stored = {"ncyx": PIXELS, "nyxc": np.moveaxis(PIXELS, 1, -1), "nyx": PIXELS[:, 0]}[layout]
    expected = PIXELS[:, :1] if layout == "nyx" else PIXELS
    write(tmp_path / name, stored)
    cells = read_cells(tmp_path / name)
    assert isinstance(cells, Crops)
    assert (len(cells), cells.n_channels, cells.shape) == (6, expected.shape[1], (20, 24))
    read = cells.read([4, 0, 4])
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, expected[[4, 0, 4]])
    np.testing.assert_array_equal(cells.take([5, 2]).read([1]), expected[[2]])
    if name in ("c.npz", "c.h5"):
        assert cells.columns["protein"].tolist() == ["a", "b"] * 3


@pytest.mark.parametrize(("write", "name"), [(_npy, "c.npy"), (_zarr, "c.zarr"), (_h5, "c.h5")])
def test_large_sets_stay_on_disk(tmp_path, write, name) -> None:
    write(tmp_path / name, np.tile(PIXELS, (20, 1, 1, 1)))
    if name == "c.h5":
        (tmp_path / name).unlink()
        with h5py.File(tmp_path / name, "w") as file:
            file["images"] = np.tile(PIXELS, (20, 1, 1, 1))
    cells = read_cells(tmp_path / name)
    packed = pickle.dumps(cells)
    assert len(packed) < 10_000 < PIXELS.nbytes * 20
    again = pickle.loads(packed)  # noqa: S301
    np.testing.assert_array_equal(again.read([7, 119]), PIXELS[[1, 5]])


def test_what_was_written_is_read_with_all_that_is_known(tmp_path) -> None:
    known = {"protein": np.array(list("abcdef")), "label": np.array([1, 2, 3] * 2)}
    known |= {"roi_id": np.array(["x"] * 6)}
    before = ArrayCrops.of(
        PIXELS, [f"i{k}" for k in range(6)], known, channels=["p", "m"], masks=PIXELS[:, 0] > 9
    )
    write_crops(tmp_path / "c.zarr", before)
    after = read_cells(tmp_path / "c.zarr")
    assert after.ids.tolist() == before.ids.tolist()
    assert after.channels == ("p", "m")
    np.testing.assert_array_equal(np.asarray(after.masks), before.masks)
    assert set(after.columns) == {"protein", "label", "roi_id"}
    assert after.columns["label"].tolist() == [1, 2, 3] * 2


def _folder(folder, names, pixels=PIXELS):
    for name, one in zip(names, pixels, strict=False):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".npy":
            np.save(path, one)
        elif path.suffix == ".png":
            iio.imwrite(path, one)
        else:
            tifffile.imwrite(path, one, photometric="minisblack")
    return folder


@pytest.mark.parametrize("suffix", [".tif", ".npy"])
def test_one_file_a_crop(tmp_path, suffix) -> None:
    cells = read_cells(_folder(tmp_path, [f"c_{k}{suffix}" for k in (10, 2, 1)]))
    assert cells.ids.tolist() == ["c_1", "c_2", "c_10"]
    assert cells.columns == {}
    np.testing.assert_array_equal(cells.read([2, 0]), PIXELS[[0, 2]])
    assert len(pickle.dumps(cells)) < 2000


def test_one_file_a_channel_in_folders_of_proteins(tmp_path) -> None:
    names = ["A/1_rfp.png", "A/1_gfp.png", "B/1_gfp.png", "B/1_rfp.png"]
    _folder(tmp_path, names, PIXELS[:, 0])
    cells = read_cells(tmp_path, folders="protein")
    assert cells.ids.tolist() == ["A/1", "B/1"]
    assert cells.channels == ("gfp", "rfp")
    assert cells.columns["protein"].tolist() == ["A", "B"]
    np.testing.assert_array_equal(cells.read([0])[0], PIXELS[[1, 0], 0])
    np.testing.assert_array_equal(cells.read([1])[0], PIXELS[[2, 3], 0])
    asked = read_cells(tmp_path, channels=["RFP", "gfp"])
    assert asked.channels == ("RFP", "gfp")
    assert asked.columns["folder"].tolist() == ["A", "B"]
    np.testing.assert_array_equal(asked.read([0])[0], PIXELS[[0, 1], 0])


def test_files_that_lack_a_channel_are_counted(tmp_path) -> None:
    _folder(tmp_path, ["a_gfp.png", "a_rfp.png", "b_gfp.png", "c.png"], PIXELS[:, 0])
    with pytest.warns(InputWarning, match="2 files of .* lack the other channels"):
        cells = read_cells(tmp_path)
    assert cells.ids.tolist() == ["a"]


def test_grey_crops_among_colours(tmp_path) -> None:
    colour = np.moveaxis(np.concatenate([PIXELS[0], PIXELS[1, :1]]), 0, -1)
    iio.imwrite(tmp_path / "a.png", colour)
    iio.imwrite(tmp_path / "b.png", np.repeat(PIXELS[2, 0][..., None], 3, axis=-1))
    cells = read_cells(tmp_path)
    assert cells.channels == ("red", "green", "blue")
    np.testing.assert_array_equal(cells.read([1])[0], np.stack([PIXELS[2, 0]] * 3))


def test_numbered_datasets_of_flat_rows(tmp_path) -> None:
    hot = np.eye(4)[[3, 0, 1, 2, 2, 0]]
    with h5py.File(tmp_path / "chong.hdf5", "w") as file:
        for number, rows in ((1, slice(0, 4)), (2, slice(4, 6))):
            file[f"data{number}"] = SQUARE[rows].reshape(-1, 800)
            file[f"Index{number}"] = hot[rows]
            file[f"Info{number}"] = np.ones((len(hot[rows]), 7))
    cells = read_cells(tmp_path / "chong.hdf5")
    assert (len(cells), cells.n_channels, cells.shape) == (6, 2, (20, 20))
    np.testing.assert_array_equal(cells.read([5, 0, 3, 4]), SQUARE[[5, 0, 3, 4]])
    assert cells.columns["class"].tolist() == ["3", "0", "1", "2", "2", "0"]


@pytest.mark.parametrize("single", [True, False])
def test_datasets_of_a_group(tmp_path, single) -> None:
    with h5py.File(tmp_path / "c.h5", "w") as file:
        if single:
            for row in range(6):
                file[f"images/cell{row + 6}"] = PIXELS[row]
        else:
            file["images/A"], file["images/B"] = PIXELS[:4], PIXELS[4:]
    cells = read_cells(tmp_path / "c.h5", folders="protein")
    np.testing.assert_array_equal(cells.read([5, 0, 4]), PIXELS[[5, 0, 4]])
    if single:
        assert cells.ids.tolist() == [f"cell{row}" for row in range(6, 12)]
    else:
        assert cells.ids.tolist() == ["A#0", "A#1", "A#2", "A#3", "B#0", "B#1"]
        assert cells.columns["protein"].tolist() == list("AAAABB")


def _table(path, columns):
    frame = pd.DataFrame(columns)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, sep="\t" if path.suffix == ".tsv" else ",", index=False)
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.parquet"])
def test_a_table_tells_what_cells_are(tmp_path, name) -> None:
    folder = _folder(tmp_path / "crops", [f"c{k}.tif" for k in range(3)])
    columns = {"file": ["c2.tif", "c0.tif", "c1.tif"], "protein": ["NA", "YFL039C", "ACT1"]}
    columns |= {"plate": ["007", "008", "009"], "class": ["ER", "", "ER"], "area": [3, 1, 2]}
    columns["dead"] = [True, False, True]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cells = read_cells(folder, _table(tmp_path / name, columns))
    assert cells.columns["protein"].tolist() == ["YFL039C", "ACT1", "NA"]
    assert cells.columns["plate"].tolist() == ["008", "009", "007"]
    assert cells.columns["class"].tolist() == ["", "ER", "ER"]
    assert cells.columns["area"].tolist() == [1, 2, 3]
    assert cells.columns["dead"].tolist() == [False, True, True]
    assert "file" not in cells.columns


def test_other_names_are_taken_and_told(tmp_path) -> None:
    folder = _folder(
        tmp_path / "crops", ["c0_gfp.png", "c0_rfp.png", "c1_gfp.png", "c1_rfp.png"], PIXELS[:, 0]
    )
    columns = {"Image Path": ["/far/c1_gfp.png", "/far/c0_gfp.png"], "ORF": ["a", "b"]}
    columns |= {"Localisation": ["ER", "Golgi"], "label": [4, 9]}
    with pytest.warns(InputWarning) as said:
        cells = read_cells(folder, _table(tmp_path / "t.csv", columns))
    told = str(said[0].message)
    assert (
        told
        == "Of t.csv, 'Image Path' as file, 'ORF' as protein, 'Localisation' as class was taken."
    )
    assert cells.columns["protein"].tolist() == ["b", "a"]
    assert cells.columns["class"].tolist() == ["Golgi", "ER"]
    assert cells.columns["label"].tolist() == [9, 4]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["ER", "ER", "", "x", "x", "x"], ["ER", "ER", "", "x", "x", "x"]),
        ([1, 1, 2, 2, 1, 1], ["1", "1", "2", "2", "1", "1"]),
        ([1, 2, 3, 4, 5, 6], None),
    ],
)
def test_labels_are_classes_where_they_repeat(tmp_path, labels, classes) -> None:
    np.save(tmp_path / "c.npy", PIXELS)
    table = _table(tmp_path / "t.csv", {"id": list("012345"), "label": labels})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        cells = read_cells(tmp_path / "c.npy", table)
    found = cells.columns.get("class")
    assert (None if found is None else found.tolist()) == classes


def test_cells_and_rows_without_a_partner_are_counted(tmp_path) -> None:
    folder = _folder(tmp_path / "crops", [f"c{k}.tif" for k in range(3)])
    columns = {"file": ["c1", "c1", "z"], "protein": ["a", "b", "c"], "area": [1, 2, 3]}
    table = _table(tmp_path / "t.csv", columns | {"good": [True, True, False]})
    with pytest.warns(InputWarning) as said:
        cells = read_cells(folder, table)
    told = [str(one.message) for one in said]
    assert told[0].startswith("2 of 3 cells are not in t.csv")
    assert told[1].startswith("2 of 3 rows of t.csv were passed over")
    assert cells.columns["protein"].tolist() == ["", "a", ""]
    np.testing.assert_array_equal(cells.columns["area"], [np.nan, 1, np.nan])


def test_a_table_without_names_goes_by_its_order(tmp_path) -> None:
    np.save(tmp_path / "c.npy", PIXELS)
    table = _table(tmp_path / "t.csv", {"protein": list("abcdef")})
    with pytest.warns(InputWarning, match="in the order of the cells"):
        cells = read_cells(tmp_path / "c.npy", table)
    assert cells.columns["protein"].tolist() == list("abcdef")


def test_names_of_cells_become_ids(tmp_path) -> None:
    np.savez(tmp_path / "a.npz", images=PIXELS, cell_id=np.array(list("uvwxyz")))
    assert read_cells(tmp_path / "a.npz").ids.tolist() == list("uvwxyz")
    np.savez(tmp_path / "b.npz", x=PIXELS, names=np.array(list("uvwuvw")))
    cells = read_cells(tmp_path / "b.npz")
    assert cells.columns["protein"].tolist() == list("uvwuvw")
    assert cells.ids.tolist() == list("012345")


def _pickled(path):
    np.save(path, np.array([{}], object), allow_pickle=True)


def _two(path):
    with h5py.File(path, "w") as file:
        file["a"] = file["b"] = PIXELS


def _linked(path):
    with h5py.File(path.with_name("other.h5"), "w") as file:
        file["images"] = PIXELS
    with h5py.File(path, "w") as file:
        file["images"] = h5py.ExternalLink("other.h5", "images")


def _odd_group(path):
    with h5py.File(path, "w") as file:
        file["images/A"], file["images/B"] = PIXELS, PIXELS[..., :9]


def _truncated_npy(path):
    np.save(path, PIXELS)
    path.write_bytes(path.read_bytes()[:500])


def _truncated_h5(path):
    _h5(path, PIXELS)
    path.write_bytes(path.read_bytes()[:3000])


def _texts(path):
    np.save(path, np.full((3, 4, 5), "a"))


@pytest.mark.parametrize(
    ("write", "name", "sentence"),
    [
        (_pickled, "c.npy", "Python objects"),
        (_texts, "c.npy", "should hold crops of cells of axes"),
        (lambda p: np.save(p, PIXELS[0, 0]), "c.npy", "should hold crops of cells of axes"),
        (_truncated_npy, "c.npy", "cannot be read"),
        (_truncated_h5, "c.h5", "cannot be read as crops of cells"),
        (_two, "c.h5", "should hold one dataset of crops.*a, b"),
        (_linked, "c.h5", "holds no dataset of numbers"),
        (_odd_group, "c.h5", "differ in shape"),
        (lambda p: np.savez(p, a=PIXELS, b=PIXELS), "c.npz", "one array of crops"),
        (lambda p: np.save(p, np.zeros((2, 3, 4, 5, 6))), "c.npy", "crops of cells of axes"),
        (lambda p: np.savez(p, a=np.zeros((2, 1, 5, 5, 5))), "c.npz", "volumes of 5 x 5 x 5"),
        (lambda p: p.mkdir(), "c", "holds no crops of cells"),
        (lambda p: p.mkdir(), "c.zarr", "no Zarr store"),
        (lambda p: p.write_bytes(b""), "c.mp4", "no crops of cells by its name"),
        (lambda p: None, "c.h5", "There is no file"),
    ],
)
def test_what_holds_no_crops_is_a_sentence(tmp_path, write, name, sentence) -> None:
    write(tmp_path / name)
    with pytest.raises(InputError, match=sentence):
        read_cells(tmp_path / name).read([0])


def test_crops_of_other_sizes_are_a_sentence(tmp_path, monkeypatch) -> None:
    _folder(tmp_path, ["a.tif", "b.tif"])
    tifffile.imwrite(tmp_path / "c.tif", PIXELS[0, :, :9], photometric="minisblack")
    with pytest.raises(InputError, match=r"20 x 24 pixels, but not c\.tif"):
        read_cells(tmp_path)
    monkeypatch.setattr("napari_cryoml.io._cell_folder._INSPECTED", 1)
    cells = read_cells(tmp_path)
    with pytest.raises(InputError, match=r"c\.tif has the shape \(2, 9, 24\)"):
        cells.read([2])


def test_channels_must_fit(tmp_path) -> None:
    np.save(tmp_path / "c.npy", PIXELS)
    assert read_cells(tmp_path / "c.npy", channels=["p", "m"]).channels == ("p", "m")
    with pytest.raises(InputError, match="have 2 channels; 1 names"):
        read_cells(tmp_path / "c.npy", channels=["p"])
    _folder(tmp_path / "f", ["a.tif", "b.tif"])
    with pytest.raises(InputError, match="do not tell channels apart"):
        read_cells(tmp_path / "f", channels=["p", "m"])


@pytest.mark.parametrize(
    ("columns", "name", "sentence"),
    [
        ({"protein": ["a"]}, "t.csv", "has 1 rows for 6 cells, and no column of files"),
        ({"file": ["zz"]}, "t.csv", "fit none of the cells"),
        ({"file": []}, "t.csv", "is empty"),
        ({"file": ["0"]}, "t.xlsx", "no table of cells by its name"),
    ],
)
def test_a_table_that_does_not_fit_is_a_sentence(tmp_path, columns, name, sentence) -> None:
    np.save(tmp_path / "c.npy", PIXELS)
    if name == "t.csv":
        _table(tmp_path / name, columns)
    with pytest.raises(InputError, match=sentence):
        read_cells(tmp_path / "c.npy", tmp_path / name)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "cannot be read as a table|is empty"),
        (b"PAR1 junk", "is empty|cannot be read"),
        (b"file,file\n1,2\n", "two columns named 'file'|cannot be read"),
        (b"file\n\xff\xfe\n", "cannot be read as a table"),
    ],
)
def test_a_damaged_table_is_a_sentence(tmp_path, text, sentence) -> None:
    np.save(tmp_path / "c.npy", PIXELS)
    (tmp_path / "t.csv").write_bytes(text)
    with pytest.raises(InputError, match=sentence):
        read_cells(tmp_path / "c.npy", tmp_path / "t.csv")
    with pytest.raises(InputError, match="There is no file"):
        read_cells(tmp_path / "c.npy", tmp_path / "none.csv")


@pytest.mark.skipif(not CELLS.is_dir(), reason="the cell images are not here")
def test_published_crops() -> None:
    yeast = read_cells(CELLS / "yeast" / "yeast_crops_64.npz")
    assert (len(yeast), yeast.n_channels, yeast.shape) == (1642, 2, (64, 64))
    assert yeast.channels == ("gfp", "rfp")
    assert yeast.ids[0] == "AAC1_1_rfp_10"
    assert dict(zip(*np.unique(yeast.columns["protein"], return_counts=True), strict=True)) == {
        "AAC1": 366,
        "AAC3": 416,
        "AAH1": 203,
        "AAP1": 308,
        "AAR2": 349,
    }
    human = read_cells(CELLS / "hpa" / "hpa_crops_128.npz")
    assert human.channels[0] == "protein_green"
    assert len(set(human.ids)) == 62
    files = read_cells(CELLS / "hpa" / "tif_samples", folders="protein")
    assert files.channels == ("green", "blue", "red")
    assert (files.n_channels, files.shape) == (3, (128, 128))
    assert np.isfinite(files.read(range(len(files)))).all()
