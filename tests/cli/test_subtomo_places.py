"""Boxes that were cut, opened again: what is found goes back to the tomogram."""

from pathlib import Path

import numpy as np
import pytest
from tests.averaging.phantoms import SIDE, particle, subtomograms
from tests.cli.test_subtomo_train import cube_or_plate

from napari_cryoml.averaging import degrees_between
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io import read_embedding, read_picks, write_mrc, write_picks

BOX = 12
QUICK = ["--angular-step", 24, "--set", "high=6", "--device", "cpu"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Return a folder with a tomogram of cubes and plates and their list, with orientations."""
    folder = tmp_path_factory.mktemp("tomogram")
    grid = np.stack(np.meshgrid([8.0], range(10, 58, 12), [10.0, 30.0], indexing="ij"), -1)
    places = grid.reshape(-1, 3) + np.random.default_rng(0).uniform(-0.4, 0.4, (8, 3))
    volume = 0.1 * np.random.default_rng(1).normal(size=(16, 64, 40)).astype(np.float32)
    for row, place in enumerate(np.round(places).astype(int)):
        at = tuple(slice(p - BOX // 2, p + BOX // 2) for p in place)
        volume[at] += cube_or_plate(row % 2)
    write_mrc(folder / "t.mrc", volume, 10.0)
    kinds = np.array(["cube", "plate"])[np.arange(8) % 2]
    turned = np.stack([np.eye(3)[[0, 2, 1]] * [1, 1, -1]] * 8)
    picks = Picks("t.mrc", places, None, 10.0, None, {"class": kinds}, turned)
    write_picks(PicksTable.of([picks]), folder / "p.star")
    return folder


@pytest.mark.parametrize(
    ("name", "cutting"),
    [
        ("boxes.mrcs", "--sub-voxel"),
        ("boxes.zarr", "--whole-voxel"),
        ("boxes.npz", "--whole-voxel"),
        ("boxes", "--whole-voxel"),
    ],
)
def test_classes_of_boxes_go_back_to_the_tomogram(shell, folder, tmp_path, name, cutting):
    stack = tmp_path / name
    words = ["--picks", folder / "p.star", "--box", BOX, "--out", stack, cutting, "--tilt", 60]
    assert shell("subtomo", "extract", folder / "t.mrc", *words).code == 0
    boxes = stack.with_suffix(".star") if name.endswith("mrcs") else stack
    model, out = tmp_path / "m.safetensors", tmp_path / "c.star"
    words = [boxes, "--system", "few_shot", "--out", model]
    said = shell("subtomo", "train", *words, "--json")
    assert said.code == 0, said.err
    said = shell("subtomo", "classify", boxes, "--model", model, "--out", out)
    assert said.code == 0, said.err
    (picks,), (found,) = read_picks(folder / "p.star"), read_picks(out)
    assert (found.image, found.pixel_size) == ("t", 10.0)
    np.testing.assert_allclose(found.positions, picks.positions, atol=1e-6)
    np.testing.assert_allclose(found.rotations, picks.rotations, atol=1e-6)
    assert found.columns["class"].tolist() == picks.columns["class"].tolist()


def test_vectors_of_boxes_know_their_image(shell, folder, tmp_path):
    words = ["--picks", folder / "p.star", "--box", BOX, "--out", tmp_path / "boxes.mrcs"]
    assert shell("subtomo", "extract", folder / "t.mrc", *words).code == 0
    out = tmp_path / "e.parquet"
    assert shell("subtomo", "embed", tmp_path / "boxes.star", "--out", out).code == 0
    embedding = read_embedding(out)
    assert set(embedding.images.tolist()) == {"t.mrc"}
    (picks,) = read_picks(folder / "p.star")
    np.testing.assert_allclose(embedding.positions, picks.positions, atol=1e-6)


def test_a_stack_whose_list_lies_beside_it_points_there(shell, folder, tmp_path):
    boxes = tmp_path / "boxes.mrcs"
    words = ["--picks", folder / "p.star", "--box", BOX, "--out", boxes]
    assert shell("subtomo", "extract", folder / "t.mrc", *words).code == 0
    model = tmp_path / "m.safetensors"
    words = [tmp_path / "boxes.star", "--system", "few_shot", "--out", model]
    assert shell("subtomo", "train", *words).code == 0
    said = shell("subtomo", "classify", boxes, "--model", model, "--out", tmp_path / "c.star")
    assert said.code == 2
    assert "classify boxes.star beside it, or end its name in .csv" in said.sentences[-1]


def test_poses_of_boxes_go_back_to_the_tomogram(shell, tmp_path):
    places = np.array([[18.0, 20, 20], [20, 20, 50], [17, 50, 22]])
    made = subtomograms(3, wedge=None, shift=1.5, seed=2)
    volume = np.zeros((40, 70, 70), np.float32)
    for place, box in zip(places.astype(int), made.boxes, strict=True):
        volume[tuple(slice(at - SIDE // 2, at + SIDE // 2) for at in place)] += box
    write_mrc(tmp_path / "t.mrc", volume, 10.0)
    write_picks(PicksTable.of([Picks("t.mrc", places, pixel_size=10.0)]), tmp_path / "p.csv")
    reference = write_mrc(tmp_path / "boot.mrc", particle(), 10.0)
    words = ["--picks", tmp_path / "p.csv", "--box", SIDE, "--out", tmp_path / "b.mrcs"]
    assert shell("subtomo", "extract", tmp_path / "t.mrc", *words).code == 0
    out = tmp_path / "aligned.star"
    words = [tmp_path / "b.star", "--reference", reference, "--out", out, "--tilt", 90, *QUICK]
    said = shell("subtomo", "align", *words, "--json")
    assert said.code == 0, said.err
    (found,) = read_picks(out)
    assert found.image == "t"
    assert found.positions == pytest.approx(places + made.shifts, abs=0.4)
    assert degrees_between(found.rotations, made.rotations).max() < 8
