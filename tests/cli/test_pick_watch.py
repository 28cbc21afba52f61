"""Watch a folder through the shell."""

from pathlib import Path

import numpy as np

from napari_cryoml.cli._pick_watch import PickFiles
from napari_cryoml.data import Picks
from napari_cryoml.io import read_picks
from napari_cryoml.picking import KeptPicks

TINY = ["--set=network.units=4", "--set=training.crops=2", "--steps", 2, "--device", "cpu"]


def test_a_folder_is_picked_and_a_restart_goes_on(shell, micrographs: Path, tmp_path: Path) -> None:
    model, out = tmp_path / "m.safetensors", tmp_path / "picks"
    labels = ["--labels", micrographs / "particles.star", "--diameter", 24]
    assert shell("pick", "train", micrographs, *labels, *TINY, "--out", model).code == 0
    words = ["pick", "watch", micrographs, "--model", model, "--out", out, "--threshold", -6]
    words += ["--every", 0.05, "--idle-minutes", 0.005, "--format", "csv", "--json"]
    said = shell(*words)
    assert said.code == 0, said.err
    files = sorted(out.glob("*.csv"))
    assert len(files) == said.json["n_images"] > 1
    assert sum(len(entry) for file in files for entry in read_picks(file)) == said.json["n_picks"]
    times = {file: file.stat().st_mtime_ns for file in files}
    assert shell(*words).json["n_images"] == 0
    files[0].unlink()
    assert shell(*words).json["n_images"] == 1
    assert files[0].exists()
    assert {file: file.stat().st_mtime_ns for file in files[1:]} == {
        file: times[file] for file in files[1:]
    }


def test_a_folder_that_is_not_there_is_one_sentence(shell, micrographs, tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    labels = ["--labels", micrographs / "particles.star", "--diameter", 24]
    shell("pick", "train", micrographs, *labels, *TINY, "--out", model)
    said = shell("pick", "watch", tmp_path / "none", "--model", model, "--out", tmp_path / "p")
    assert said.code == 2
    assert "none cannot be listed" in said.err


def test_images_of_one_stem_do_not_write_over_each_other(tmp_path: Path) -> None:
    for order in (("a.mrc", "a.tif"), ("a.tif", "a.mrc")):  # the second time after a restart
        files = PickFiles(tmp_path, "csv", KeptPicks(tmp_path / ".done"))
        for image in order:
            files.write(Picks(image, np.zeros((len(image.split(".")[1]), 2))))
    assert sorted(path.name for path in tmp_path.glob("*.csv")) == ["a.csv", "a.tif.csv"]
    assert [entry.image for entry in read_picks(tmp_path / "a.csv")] == ["a.mrc"]
    assert [entry.image for entry in read_picks(tmp_path / "a.tif.csv")] == ["a.tif"]
