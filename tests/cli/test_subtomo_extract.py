from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

from napari_cryoml.data import MissingWedge, Picks, PicksTable
from napari_cryoml.io import read_crops, read_picks, write_mrc, write_picks

SHAPE = (30, 40, 50)
PLACES = np.array([[12.0, 15, 20], [14.25, 20.5, 33.1], [15, 3, 25]])


@pytest.fixture
def tomogram(tmp_path: Path) -> Path:
    """Return a tomogram of noise, 10 angstrom a voxel, with a bright voxel at the first place."""
    volume = np.random.default_rng(0).normal(50, 1, SHAPE).astype(np.float32)
    volume[12, 15, 20] = 90
    return write_mrc(tmp_path / "TS_01.mrc", volume, 10.0)


def particles(scale: float = 1.0, pixel_size: float | None = 10.0) -> PicksTable:
    columns = {"class": np.array(["ribosome", "26S proteasome", "ribosome"])}
    rotations = Rotation.random(3, rng=0).as_matrix()
    return PicksTable.of(
        [Picks("TS_01", PLACES * scale, None, pixel_size, None, columns, rotations)]
    )


@pytest.fixture
def picks(tmp_path: Path) -> Path:
    """Return its particles with poses and classes, as a STAR file."""
    return write_picks(particles(), tmp_path / "particles.star")[0]


def test_boxes_with_their_list(shell, tomogram, picks, tmp_path) -> None:
    out = tmp_path / "boxes.mrcs"
    words = ["subtomo", "extract", tomogram, "--picks", picks, "--box", 12, "--out", out, "--json"]
    said = shell(*words, "--tilt", "-50,60")
    assert said.code == 0, said.err
    listing = tmp_path / "boxes.star"
    assert said.json == {
        "boxes": str(out),
        "list": str(listing),
        "n": 3,
        "tomograms": 1,
        "box": 12,
        "size": 12,
        "pixel_size": 10.0,
        "with_orientation": 3,
        "classes": {"26S proteasome": 1, "ribosome": 2},
    }
    boxes = read_crops(listing)
    assert boxes.read([0])[0, 0, 6, 6, 6] == pytest.approx(90, abs=1e-3)
    assert boxes.wedge == MissingWedge(-50, 60)
    assert boxes.columns["class"].tolist() == ["ribosome", "26S proteasome", "ribosome"]
    again = read_picks(listing).picks[0]
    np.testing.assert_allclose(again.positions, PLACES, atol=1e-6)
    np.testing.assert_allclose(again.rotations, particles().picks[0].rotations, atol=1e-6)


@pytest.mark.parametrize("name", ["boxes.zarr", "boxes.npz", "folder"])
def test_other_kinds_of_boxes(shell, tomogram, picks, tmp_path, name) -> None:
    words = ["subtomo", "extract", tomogram, "--picks", picks, "--diameter", 12]
    said = shell(*words, "--size", 8, "--out", tmp_path / name, "--files", "em", "--json")
    assert said.code == 0, said.err
    assert (said.json["box"], said.json["size"]) == (18, 8)
    boxes = read_crops(tmp_path / name)
    assert boxes.shape == (8, 8, 8)
    assert boxes.pixel_size == pytest.approx(22.5)
    assert boxes.columns["class"].tolist()[1] == "26S proteasome"
    np.testing.assert_allclose(read_picks(said.json["list"]).picks[0].positions, PLACES, atol=1e-6)


def test_whole_voxels_are_those_of_the_tomogram(shell, tomogram, picks, tmp_path) -> None:
    words = ["subtomo", "extract", tomogram, "--picks", picks, "--box", 8, "--whole-voxel"]
    assert shell(*words, "--out", tmp_path / "b.npz", "--invert").code == 0
    from napari_cryoml.io import open_image

    volume = open_image(tomogram).read()
    expected = -volume[10:18, 17:25, 29:37]
    np.testing.assert_allclose(read_crops(tmp_path / "b.npz").read([1])[0, 0], expected, rtol=1e-6)


def test_boxes_at_the_border(shell, tomogram, picks, tmp_path) -> None:
    words = ["subtomo", "extract", tomogram, "--picks", picks, "--box", 12, "--json"]
    said = shell(*words, "--out", tmp_path / "b.mrcs", "--border", "drop")
    assert said.json["n"] == 2
    assert "1 of 3 picks were left out" in said.err
    assert shell(*words, "--out", tmp_path / "b.mrcs", "--border", "mean").json["n"] == 3


def test_particles_of_another_binning(shell, tomogram, tmp_path) -> None:
    path = write_picks(particles(8.0, 1.25), tmp_path / "unbinned.star")[0]
    words = ["subtomo", "extract", tomogram, "--picks", path, "--box", 12, "--json"]
    words += ["--out", tmp_path / "b.mrcs"]
    said = shell(*words)
    assert said.code == 2
    assert "scale them by 0.125 (--scale in the shell)" in said.json["error"]
    for scale in ("auto", 0.125):
        said = shell(*words, "--scale", scale)
        assert said.code == 0, said.err
        found = read_picks(tmp_path / "b.star").picks[0]
        np.testing.assert_allclose(found.positions, PLACES, atol=1e-5)
        assert found.pixel_size == pytest.approx(10)


