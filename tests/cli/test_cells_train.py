"""From crops of cells and a table to a classifier and vectors, by the shell."""

import csv

import numpy as np
import pytest

from napari_cryoml.classification import load_classifier
from napari_cryoml.data import ArrayCrops
from napari_cryoml.io import read_embedding, write_crops

SIDE, N = 16, 48
TINY = ["--set", "network_options.width=0.0625", "--set", "network_options.hidden=8"]
TINY += ["--set", "network_options.latent=6", "--set", "training.precision=float32"]
QUICK = ["--system", "deeploc_2017", "--epochs", 2, "--batch", 16, "--device", "cpu", *TINY]


def cells():
    """Return cells of six proteins, whose bright spot lies inside or at the rim."""
    rng = np.random.default_rng(0)
    array = 0.1 * rng.normal(size=(N, 2, SIDE, SIDE)).astype(np.float32)
    kinds = np.arange(N) % 2
    array[kinds == 0, 0, 6:10, 6:10] += 2
    array[kinds == 1, 0, :3, 4:12] += 2
    proteins = np.array([f"P{row % 6}" for row in range(N)])
    ids = [f"c{row}" for row in range(N)]
    columns = {"class": np.array(["nucleus", "rim"])[kinds], "protein": proteins}
    return ArrayCrops.of(array, ids, columns, channels=("protein", "marker"))


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("cells") / "cells.npz"
    write_crops(path, cells())
    return path


@pytest.fixture(scope="module")
def model(stored, tmp_path_factory):
    """Return a classifier that the shell has trained for a moment; do not change it."""
    from napari_cryoml.cli import main

    path = tmp_path_factory.mktemp("model") / "c.safetensors"
    words = ["cells", "train", stored, "--out", path, *QUICK, "--learning-rate", 0.003]
    assert main([str(word) for word in words]) == 0
    return path


def test_a_classifier_of_cells_is_trained_and_measured(shell, stored, tmp_path):
    out, parts = tmp_path / "c.safetensors", tmp_path / "parts.csv"
    words = ["--learning-rates", "1e-9,0.01", "--seeds", 2, "--set", "trial_epochs=1"]
    words += ["--shares", "0.5,0.25,0.25", "--seed", 3, "--parts-out", parts]
    said = shell("cells", "train", stored, "--out", out, *QUICK, *words, "--json")
    assert said.code == 0, said.err
    figures = said.json
    assert (figures["system"], figures["cells"]) == ("deeploc_2017", N)
    assert figures["labels"] == {"nucleus": 24, "rim": 24}
    assert figures["parts"] == {"train": 24, "validation": 12, "test": 12}
    assert figures["held_out"] == 12
    assert [run["seed"] for run in figures["runs"]] == [3, 4]
    assert {run["learning_rate"] for run in figures["runs"]} == {0.01}
    classifier = load_classifier(out)
    assert (classifier.channels, classifier.system.training.seed) == (("protein", "marker"), 3)
    with parts.open() as file:
        told = [row["part"] for row in csv.DictReader(file)]
    assert (told.count("train"), told.count("test")) == (24, 12)
    said = shell(
        "cells",
        "embed",
        stored,
        "--model",
        out,
        "--table",
        parts,
        "--out",
        tmp_path / "v.parquet",
        "--json",
    )
    assert said.code == 0, said.err
    assert read_embedding(tmp_path / "v.parquet").table["part"].tolist() == told


def test_proteins_are_classes_of_their_own(shell, stored, tmp_path):
    out = tmp_path / "c.safetensors"
    words = ["--system", "pifia", "--network", "deeploc_2017", "--use", "protein"]
    words += ["--normalisation", "min_max", "--epochs", 1, "--device", "cpu", *TINY]
    said = shell("cells", "train", stored, "--out", out, *words, "--json")
    assert said.code == 0, said.err
    assert said.json["classes"] == [f"P{number}" for number in range(6)]
    classifier = load_classifier(out)
    assert (classifier.channels, classifier.system.normalisation) == (("protein",), "min_max")


