import pytest

from napari_cryoml.io import read_crops, read_standard

SMALL = ["--proteins", 5, "--size", 16]


def test_crops_tables_and_standards(shell, tmp_path) -> None:
    said = shell("cells", "simulate", "--out", tmp_path, *SMALL, "--cells", 2, "--json")
    assert said.code == 0
    assert said.json["n"] == 10
    crops = read_crops(said.json["crops"])
    assert (len(crops), crops.n_channels, crops.shape) == (10, 2, (16, 16))
    names = [read_standard(path).name for path in said.json["standards"]]
    assert names == ["compartment", "bioprocess", "pathway", "complex"]


def test_whole_images(shell, tmp_path) -> None:
    words = ["--fields", 2, "--set=shape=40,48", "--set=cells_per_field=3", "--seed", 2]
    said = shell("cells", "simulate", "--out", tmp_path, *SMALL, *words)
    assert said.code == 0
    assert "field_001.tif" in said.out
    assert (tmp_path / "field_001_labels.tif").exists()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--set=crowding=many"], "crowding"),
        (["--set=n_fields=2"], "n_fields"),
        (["--fields", 1, "--set=shape=8,8"], "no smaller than size"),
    ],
)
def test_options_that_do_not_fit_are_told_in_a_sentence(shell, tmp_path, words, problem) -> None:
    said = shell("cells", "simulate", "--out", tmp_path, *SMALL, *words)
    assert said.code != 0
    assert problem in said.sentences[-1]