def test_dynamo_poses_go_along(shell, tomogram, tmp_path) -> None:
    path = write_picks(particles(), tmp_path / "TS_01.tbl")[0]
    words = ["subtomo", "extract", tomogram, "--picks", path, "--box", 8, "--out", tmp_path / "b"]
    said = shell(*words, "--smooth-nm", 1, "--json")
    assert said.json["classes"] == {"26S proteasome": 1, "ribosome": 2}
    found = read_picks(tmp_path / "b" / "boxes.star").picks[0]
    np.testing.assert_allclose(found.rotations, particles().picks[0].rotations, atol=1e-6)
    angles = read_crops(tmp_path / "b").columns["rlnAngleTilt"]
    assert angles == pytest.approx(
        read_crops(tmp_path / "b" / "boxes.star").columns["rlnAngleTilt"]
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--diameter", "30A"], "makes boxes of 4 voxels, as a voxel has 10 angstrom"),
        (["--diameter", "300A"], "makes boxes of 44 voxels"),
        (["--diameter", "300A", "--pixel-size", 1], "makes boxes of 450 voxels"),
        (["--box", 12, "--border", "wrap"], "border: Input should be 'mirror', 'mean' or 'drop'"),
        (["--box", 12, "--files", "raw"], "--files takes mrc or em"),
        (["--box", 12, "--scale", "half"], "--scale takes a number above 0, or auto"),
        (["--box", 12, "--tilt", "steep"], "--tilt takes degrees"),
        (["--box", 99], "between 2 and 50 pixels"),
        ([], "do not tell how large the particles are"),
    ],
)
def test_mistakes_are_sentences(shell, tomogram, picks, tmp_path, options, sentence) -> None:
    words = ["subtomo", "extract", tomogram, "--picks", picks, "--out", tmp_path / "b.mrcs"]
    said = shell(*words, *options, "--json")
    assert said.code == 2
    assert sentence in said.json["error"]
    assert not (tmp_path / "b.mrcs").exists()


def test_tomograms_that_are_not_those_of_the_list(shell, tomogram, picks, tmp_path) -> None:
    words = ["subtomo", "extract", "--picks", picks, "--box", 8, "--json"]
    other = write_mrc(tmp_path / "other.mrc", np.zeros(SHAPE))
    said = shell(*words, other, "--out", tmp_path / "b.mrcs")
    assert "('TS_01') is among the 1 that are open ('other.mrc')" in said.json["error"]
    said = shell(*words, tomogram, "--out", tmp_path / "particles.mrcs")
    assert "would be written over" in said.json["error"]
    turned = tmp_path / "turned"
    turned.mkdir()
    write_mrc(turned / "TS_01.mrc", np.zeros((40, 30, 50)), 10.0)
    far = particles()
    far.picks[0].positions[:] = [[5, 39, 45], [29, 36, 3], [3, 35, 20]]
    write_picks(far, picks)
    said = shell(*words, turned / "TS_01.mrc", "--out", tmp_path / "b.mrcs")
    assert "z and y look swapped" in said.json["error"]
    empty = write_mrc(turned / "TS_01.mrc", np.full(SHAPE, np.nan), 10.0)
    said = shell(*words, empty, "--out", tmp_path / "b.mrcs")
    assert "None of the boxes has finite pixels" in said.json["error"]


@pytest.mark.parametrize("suffix", [".star", ".tbl", ".em"])
def test_a_pose_finds_the_parts_of_its_particle(shell, tmp_path, suffix) -> None:
    """A part at an offset of the reference lies at place + rotation @ offset, in every box."""
    offsets = np.array([[4.0, 0, 0], [0, 5, 0], [0, 0, -6], [-3, -3, 3]])
    places = np.array([[16.3, 16, 20.8], [15.5, 18.25, 44]])
    rotations = Rotation.random(2, rng=3).as_matrix()
    parts = (places[:, None] + np.einsum("nij,pj->npi", rotations, offsets)).reshape(-1, 3)
    grid = np.indices((32, 36, 64))
    squared = [sum((g - at) ** 2 for g, at in zip(grid, part, strict=True)) for part in parts]
    volume = np.exp(-np.array(squared) / 3).sum(axis=0)
    tomogram = write_mrc(tmp_path / "t.mrc", volume, 10.0)
    picks = PicksTable.of([Picks("t", places, pixel_size=10.0, rotations=rotations)])
    listing = write_picks(picks, tmp_path / f"t{suffix}")[0]
    words = ["subtomo", "extract", tomogram, "--picks", listing, "--box", 22]
    assert shell(*words, "--out", tmp_path / "boxes").code == 0
    found = read_picks(tmp_path / "boxes" / "boxes.star").picks[0]
    boxes = read_crops(tmp_path / "boxes").read([0, 1])[:, 0]
    for box, rotation in zip(boxes, found.rotations, strict=True):
        at = 11 + (rotation @ offsets.T)
        assert map_coordinates(box, at, order=3).min() > 0.9
