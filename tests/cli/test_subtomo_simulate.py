import json
from pathlib import Path

import numpy as np
import pytest

from napari_cryoml.io import open_image, read_crops, read_picks, write_mrc
from napari_cryoml.simulate import procedural_maps

SMALL = ["--procedural", 2, "--box", 16, "--set=tilt_step=10"]
SLAB = ["--tomogram", "--set=shape=24,32,40", "--set=n_particles=4"]


def test_boxes_truth_and_record(shell, tmp_path: Path) -> None:
    said = shell("subtomo", "simulate", "--out", tmp_path, "--per-class", 6, *SMALL, "--json")
    assert said.code == 0
    assert (said.json["n"], said.json["classes"]) == (12, ["complex_01", "complex_02"])
    assert said.json["wanted_snr"] == 0.1
    assert said.json["measured_snr"]["low"] < 0.1 < 2 * said.json["measured_snr"]["high"]
    crops = read_crops(said.json["truth"])
    assert (len(crops), crops.shape, crops.pixel_size) == (12, (16, 16, 16), 10.0)
    assert crops.columns["class"].tolist() == ["complex_01", "complex_02"] * 6
    assert {"rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi", "rlnOriginXAngst"} <= set(crops.columns)
    record = json.loads((tmp_path / "simulation.json").read_text())
    assert (record["seed"], record["config"]["box"]) == (0, 16)
    assert record["measured_snr"] == said.json["measured_snr"]


def test_maps_from_files_and_a_range_of_tilts(shell, tmp_path: Path) -> None:
    for entry in procedural_maps(2, 20, 8.0):
        write_mrc(tmp_path / f"{entry.name}.mrc", entry.array, 8.0)
    paths = [tmp_path / f"complex_0{n}.mrc" for n in (1, 2)]
    maps = ["--maps", paths[0], "--maps", paths[1], "--box", 16, "--set=tilt_step=10"]
    words = ["--tilt", "-40,50", "--snr", "none", "--per-class", 1, "--set=empty_class=true"]
    said = shell("subtomo", "simulate", "--out", tmp_path / "set", *maps, *words, "--json")
    assert said.json["classes"] == ["complex_01", "complex_02", "empty"]
    assert (said.json["wanted_snr"], said.json["measured_snr"]) == (None, None)
    crops = read_crops(said.json["truth"])
    assert (crops.wedge.low, crops.wedge.high) == (-40, 50)
    assert not crops.read([2]).any()


def test_a_tomogram_and_its_particles(shell, tmp_path: Path) -> None:
    said = shell("subtomo", "simulate", "--out", tmp_path, *SMALL, *SLAB, "--seed", 3)
    assert said.code == 0
    assert "n: 4" in said.out
    image = open_image(tmp_path / "tomogram.mrc")
    assert (image.shape, image.pixel_size) == ((24, 32, 40), 10.0)
    table = read_picks(tmp_path / "picks.star", shapes={image.name: image.shape})
    (picks,) = table
    assert sorted(picks.columns["class"]) == ["complex_01"] * 2 + ["complex_02"] * 2
    np.testing.assert_allclose(np.linalg.det(picks.rotations), 1, atol=1e-6)
    record = json.loads((tmp_path / "simulation.json").read_text())
    assert record["seed"] == 3
    assert "measured_snr" in record


def test_the_pose_in_the_list_is_the_pose_of_the_box(shell, tmp_path: Path) -> None:
    from napari_cryoml.jobs import run_inline
    from napari_cryoml.simulate import SubtomogramConfig, simulate_subtomograms

    shell("subtomo", "simulate", "--out", tmp_path, "--per-class", 1, *SMALL)
    config = SubtomogramConfig(box=16, tilt_step=10)
    made = run_inline(simulate_subtomograms(procedural_maps(2, 16, 10.0), 1, config))
    crops = read_crops(tmp_path / "subtomograms.star")
    np.testing.assert_allclose(crops.array, made.crops.array, atol=1e-5)
    origins = np.stack([crops.columns[f"rlnOrigin{axis}Angst"] for axis in "ZYX"], axis=1)
    np.testing.assert_allclose(-origins / 10, made.shifts, atol=1e-6)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--procedural", 2, "--maps", "a.mrc"], "not both"),
        (["--maps", "a.pdb"], "was not found"),
        (["--snr", "loud"], "snr"),
        (["--snr", "0"], "snr"),
        (["--tilt", "1,2,3"], "--tilt takes degrees"),
        (["--tilt", "100"], "tilt_max"),
        (["--tilt", "50,40"], "tilt_min must be less"),
        (["--set=colour=red"], "choose one of"),
    ],
)
def test_what_cannot_be_simulated_is_told(shell, tmp_path: Path, words, sentence) -> None:
    said = shell("subtomo", "simulate", "--out", tmp_path, *words)
    assert said.code == 2
    assert sentence in said.err
    assert len(said.err.strip().splitlines()) == 1
