"""From crops of cells to a table of measurements, by the shell."""

import csv

import numpy as np
import pytest

from napari_cryoml.data import ArrayCrops
from napari_cryoml.io import read_embedding, write_crops


def cells(n=12):
    rng = np.random.default_rng(0)
    disc = np.hypot(*(np.indices((16, 16)) - 8)) < 6
    array = 100 + 50 * disc * rng.uniform(0.5, 1.5, (n, 2, 16, 16))
    array[5, 1] = 7
    columns = {"protein": np.array(["A", "B"])[np.arange(n) % 2], "area": np.arange(n)}
    ids = [f"c{row}" for row in range(n)]
    return ArrayCrops.of(array.astype(np.float32), ids, columns, channels=("protein", "marker"))


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("cells") / "cells.npz"
    write_crops(path, cells())
    return path


def test_a_table_has_a_named_column_a_measurement(shell, stored, tmp_path):
    out = tmp_path / "measured.csv"
    said = shell("cells", "measure", stored, "--out", out, "--json")
    assert said.code == 0, said.err
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [f"c{row}" for row in range(12)]
    assert rows[1]["protein"] == "B"
    assert rows[3]["Metadata_area"] == "3"
    assert float(rows[0]["intensity_skew_marker"]) != 0
    assert rows[5]["intensity_skew_marker"] == ""
    assert said.json["n"] == 12
    assert said.json["missing"]["intensity_skew_marker"] == 1
    assert said.json["masks"] is False
    assert any("have no value in some cells" in line for line in said.sentences)


def test_a_table_can_be_read_as_vectors(shell, stored, tmp_path):
    out = tmp_path / "measured.parquet"
    said = shell("cells", "measure", stored, "--out", out, "--brightness", "--json")
    assert said.code == 0, said.err
    found = read_embedding(out)
    assert found.n_features == said.json["n_measurements"]
    assert found.table["protein"].tolist()[:2] == ["A", "B"]


def test_components_take_the_place_of_measurements(shell, stored, tmp_path):
    out = tmp_path / "components.tsv"
    said = shell("cells", "measure", stored, "--out", out, "--pca", 0.9, "--json")
    assert said.code == 0, said.err
    names = out.read_text().splitlines()[0].replace('"', "").split("\t")
    assert names[-1] == f"pc_{said.json['n_components']}"
    assert said.json["share"] >= 0.9
    assert said.json["n_components"] < 12


def test_options_of_the_set_can_be_given(shell, stored, tmp_path):
    out = tmp_path / "few.csv"
    said = shell("cells", "measure", stored, "--out", out, "--set", "groups=pair,puncta", "--json")
    assert said.code == 0, said.err
    groups = {name.split("_")[0] for name in out.read_text().splitlines()[0].split(",")}
    assert groups == {'"id"', '"protein"', '"Metadata', '"pair', '"puncta'}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--out", "x.png"], "tells no kind of table"),
        (["--out", "x.csv", "--measurements", "other"], "no set of measurements named 'other'"),
        (["--out", "x.csv", "--set", "groups=colour"], "no group of measurements named 'colour'"),
        (["--out", "x.csv", "--pca", "2"], "share of the variance"),
    ],
)
def test_bad_input_is_one_sentence(shell, stored, tmp_path, monkeypatch, words, sentence):
    monkeypatch.chdir(tmp_path)
    said = shell("cells", "measure", stored, *words)
    assert said.code == 2
    assert sentence in said.sentences[-1]
    assert not (tmp_path / "x.csv").exists()
