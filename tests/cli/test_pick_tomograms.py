"""Picking tomograms through the shell: training, live, without labels, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.evaluation import match
from napari_cryoml.io import read_picks, write_mrc, write_picks

SHAPE = (24, 48, 52)
DIAMETER = 8.0
PIXEL = 10.0
CENTRES = np.array(
    [[z, y, x] for z in (7.0, 17.0) for y in (8.0, 24.0, 40.0) for x in (9.0, 26.0, 43.0)]
)
FAST = ["--minutes", 1, "--steps", 2, "--set", "training.crops=1", "--set", "network.units=4"]


@pytest.fixture(scope="module")
def tomograms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of two tomograms of dark balls, thinner than their balls' surroundings."""
    folder = tmp_path_factory.mktemp("tomograms")
    axes = np.indices(SHAPE)
    for seed, name in enumerate(("a", "b")):
        pixels = np.random.default_rng(seed).normal(0, 0.5, SHAPE)
        for centre in CENTRES:
            squares = sum((axis - c) ** 2 for axis, c in zip(axes, centre, strict=True))
            pixels -= 3 * np.exp(-squares / (2 * (DIAMETER / 4) ** 2))
        write_mrc(folder / f"{name}.mrc", pixels.astype(np.float32), PIXEL)
    write(folder / "labels.csv", CENTRES[::2])
    return folder


def write(path: Path, positions: np.ndarray) -> Path:
    write_picks(PicksTable((Picks("a.mrc", positions),)), path, shapes={"a.mrc": SHAPE})
    return path


def n_found(path: Path, image: str) -> int:
    picks = next(entry for entry in read_picks(path) if entry.image == image)
    return int((match(picks.positions, CENTRES, DIAMETER / 2) >= 0).sum())


def test_live_picks_reach_the_top_and_the_bottom(shell, tomograms, tmp_path) -> None:
    out = tmp_path / "picks.csv"
    labels = ["--labels", tomograms / "labels.csv", "--set", "mask_borders=false"]
    said = shell("pick", "live", tomograms, *labels, "--diameter", "8nm", "--out", out, "--json")
    assert said.code == 0, said.err
    assert set(said.json["images"]) == {"a.mrc", "b.mrc"}
    assert n_found(out, "b.mrc") >= len(CENTRES) - 2


def test_a_network_is_trained_and_run(shell, tomograms, tmp_path) -> None:
    model, out = tmp_path / "m.safetensors", tmp_path / "picks.csv"
    labels = ["--labels", tomograms / "labels.csv", "--diameter", DIAMETER]
    turned = ["--set", "training.augmentation.turns=space"]
    said = shell("pick", "train", tomograms, *labels, *FAST, *turned, "--out", model, "--json")
    assert said.code == 0, said.err
    assert said.json["steps"] == 2
    words = ["--model", model, "--threshold", -6, "--heatmaps", tmp_path / "maps"]
    said = shell("pick", "run", tomograms, *words, "--out", out, "--json")
    assert said.code == 0, said.err
    assert set(said.json["images"]) == {"a.mrc", "b.mrc"}
    assert len(list((tmp_path / "maps").iterdir())) == 2


def test_blobs_as_published_need_no_labels(shell, tomograms, tmp_path) -> None:
    out = tmp_path / "picks.csv"
    published = ["--sigma", "2nm", "--set", "ratio=1.1", "--set", "level=10"]
    words = ["--method", "dog", "--diameter", "80A", *published, "--out", out, "--json"]
    said = shell("pick", "baseline", tomograms, *words)
    assert said.code == 0, said.err
    assert said.json["images"] == {"a.mrc": len(CENTRES), "b.mrc": len(CENTRES)}
    assert n_found(out, "a.mrc") == len(CENTRES)
    few = shell("pick", "baseline", tomograms, *words, "--particles-per-image", 3)
    assert set(few.json["images"].values()) == {3}


@pytest.mark.parametrize("command", ["live", "train"])
@pytest.mark.parametrize(
    ("positions", "sentence"),
    [
        (CENTRES[:, 1:], "2 coordinates"),
        (CENTRES + 100, "outside"),
    ],
)
def test_labels_that_do_not_fit_are_a_sentence(
    shell, tomograms, tmp_path, command, positions, sentence
) -> None:
    labels = ["--labels", write(tmp_path / "labels.csv", positions), "--diameter", DIAMETER]
    said = shell("pick", command, tomograms, *labels, "--out", tmp_path / "out.csv")
    assert said.code == 2
    assert sentence in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("command", ["live", "train", "baseline"])
def test_a_diameter_larger_than_the_tomogram_is_a_sentence(
    shell, tomograms, tmp_path, command
) -> None:
    labels = [] if command == "baseline" else ["--labels", tomograms / "labels.csv"]
    words = [*labels, "--diameter", "80nm", "--pixel-size", 1, "--out", tmp_path / "out.csv"]
    said = shell("pick", command, tomograms, *words)
    assert said.code == 2
    assert "80" in said.err
    assert "pixel size" in said.err
    assert "Traceback" not in said.err
