"""Train, run, evaluate and import through the shell, on micrographs of 256 x 240 pixels."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io import open_image, read_picks, write_mrc, write_picks
from napari_cryoml.models import detectors
from napari_cryoml.picking import Picker, _imported

TINY = [f"--set={setting}" for setting in ("network.units=4", "training.crops=2", "separation=1")]


def _train(shell, micrographs: Path, out: Path, *words: object):
    """Train for a few steps; later words replace earlier ones."""
    labels = ["--labels", micrographs / "particles.star", "--diameter", 24, "--steps", 2]
    return shell("pick", "train", micrographs, *labels, *TINY, "--out", out, *words)


def test_training_writes_a_picker(shell, micrographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "m.safetensors"
    said = _train(shell, micrographs, out, "--seed", 5, "--device", "cpu", "--json")
    assert said.code == 0, said.err
    assert said.err == ""
    assert len(said.out.splitlines()) == 1
    assert said.json["model"] == str(out)
    assert said.json["steps"] == 2
    assert said.json["loss"] > 0
    assert said.json["device"].startswith("CPU")
    assert 0 <= said.json["validation_ap"] <= 1
    picker = Picker.load(out)
    assert picker.config.diameter == 24
    assert picker.config.network.units == 4
    assert picker.config.training.seed == 5
    assert picker.summary["positives"] == 28


def test_every_flag_of_training_reaches_the_picker(shell, micrographs, tmp_path: Path) -> None:
    out = tmp_path / "m.safetensors"
    words = ["--objective", "nnpu", "--autoencoder", "auto", "--model", "conv63", "--minutes", 1]
    words += ["--diameter", "120a", "--particles-per-image", 14, "--device", "cpu"]
    said = _train(shell, micrographs, out, *words)
    assert said.code == 0, said.err
    config = Picker.load(out).config
    assert (config.objective, config.autoencoder, config.model) == ("nnpu", "auto", "conv63")
    assert (config.training.minutes, config.training.steps) == (1, 2)
    assert config.diameter == pytest.approx(120 / 4)
    assert config.particles_per_image == 14
    assert config.device == "cpu"


def test_the_live_picker_is_measured_beside_the_network(shell, micrographs, tmp_path: Path) -> None:
    out = tmp_path / "m.safetensors"
    said = _train(shell, micrographs, out, "--live", "--live-labels", "--device", "cpu", "--json")
    assert said.code == 0, said.err
    picker = Picker.load(out)
    assert picker.config.live_labels
    assert said.json["better"] == picker.summary["better"]
    assert said.json["live_validation_ap"] == picker.summary["live_validation_ap"] > 0
    assert said.json["validation_ap"] == picker.summary["validation_ap"]


def test_angstrom_of_images_that_do_not_say(shell, micrographs: Path, tmp_path: Path) -> None:
    image = tmp_path / "micrograph_000.mrc"
    write_mrc(image, open_image(micrographs / image.name).read())
    out = tmp_path / "m.safetensors"
    words = ["pick", "train", image, "--labels", micrographs / "particles.star", "--steps", 1]
    words += ["--diameter", "48A", "--out", out, *TINY]
    said = shell(*words)
    assert (said.code, len(said.sentences)) == (2, 1)
    assert "--pixel-size" in said.err
    assert shell(*words, "--pixel-size", 2).code == 0
    assert Picker.load(out).config.diameter == 24


def test_going_on_from_a_model(shell, micrographs: Path, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.safetensors"
    said = _train(shell, micrographs, out, "--start", model, "--json")
    assert said.code == 0, said.err
    assert said.json["steps"] == 7


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--model", "conv99"], "no network named 'conv99': choose one of conv31"),
        (["--objective", "luck"], "no objective named 'luck': choose one of"),
        (["--autoencoder", "much"], "autoencoder"),
        (["--steps", 0], "training.steps: Input should be greater than 0"),
        (["--diameter", "wide"], "--diameter takes a length"),
        (["--diameter", 3000], "diameter"),
        (["--device", "abacus"], "abacus"),
        (["--pixel-size", -1], "--pixel-size takes"),
        (["--set", "working_diameter=300"], "working_diameter: .*less than or equal to 200"),
        (["--set", "nonsense=1"], "--set nonsense: choose one of diameter"),
    ],
    ids=str,
)
def test_a_wrong_option_of_training_is_one_sentence(
    shell, micrographs: Path, tmp_path: Path, words: list, sentence: str
) -> None:
    said = _train(shell, micrographs, tmp_path / "m.safetensors", *words)
    assert said.code == 2, said.err
    assert len(said.sentences) == 1
    assert re.search(sentence, said.err)
    assert list(tmp_path.iterdir()) == []


def test_picking_writes_picks_and_heat_maps(shell, micrographs, model, tmp_path: Path) -> None:
    out, maps = tmp_path / "new" / "p.star", tmp_path / "maps"
    words = ["--model", model, "--out", out, "--heatmaps", maps, "--threshold", -6, "--json"]
    said = shell("pick", "run", micrographs, *words)
    assert said.code == 0, said.err
    assert len(said.out.splitlines()) == 1
    table = read_picks(out)
    assert said.json["picks"] == [str(out)]
    assert said.json["n_picks"] == table.n_picks > 10
    assert said.json["images"] == {picks.image: len(picks) for picks in table}
    assert said.json["threshold"] == -6
    assert said.json["device"]
    assert "left_out" not in said.json
    assert all((picks.scores >= -6).all() for picks in table)
    heat = open_image(maps / "micrograph_000_scores.mrc")
    assert heat.read().max() == pytest.approx(table.picks[0].scores.max(), abs=0.5)
    extent = np.array(heat.shape) * heat.pixel_size
    assert extent == pytest.approx(np.array([256, 240]) * 4, rel=0.1)


def test_a_higher_threshold_gives_a_part_of_the_picks(shell, micrographs, model, tmp_path) -> None:
    image, out = micrographs / "micrograph_000.mrc", tmp_path / "p.csv"
    words = ["pick", "run", image, "--model", model, "--out", out, "--threshold"]
    shell(*words, -6)
    all_of_them = read_picks(out).picks[0]
    middle = float(np.median(all_of_them.scores))
    shell(*words, middle)
    part = read_picks(out).picks[0]
    assert 0 < len(part) < len(all_of_them)
    assert part.positions == pytest.approx(all_of_them.positions[: len(part)])


def test_by_default_the_threshold_is_what_training_proposed(
    shell, micrographs, model, tmp_path
) -> None:
    words = ["--model", model, "--out", tmp_path / "p.csv", "--json"]
    said = shell("pick", "run", micrographs, *words)
    assert said.json["threshold"] == Picker.load(model).threshold


def test_boxes_go_to_one_file_an_image(shell, micrographs, model, tmp_path: Path) -> None:
    words = ["--model", model, "--out", tmp_path / "p.box", "--threshold", -6, "--json"]
    said = shell("pick", "run", micrographs, *words)
    names = ["micrograph_000.box", "micrograph_001.box"]
    assert said.json["picks"] == [str(tmp_path / "p" / name) for name in names]


@pytest.mark.parametrize(
    ("out", "sentence"),
    [
        ("p.xyz", "does not tell the format to write"),
        ("p.tbl", "does not hold 2-D picks"),
        ("", "is a folder: give the name of a file"),
    ],
)
def test_a_place_for_picks_is_checked_before_the_work(
    shell, micrographs, model, tmp_path: Path, monkeypatch, out: str, sentence: str
) -> None:
    monkeypatch.setattr("napari_cryoml.picking.pick_images", lambda *a, **k: pytest.fail("picked"))
    said = shell("pick", "run", micrographs, "--model", model, "--out", tmp_path / out)
    assert (said.code, len(said.sentences)) == (2, 1)
    assert sentence in said.err
    assert str(tmp_path) in said.err or "2-D" in said.err


def test_heat_maps_of_a_stack_have_names_of_their_own(shell, micrographs, model, tmp_path) -> None:
    pixels = [image.read() for image in map(open_image, sorted(micrographs.glob("*.mrc")))]
    stack = write_mrc(tmp_path / "s.mrcs", np.stack(pixels), 4.0)
    words = ["--model", model, "--out", tmp_path / "p.star", "--heatmaps", tmp_path / "maps"]
    assert shell("pick", "run", stack, *words).code == 0
    names = sorted(path.name for path in (tmp_path / "maps").iterdir())
    assert names == ["s_0_scores.mrc", "s_1_scores.mrc"]


def test_heat_maps_of_one_name_are_refused(shell, micrographs, model, tmp_path: Path) -> None:
    pixels = open_image(micrographs / "micrograph_000.mrc").read()
    images = [write_mrc(tmp_path / name, pixels) for name in ("a.mrc", "a.rec")]
    words = ["--model", model, "--out", tmp_path / "p.csv", "--heatmaps", tmp_path / "maps"]
    said = shell("pick", "run", *images, *words)
    assert (said.code, len(said.sentences)) == (2, 1)
    assert "heat maps of 'a.mrc' and 'a.rec' would have one name" in said.err


@pytest.fixture
def found(tmp_path: Path) -> Path:
    """Return four picks of two images, three of them within 5 px of a particle."""
    table = PicksTable.of(
        [
            Picks("x/a.mrc", [[10, 10], [50, 50], [90, 90]], np.array([3, 2, 1], np.float32)),
            Picks("x/b.mrc", [[20, 20]], np.array([2.5], np.float32)),
        ]
    )
    return write_picks(table, tmp_path / "found.csv")[0]


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """Return the four particles there are."""
    table = PicksTable.of(
        [
            Picks("a.mrc", [[12, 10], [52, 50], [10, 90]], pixel_size=2.0),
            Picks("b.mrc", [[20, 20]], pixel_size=2.0),
        ]
    )
    return write_picks(table, tmp_path / "truth.star")[0]


@pytest.mark.parametrize("radius", ["5", "10A", "10a"])
def test_evaluation_in_json(shell, found: Path, truth: Path, radius: str) -> None:
    said = shell("pick", "evaluate", found, "--truth", truth, "--radius", radius, "--json")
    assert said.code == 0, said.err
    figures = said.json
    assert figures["average_precision"] == pytest.approx(0.75)
    assert figures["precision_at_recall"] == {"0.25": 1, "0.5": 1, "0.75": 1, "0.9": 0}
    assert figures["best_f1"] == pytest.approx(6 / 7)
    assert (figures["n_truth"], figures["n_picks"], figures["radius"]) == (4, 4, 5)
    assert figures["per_image"]["b.mrc"]["average_precision"] == 1


def test_evaluation_for_people(shell, found: Path, truth: Path) -> None:
    said = shell("pick", "evaluate", found, "--truth", truth, "--radius", 5)
    assert said.out.splitlines()[:3] == [
        "average precision: 0.75",
        "precision at recall:",
        "  0.25: 1",
    ]


def test_no_picks_at_all_are_judged_too(shell, truth: Path, tmp_path: Path) -> None:
    nothing = tmp_path / "none.csv"
    nothing.write_text("image_name,x_coord,y_coord\n")
    words = ["--truth", truth, "--radius", 5, "--json"]
    said = shell("pick", "evaluate", nothing, *words)
    assert said.code == 0
    assert (said.json["average_precision"], said.json["n_picks"]) == (0, 0)


def test_evaluation_without_truth_is_one_sentence(shell, found: Path, tmp_path: Path) -> None:
    nothing = tmp_path / "none.csv"
    nothing.write_text("image_name,x_coord,y_coord\n")
    said = shell("pick", "evaluate", found, "--truth", nothing, "--radius", 5)
    assert (said.code, len(said.sentences)) == (2, 1)
    assert "holds no particles to compare with" in said.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--radius", "near"], "--radius takes a length"),
        (["--radius", "10A", "--pixel-size", "0"], "--pixel-size takes"),
    ],
)
def test_a_wrong_radius_is_one_sentence(shell, found, truth, words: list, sentence: str) -> None:
    said = shell("pick", "evaluate", found, "--truth", truth, *words)
    assert (said.code, len(said.sentences)) == (2, 1)
    assert sentence in said.err


def test_picks_of_other_images_are_one_sentence(shell, found: Path, tmp_path: Path) -> None:
    other = write_picks(PicksTable.of([Picks("c.mrc", [[1, 1]])]), tmp_path / "other.csv")[0]
    said = shell("pick", "evaluate", found, "--truth", other, "--radius", 5)
    assert (said.code, len(said.sentences)) == (2, 1)
    assert "none of them match" in said.err


@pytest.fixture
def topaz(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a model of Topaz be a small network of ours."""
    network = detectors.create("conv31", units=2)
    torch.manual_seed(0)
    state = network.build().state_dict()
    monkeypatch.setattr(_imported, "import_topaz", lambda path, trust: (network, state))


