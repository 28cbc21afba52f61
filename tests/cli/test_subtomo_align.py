from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.averaging.phantoms import SIDE, WEDGE, particle, subtomograms

from napari_cryoml.averaging import degrees_between, shell_correlation
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io import open_images, read_picks, write_mrc, write_picks

QUICK = ["--angular-step", 24, "--set", "high=6", "--device", "cpu"]


@pytest.fixture(scope="module")
def made():
    return subtomograms(6, 4.0)


@pytest.fixture
def stack(made, tmp_path: Path) -> Path:
    path = tmp_path / "boxes.npz"
    np.savez(path, crops=made.boxes[:, None], ids=np.array(list("abcdef")))
    return path


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    return write_mrc(tmp_path / "boot.mrc", particle(), 10.0)


def test_a_stack_is_aligned_to_the_best_of_two_maps(shell, made, stack, reference, tmp_path):
    other = write_mrc(tmp_path / "bent.mrc", particle(blobs="bent"), 10.0)
    out = tmp_path / "particles.star"
    words = ["subtomo", "align", stack, "--reference", other, "--reference", reference]
    said = shell(*words, "--out", out, "--tilt", 60, "--pixel-size", 10, *QUICK, "--json")
    assert said.code == 0, said.err
    assert said.json["n_aligned"] == said.json["of"] == 6
    assert said.json["references"] == {"bent": 0, "boot": 6}
    assert said.json["median_score"] > 0.8
    found = read_picks(out).picks[0]
    assert degrees_between(found.rotations, made.rotations).max() < 8
    assert found.positions == pytest.approx(made.shifts + SIDE // 2, abs=0.4)


def test_particles_of_a_tomogram_are_put_where_they_are(shell, tmp_path):
    places = np.array([[18.0, 20, 20], [20, 20, 50], [17, 50, 22]])
    made = subtomograms(3, wedge=None, shift=1.5, seed=2)
    volume = np.zeros((40, 70, 70), np.float32)
    for place, box in zip(places.astype(int), made.boxes, strict=True):
        volume[tuple(slice(at - SIDE // 2, at + SIDE // 2) for at in place)] += box
    write_mrc(tmp_path / "t.mrc", volume, 10.0)
    table = PicksTable.of([Picks("t.mrc", places, pixel_size=10.0)])
    write_picks(table, tmp_path / "p.csv")
    reference = write_mrc(tmp_path / "boot.mrc", particle(), 10.0)
    out = tmp_path / "aligned.star"
    words = ["subtomo", "align", tmp_path / "t.mrc", "--picks", tmp_path / "p.csv", "--box", SIDE]
    said = shell(*words, "--reference", reference, "--out", out, "--tilt", 90, *QUICK, "--json")
    assert said.code == 0, said.err
    found = read_picks(out, pixel_size=10.0).picks[0]
    assert found.positions == pytest.approx(places + made.shifts, abs=0.4)
    assert degrees_between(found.rotations, made.rotations).max() < 8


def test_what_stands_in_the_way_is_said(shell, stack, tmp_path):
    other = write_mrc(tmp_path / "large.mrc", np.ones((30, 30, 30)), 10.0)
    said = shell("subtomo", "align", stack, "--reference", other, "--out", tmp_path / "p.star")
    assert said.code == 2
    assert "give --pixel-size" in said.err
    assert "give --tilt" in said.err


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_map_that_shows_nothing_is_refused(shell, stack, tmp_path, value):
    blank = write_mrc(tmp_path / "blank.mrc", np.full((SIDE,) * 3, value), 10.0)
    said = shell("subtomo", "align", stack, "--reference", blank, "--out", tmp_path / "p.star")
    assert said.code == 2
    assert "blank.mrc shows nothing to align to" in said.sentences[-1]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["align", "--out", "p.foo"], "p.foo tells no format of particles of 3 axes"),
        (["average", "--out", "a.foo"], "a.foo is no name of a map"),
        (["average", "--out", "a.mrc", "--particles", "p.foo"], "p.foo tells no format"),
    ],
)
def test_names_that_cannot_be_written_are_refused_before_the_work(
    shell, stack, reference, tmp_path, monkeypatch, words, sentence
):
    monkeypatch.chdir(tmp_path)
    more = ["--reference", reference, "--pixel-size", 10]
    said = shell("subtomo", words[0], stack, *words[1:], *more)
    assert said.code == 2
    assert sentence in said.sentences[-1]
    assert len(said.sentences) == 1  # nothing was read yet


def test_shifts_end_within_the_box(shell, stack, reference, tmp_path):
    words = ["--reference", reference, "--max-shift", SIDE, "--out", tmp_path / "p.star"]
    said = shell("subtomo", "align", stack, *words, "--pixel-size", 10)
    assert said.code == 2
    assert f"give a max_shift of {SIDE // 4} or less" in said.sentences[-1]


def test_an_average_is_written_with_halves_curve_and_poses(shell, stack, tmp_path):
    out = tmp_path / "average.mrc"
    words = ["subtomo", "average", stack, "--out", out, "--iterations", 2, "--tilt", 60]
    options = ["--set", "align.high=6", "--set", "align.angular_step=24", "--set", "starts=1"]
    poses = ["--particles", tmp_path / "poses.csv", "--pixel-size", 10, "--device", "cpu"]
    said = shell(*words, *options, *poses, "--json")
    assert said.code == 0, said.err
    assert said.json["n_averaged"] == 6
    assert said.json["gold_standard"]
    assert len(said.json["fsc"]) == SIDE // 2 + 1
    maps = [open_images([path])[0] for path in [out, *said.json["halves"]]]
    whole, one, two = (np.asarray(image.read()) for image in maps)
    assert maps[0].pixel_size == pytest.approx(10)
    assert shell_correlation(whole, (one + two) / 2).values[1:5].min() > 0.9
    curve = pd.read_csv(said.json["fsc_file"])
    assert curve["corrected"].round(4).tolist() == said.json["fsc"]
    assert curve["frequency"].iloc[-1] == pytest.approx(0.05)
    assert len(read_picks(tmp_path / "poses.csv").picks[0]) == 6


def test_an_average_can_start_from_a_map(shell, stack, reference, tmp_path):
    words = ["subtomo", "average", stack, "--out", tmp_path / "a.mrc", "--reference", reference]
    options = ["--iterations", 1, "--set", "align.high=5", "--set", "align.angular_step=30"]
    said = shell(*words, *options, "--tilt", f"{WEDGE.low:g},{WEDGE.high:g}", "--json")
    assert said.code == 0, said.err
    assert said.json["resolution"] is None or said.json["resolution"] > 2
