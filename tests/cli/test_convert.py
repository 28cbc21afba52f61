from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree

from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io import read_picks, write_mrc, write_picks

POSITIONS = np.array([[10.0, 20.0], [30.5, 7.0], [0.0, 59.0]])


@pytest.fixture
def star(tmp_path: Path) -> Path:
    """Return the picks of two images, of 40 x 60 pixels, as a STAR file."""
    picks = (Picks(name, POSITIONS + index, pixel_size=2.0) for index, name in enumerate("ab"))
    return write_picks(PicksTable.of(picks), tmp_path / "picks.star")[0]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Return a folder of the two images."""
    folder = tmp_path / "images"
    folder.mkdir()
    for name in "ab":
        write_mrc(folder / f"{name}.mrc", np.zeros((40, 60)))
    return folder


def _positions(path: Path, image: str = "a") -> np.ndarray:
    return next(p.positions for p in read_picks(path) if Path(p.image).stem == image)


def test_there_and_back(shell, star: Path, tmp_path: Path) -> None:
    boxes = tmp_path / "boxes"
    words = ["convert", star, boxes, "--to", "box", "--box-size", 20, "--json"]
    said = shell(*words)
    assert said.code == 0, said.err
    assert said.json == {"files": [str(boxes / "a.box"), str(boxes / "b.box")]}
    assert shell("convert", boxes, tmp_path / "again.star").code == 0
    for image in "ab":
        again = _positions(tmp_path / "again.star", image)
        assert again == pytest.approx(_positions(star, image), abs=0.5)


def test_the_files_are_told(shell, star: Path, tmp_path: Path) -> None:
    said = shell("convert", star, tmp_path / "new" / "p.csv")
    assert said.out == f"files: {tmp_path / 'new' / 'p.csv'}\n"


def test_scaling(shell, star: Path, tmp_path: Path) -> None:
    assert shell("convert", star, tmp_path / "half.star", "--scale", 0.5).code == 0
    half = read_picks(tmp_path / "half.star").picks[0]
    assert half.positions == pytest.approx(POSITIONS / 2)
    assert half.pixel_size == pytest.approx(4)


def test_flipping_twice_changes_nothing(shell, star: Path, images: Path, tmp_path: Path) -> None:
    once, twice = tmp_path / "once.star", tmp_path / "twice.star"
    assert shell("convert", star, once, "--flip-y", "--images", images).code == 0
    assert shell("convert", once, twice, "--flip-y", "--images", images).code == 0
    expected = np.column_stack([39 - POSITIONS[:, 0], POSITIONS[:, 1]])
    assert _positions(once) == pytest.approx(expected)
    assert _positions(twice) == pytest.approx(POSITIONS)


def test_flipping_comes_before_scaling(shell, star: Path, images: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.star"
    shell("convert", star, out, "--scale", 2, "--flip-y", "--images", images)
    assert _positions(out)[:, 0] == pytest.approx(2 * (39 - POSITIONS[:, 0]))


def test_flipping_asks_for_the_images(shell, star: Path, tmp_path: Path) -> None:
    said = shell("convert", star, tmp_path / "out.star", "--flip-y", "--json")
    assert said.code == 2
    assert "needs the height of the image" in said.json["error"]
    assert "--images" in said.json["error"]
    assert not (tmp_path / "out.star").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["missing.star", "out.csv"], "There is no file"),
        (["picks.star", "out.xyz"], "does not tell the format to write"),
        (["picks.star", "out.csv", "--to", "nonsense"], "no coordinate format named 'nonsense'"),
        (["picks.star", "out.csv", "--scale", "-1"], "scale must be a number above 0"),
        (["picks.star", "out.box"], "--box-size"),
    ],
)
def test_what_cannot_be_converted_is_one_sentence(
    shell, star: Path, monkeypatch: pytest.MonkeyPatch, words: list, sentence: str
) -> None:
    monkeypatch.chdir(star.parent)
    said = shell("convert", *words)
    assert said.code == 2
    assert len(said.sentences) == 1
    assert sentence in said.err
    assert [path.name for path in star.parent.iterdir()] == ["picks.star"]


@pytest.mark.parametrize("time", ["14_57_34", "15_14_01"])
def test_flipped_picks_of_another_expert_agree(
    shell, shared_data: Path, tmp_path: Path, time: str
) -> None:
    folder = shared_data / "micrographs" / "empiar10017_betagal"
    image, out = f"Falcon_2012_06_12-{time}_0.jpg", tmp_path / "mended.star"
    source = folder / f"manual_yflipped_{time}.star"
    words = ["--flip-y", "--image", image, "--images", folder / image]
    assert shell("convert", source, out, *words).code == 0
    truth = next(p for p in read_picks(folder / "particles.csv") if time in p.image)
    shares = []
    for path in (source, out):
        found = read_picks(path, image=image).picks[0].positions
        shares.append(np.mean(cKDTree(truth.positions).query(found)[0] < 40))
    assert shares[0] < 0.5
    assert shares[1] > 0.7