@pytest.mark.usefixtures("topaz")
@pytest.mark.parametrize("with_images", [True, False])
def test_a_model_of_topaz_picks(shell, micrographs, tmp_path: Path, with_images: bool) -> None:
    out = tmp_path / "m.safetensors"
    words = ["--trust", "--diameter", "96A", "--downsampling", 2, "--out", out, "--json"]
    words += ["--images", micrographs] if with_images else ["--pixel-size", 4]
    said = shell("pick", "import-topaz", "m.sav", *words)
    assert said.code == 0, said.err
    assert said.json["network"] == "conv31"
    assert said.json["units"] == 2
    assert said.json["diameter_px"] == 24
    assert Picker.load(out).preprocessor.config.working_diameter == 12
    words = ["--model", out, "--out", tmp_path / "p.csv", "--threshold", -6, "--json"]
    assert shell("pick", "run", micrographs, *words).json["n_picks"] > 0


def test_a_model_of_topaz_asks_for_trust(shell, tmp_path: Path) -> None:
    file = tmp_path / "m.sav"
    file.write_bytes(b"\x80\x02not read")
    words = ["--diameter", 24, "--downsampling", 2, "--out", tmp_path / "m.safetensors"]
    said = shell("pick", "import-topaz", file, *words)
    assert (said.code, len(said.sentences)) == (2, 1)
    assert "--trust" in said.err
    assert not (tmp_path / "m.safetensors").exists()


