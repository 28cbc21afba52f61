"""Picking without training, through the shell."""

from pathlib import Path

import pytest

from napari_cryoml.io import read_picks


@pytest.mark.parametrize("method", ["log", "dog", "template"])
def test_a_baseline_finds_most_particles(shell, micrographs: Path, tmp_path: Path, method) -> None:
    truth, out = micrographs / "particles.star", tmp_path / "picks.star"
    words = ["--labels", truth] if method == "template" else []
    words += ["--method", method, "--diameter", 24, "--particles-per-image", 14, "--json"]
    said = shell("pick", "baseline", micrographs, *words, "--out", out)
    assert said.code == 0, said.err
    assert said.json["n_picks"] == 28
    assert read_picks(out).n_picks == 28
    judged = shell("pick", "evaluate", out, "--truth", truth, "--radius", 10, "--json")
    assert judged.json["best_f1"] > 0.6


def test_without_a_number_a_quarter_of_what_fits_is_kept(shell, micrographs, tmp_path) -> None:
    words = ["--diameter", 24, "--out", tmp_path / "p.star", "--heatmaps", tmp_path / "maps"]
    said = shell("pick", "baseline", micrographs, *words, "--json")
    assert set(said.json["images"].values()) == {round(256 * 240 / 24**2 / 4)}
    assert len(list((tmp_path / "maps").iterdir())) == 2


def test_template_matching_without_labels_is_a_sentence(shell, micrographs, tmp_path) -> None:
    words = ["--method", "template", "--diameter", 24, "--out", tmp_path / "p.star"]
    said = shell("pick", "baseline", micrographs, *words)
    assert said.code == 2
    assert "label" in said.err


def test_an_unknown_method_is_a_sentence(shell, micrographs, tmp_path) -> None:
    words = ["--method", "magic", "--diameter", 24, "--out", tmp_path / "p.star"]
    said = shell("pick", "baseline", micrographs, *words)
    assert said.code == 2
    assert "choose one of log, dog, template" in said.err
