import numpy as np
import pytest

from napari_cryoml.classification import PretrainedEncoder
from napari_cryoml.data import ArrayCrops
from napari_cryoml.io import write_crops

SMALL = ["--set", "network_options.width=0.0625", "--set", "network_options.layer=conv3"]
QUICK = [*SMALL, "--epochs", 1, "--batch", 4, "--device", "cpu", "--json"]


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    pixels = np.random.default_rng(0).normal(size=(12, 2, 8, 8)).astype(np.float32)
    columns = {
        "protein": np.array(list("aaaabbbbcccd")),
        "part": np.array(["train", "train", "test"] * 4),
    }
    path = tmp_path_factory.mktemp("cells") / "cells.npz"
    write_crops(path, ArrayCrops.of(pixels, columns=columns))
    return path


def test_an_encoder_is_learnt_from_cells_without_labels(shell, tmp_path, cells):
    said = shell("cells", "pretrain", cells, "--out", tmp_path / "e.safetensors", *QUICK)
    assert said.code == 0, said.err
    assert (said.json["objective"], said.json["network"]) == ("inpainting", "paired_inpainting")
    assert said.json["cells"] == 12
    assert said.json["notes"] == ["Left out, as the only ones of their protein: 1 of 12 crops."]
    encoder = PretrainedEncoder.load(tmp_path / "e.safetensors")
    assert (encoder.n_channels, encoder.normalisation) == (2, "min_max")
    assert encoder.vectors(np.zeros((3, 2, 8, 8), np.float32)).shape == (3, 24)


def test_only_some_cells_are_learnt_from(shell, tmp_path, cells):
    words = ["--column", "part", "--values", "train"]
    said = shell("cells", "pretrain", cells, "--out", tmp_path / "e.safetensors", *words, *QUICK)
    assert said.json["cells"] == 8


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--system", "few_shot"], "few_shot has no network to pretrain"),
        (["--system", "rb3d"], "rb3d learns from labels alone"),
        (["--column", "part"], "--column and --values belong together"),
        (["--column", "plate", "--values", "x"], "no column 'plate'; the columns are"),
        (["--column", "part", "--values", "x"], "No cell has 'x' in the column 'part'"),
    ],
)
def test_what_does_not_fit_is_told_in_a_sentence(shell, tmp_path, cells, words, problem):
    said = shell("cells", "pretrain", cells, "--out", tmp_path / "e.safetensors", *words)
    assert said.code == 2
    assert problem in said.sentences[-1]