def test_workers_find_the_same_and_a_rerun_skips_it(shell, micrographs, tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    _train(shell, micrographs, model, "--device", "cpu")
    words = ["pick", "run", micrographs, "--model", model, "--threshold", -6, "--device", "cpu"]
    alone = shell(*words, "--out", tmp_path / "alone.csv", "--json")
    keep = ["--keep", tmp_path / "kept", "--workers", 2]
    spread = shell(*words, "--out", tmp_path / "spread.csv", *keep, "--json")
    assert alone.code == spread.code == 0, spread.err
    assert "2 workers, 2 at a time, at tcp://127.0.0.1:" in spread.err
    assert (tmp_path / "alone.csv").read_bytes() == (tmp_path / "spread.csv").read_bytes()
    kept = sorted((tmp_path / "kept").iterdir())
    assert len(kept) == len(spread.json["images"]) > 1
    times = [path.stat().st_mtime_ns for path in kept]
    again = shell(*words, "--out", tmp_path / "again.csv", *keep[:2], "--json")
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "alone.csv").read_bytes()
    assert [path.stat().st_mtime_ns for path in kept] == times
    assert again.json["n_picks"] == alone.json["n_picks"]


def test_a_scheduler_that_is_not_there_is_one_sentence(shell, micrographs, tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    _train(shell, micrographs, model, "--device", "cpu")
    words = ["--out", tmp_path / "p.csv", "--scheduler", "nowhere://here"]
    said = shell("pick", "run", micrographs, "--model", model, *words)
    assert said.code == 2
    assert said.err.startswith("No Dask scheduler answered at nowhere://here")
