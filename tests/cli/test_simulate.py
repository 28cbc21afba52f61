import json
from pathlib import Path

import numpy as np
import pytest

from napari_cryoml.io import open_images, read_picks

TINY = ["--set=shape=64,72", "--set=diameter=12", "--set=n_particles=4", "--set=count=fixed"]


def test_images_truth_and_record(shell, tmp_path: Path) -> None:
    said = shell("simulate", "micrographs", "--out", tmp_path, "--n", 2, "--seed", 3, *TINY)
    assert said.code == 0
    assert "micrographs: 2" in said.out
    images = open_images(tmp_path)
    assert [image.shape for image in images] == [(64, 72)] * 2
    truth = read_picks(tmp_path / "particles.star")
    assert truth.images == [image.name for image in images]
    assert json.loads((tmp_path / "simulation.json").read_text())["seed"] == 3


def test_json_names_what_was_written(shell, tmp_path: Path) -> None:
    said = shell("simulate", "micrographs", "--out", tmp_path, "--n", 1, *TINY, "--json")
    truth = str(tmp_path / "particles.star")
    assert said.json == {"out": str(tmp_path), "micrographs": 1, "truth": truth}
    assert len(said.out.splitlines()) == 1


def test_a_seed_is_a_data_set(shell, tmp_path: Path) -> None:
    pixels = []
    for name, seed in [("a", 1), ("b", 1), ("c", 2)]:
        shell("simulate", "micrographs", "--out", tmp_path / name, "--n", 1, "--seed", seed, *TINY)
        pixels.append(open_images(tmp_path / name)[0].read())
    assert np.array_equal(pixels[0], pixels[1])
    assert not np.array_equal(pixels[0], pixels[2])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--set=snr=0"], "snr: Input should be greater than 0"),
        (["--set=shape=64"], "shape"),
        (["--set=nonsense=1"], "--set nonsense: choose one of shape,"),
    ],
)
def test_a_wrong_option_is_one_sentence(shell, tmp_path: Path, words: list, sentence: str) -> None:
    said = shell("simulate", "micrographs", "--out", tmp_path / "out", "--n", 1, *words, "--json")
    assert said.code == 2
    assert len(said.sentences) == 1
    assert sentence in said.json["error"]
    assert not (tmp_path / "out").exists()
