import json
from pathlib import Path

import pytest

from napari_cryoml.project import Project


@pytest.mark.slow
def test_the_demo_on_images_of_ones_own(shell, micrographs: Path, tmp_path: Path) -> None:
    labels = micrographs / "particles.star"
    words = [micrographs, "--labels", labels, "--diameter", "96A", "--minutes", 0.02]
    said = shell("demo", *words, "--out", tmp_path / "out", "--no-viewer", "--json")
    assert said.code == 0, said.err
    assert said.json["n_labels"] == 28
    assert said.json == json.loads((tmp_path / "out" / "report.json").read_text()) | {
        "out": str(tmp_path / "out")
    }
    with Project.open(tmp_path / "out" / "demo.cryoml") as project:
        assert len(project.images()) == 2


@pytest.mark.parametrize("words", [[], ["--labels", "x.star"], ["--diameter", "24"]])
def test_images_of_ones_own_need_labels_and_a_diameter(
    shell, micrographs: Path, tmp_path: Path, words: list
) -> None:
    said = shell("demo", micrographs, *words, "--out", tmp_path / "out", "--no-viewer")
    assert (said.code, len(said.sentences)) == (2, 1)
    assert "need --labels FILE and --diameter PX" in said.err


def test_without_a_screen_it_says_what_to_install(shell, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("napari_cryoml.cli._display.has_display", lambda: False)
    monkeypatch.setattr("shutil.which", lambda name: None)
    said = shell("demo", "--out", tmp_path / "out")
    assert (said.code, len(said.sentences)) == (2, 1)
    assert "--no-viewer" in said.err
    assert not (tmp_path / "out").exists()
