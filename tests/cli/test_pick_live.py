"""Live picking through the shell gives what the dock gives."""

from pathlib import Path

import numpy as np
import pytest

from napari_cryoml.data import Annotations, Picks, PicksTable
from napari_cryoml.io import open_images, read_picks, write_mrc, write_picks
from napari_cryoml.picking import final_picks, labels_from_table
from napari_cryoml.picking.live import LiveConfig, LiveRequest, LiveService

FAST = ["--set", "encoder=false", "--device", "cpu"]


@pytest.fixture
def labels(micrographs: Path, tmp_path: Path) -> Path:
    """Write four particles of each micrograph, and a place in each that is none."""
    rows = []
    for picks in read_picks(micrographs / "particles.star"):
        places = np.concatenate([picks.positions[:4], [[60.5, 30.25]]])
        rows.append(Picks(picks.image, places, columns={"label": np.array([1, 1, 1, 1, 0])}))
    write_picks(PicksTable.of(rows), tmp_path / "labels.csv")
    return tmp_path / "labels.csv"


def live(shell, micrographs: Path, labels: Path, out: Path, *words: object):
    basics = ["--labels", labels, "--diameter", 24, "--out", out, *FAST]
    return shell("pick", "live", micrographs, *basics, *words)


def by_image(table):
    """Return rows of position and score, sorted: unfound labels stand in the order of labels."""
    rows = {entry.image: np.column_stack([entry.positions, entry.scores]) for entry in table}
    return {name: sorted(each.round(2).tolist()) for name, each in rows.items()}


def from_the_dock(micrographs: Path, labels: Path, seed: int = 0, reverse: bool = False):
    """Return what the dock writes: answers for each image, down to its threshold."""
    images = open_images([micrographs])
    known = labels_from_table(read_picks(labels), [image.name for image in images])
    if reverse:
        known = {
            name: Annotations(entry.positions[::-1], entry.labels[::-1])
            for name, entry in reversed(known.items())
        }
    service = LiveService(images)
    config = LiveConfig(
        diameter=24, pixel_size=images[0].pixel_size, encoder=False, device="cpu", seed=seed
    )
    tables = []
    for image in images:
        found = service.answer(LiveRequest(known, image.name, config))
        tables.append(final_picks(found.picks, known[image.name], found.threshold, 24))
    return PicksTable.of(tables), found


@pytest.mark.parametrize("reverse", [False, True])
def test_the_shell_writes_the_picks_of_the_dock(shell, micrographs, labels, tmp_path, reverse):
    said = live(shell, micrographs, labels, tmp_path / "picks.csv", "--seed", 3, "--json")
    assert said.code == 0, said.err
    expected, answer = from_the_dock(micrographs, labels, seed=3, reverse=reverse)
    assert by_image(read_picks(tmp_path / "picks.csv")) == by_image(expected)
    assert said.json["n_picks"] == expected.n_picks > 8
    assert said.json["threshold"] == pytest.approx(answer.threshold)
    assert said.json["class_prior"]["particles_per_image"] == pytest.approx(answer.prior.to_json())


def test_what_is_said_as_json(shell, micrographs, labels, tmp_path):
    out = tmp_path / "picks.star"
    said = live(shell, micrographs, labels, out, "--particles-per-image", 14, "--json")
    assert said.code == 0, said.err
    assert set(said.json["average_seconds"]) == {"features", "fit", "score"}
    assert all(value > 0 for value in said.json["average_seconds"].values())
    assert said.json["class_prior"]["particles_per_image"] == {"value": 14, "low": 14, "high": 14}
    assert said.json["picks"] == [str(out)]
    assert sum(said.json["images"].values()) == said.json["n_picks"]
    assert "left_out" not in said.json


def test_a_higher_threshold_keeps_fewer_but_all_that_is_labelled(
    shell, micrographs, labels, tmp_path
):
    low = live(shell, micrographs, labels, tmp_path / "a.csv", "--threshold", -2, "--json").json
    high = live(shell, micrographs, labels, tmp_path / "b.csv", "--threshold", 50, "--json").json
    assert low["n_picks"] > high["n_picks"] == 8
    assert low["threshold"] == -2


def test_lengths_in_angstrom(shell, micrographs, labels, tmp_path):
    pixels = live(shell, micrographs, labels, tmp_path / "a.csv", "--json").json
    size = open_images([micrographs])[0].pixel_size
    said = live(
        shell, micrographs, labels, tmp_path / "b.csv", "--diameter", f"{24 * size:g}A", "--json"
    )
    assert said.json["n_picks"] == pixels["n_picks"]


def test_an_image_that_cannot_be_used_is_left_out(shell, micrographs, labels, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for path in micrographs.glob("*.mrc"):
        (folder / path.name).symlink_to(path)
    write_mrc(folder / "flat.mrc", np.zeros((256, 240), np.float32), 5.0)
    said = live(shell, folder, labels, tmp_path / "picks.csv", "--json")
    assert said.code == 0, said.err
    assert len(said.json["left_out"]) == 1
    assert "flat.mrc" in said.json["left_out"][0]
    assert set(said.json["images"]) == {path.name for path in micrographs.glob("*.mrc")}


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--threshold", "nan"], "--threshold takes"),
        (["--diameter", "0"], "--diameter takes"),
        (["--head", "deep"], "head"),
        (["--set", "magic=1"], "choose one of"),
        (["--out", "picks.magic"], "picks.magic"),
    ],
)
def test_mistakes_are_sentences(shell, micrographs, labels, tmp_path, words, part):
    words = [tmp_path / word if word == "picks.magic" else word for word in words]
    said = live(shell, micrographs, labels, tmp_path / "picks.csv", *words)
    assert said.code == 2
    assert part in said.err
    assert len(said.err.strip().splitlines()) == 1


def test_labels_that_are_all_negative_are_a_sentence(shell, micrographs, tmp_path):
    name = next(micrographs.glob("*.mrc")).name
    nothing = Picks(name, np.array([[30.0, 30.0]]), columns={"label": np.array([0])})
    write_picks(PicksTable.of([nothing]), tmp_path / "labels.csv")
    said = live(shell, micrographs, tmp_path / "labels.csv", tmp_path / "picks.csv")
    assert said.code == 2
    assert "no labelled particle" in said.err