def test_vectors_are_measured_by_what_is_known_after_every_epoch(shell, stored, tmp_path):
    (tmp_path / "known.gmt").write_text("inside\t-\tP0\tP2\tP4\noutside\t-\tP1\tP3\tP5\n")
    words = ["--standard", tmp_path / "known.gmt", "--keep", "watched", "--learning-rate", 0.003]
    said = shell(
        "cells", "train", stored, "--out", tmp_path / "c.safetensors", *QUICK, *words, "--json"
    )
    assert said.code == 0, said.err
    (run,) = said.json["runs"]
    names = {"known f05_at_q", "known ap_pooled", "known ami"}
    assert names & set(run["figures"])
    assert run["validation"] == run["figures"]["known f05_at_q"]
    assert "the validation part are measured" in said.err


def test_whole_proteins_are_held_out(shell, stored, tmp_path):
    words = ["--hold-out", 0.34, "--learning-rate", 0.003]
    said = shell(
        "cells", "train", stored, "--out", tmp_path / "c.safetensors", *QUICK, *words, "--json"
    )
    assert said.code == 0, said.err
    assert len(said.json["held_out_proteins"]) == 2
    assert said.json["parts"]["test"] == 16


def test_a_trained_model_goes_on_with_other_classes(shell, stored, model, tmp_path):
    rows = [f"c{row},{'ab'[row // 2 % 2]}" for row in range(8)]
    (tmp_path / "few.csv").write_text("\n".join(["id,kind", *rows]))
    words = ["--table", tmp_path / "few.csv", "--label-column", "kind", "--start-from", model]
    out = tmp_path / "c.safetensors"
    words += ["--epochs", 2, "--device", "cpu", "--shares", "1,0,0"]
    said = shell("cells", "train", stored, "--out", out, *words, "--json")
    assert said.code == 0, said.err
    system = load_classifier(out).system
    assert said.json["labels"] == {"a": 4, "b": 4}
    assert system.network_options["dropout"] == 0.5
    assert (system.normalisation, system.training.optimizer.learning_rate) == ("percentile", 3e-3)


def test_vectors_of_cells_are_written_with_what_is_known(shell, stored, model, tmp_path):
    out = tmp_path / "v.parquet"
    said = shell("cells", "embed", stored, "--model", model, "--out", out, "--json")
    assert said.code == 0, said.err
    assert (said.json["n"], said.json["n_features"]) == (N, 6)
    assert said.json["channels"] == ["protein", "marker"]
    embedding = read_embedding(out)
    assert embedding.table["protein"].tolist() == cells().columns["protein"].tolist()
    expected = load_classifier(model).vectors(cells().read(np.arange(N)))
    assert np.allclose(embedding.vectors, expected, atol=0.05)
    said = shell("cells", "embed", stored, "--out", tmp_path / "r.csv", "--json")
    assert (said.code, said.json["encoder"]) == (0, "rings")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--label-column", "place"], "no column 'place' with classes"),
        (["--system", "vgg"], "no system named 'vgg'"),
        (["--learning-rates", "much"], "--learning-rates takes numbers with commas"),
        (["--shares", "0.5,0.5"], "--shares takes three numbers"),
        (["--shares", "0.5,0.1,0.1"], "sum to 1"),
        (["--use", "GFP"], "channels GFP are to be looked at"),
        (["--system", "few_shot", "--standard", "x.gmt"], "--standard is watched while a network"),
        (["--system", "pifia", "--set", "a=1"], "--set a: choose one of"),
        (["--channels", "a,b,c"], "2 channels; 3 names were given"),
    ],
)
def test_what_cannot_be_trained_is_one_sentence(shell, stored, tmp_path, words, sentence):
    out = tmp_path / "c.safetensors"
    said = shell("cells", "train", stored, "--out", out, *words, "--json")
    assert said.code == 2
    assert sentence in said.json["error"]
    assert not out.exists()


def test_cells_without_labels_are_one_sentence(shell, tmp_path):
    write_crops(tmp_path / "bare.npz", ArrayCrops.of(cells().array))
    words = ["--out", tmp_path / "c.safetensors", "--json"]
    said = shell("cells", "train", tmp_path / "bare.npz", *words)
    assert (said.code, "no column 'class' to learn from" in said.json["error"]) == (2, True)
    said = shell("cells", "train", tmp_path / "bare.npz", "--system", "pifia", *words)
    assert "no column 'protein' to learn from" in said.json["error"]
