"""Recipes: a command as a file, and back."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.cli._recipes import recipe_of, words_of
from napari_cryoml.io import open_image
from napari_cryoml.recipes import Recipe

LIVE = ["pick", "live", "images/a.mrc", "images/b.mrc", "--labels", "labels.star"]
LIVE += ["--diameter", "1.35A", "--seed", "3", "--set", "encoder=false", "--set", "reach=2"]


def test_a_command_line_becomes_a_recipe_and_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = recipe_of([*LIVE, "--out", "picks.star", "--json"], tmp_path)
    assert recipe.command == "pick live"
    assert recipe.options == {
        "images": ["images/a.mrc", "images/b.mrc"],
        "labels": "labels.star",
        "diameter": "1.35A",
        "out": "picks.star",
        "seed": 3,
        "set": ["encoder=false", "reach=2"],
        "json": True,
    }
    words = words_of(recipe, Path())
    assert words[:2] == ["pick", "live"]
    assert recipe_of(words, tmp_path) == recipe


def test_defaults_are_not_written_down(tmp_path):
    recipe = recipe_of(["simulate", "micrographs", "--out", str(tmp_path / "s")], tmp_path)
    assert recipe.options == {"out": "s"}


def test_paths_are_told_from_the_folder_of_the_recipe(tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    recipe = recipe_of([*LIVE, "--out", "/elsewhere/p.star"], tmp_path / "kept")
    assert recipe.options["images"] == ["../work/images/a.mrc", "../work/images/b.mrc"]
    assert Path(tmp_path / "kept" / recipe.options["out"]).resolve() == Path("/elsewhere/p.star")
    words = words_of(recipe, tmp_path / "kept")
    places = {Path(word).resolve() for word in words if word.endswith("a.mrc")}
    assert places == {tmp_path / "work" / "images" / "a.mrc"}


def test_a_recipe_survives_its_file(tmp_path):
    recipe = Recipe(
        "pick live", {"images": ["ä b.mrc"], "seed": 0, "threshold": -1.5, "json": True}
    )
    assert Recipe.read(recipe.write(tmp_path / "r.yaml")) == recipe
    assert not list(tmp_path.glob("*.part"))


def test_a_flag_that_is_switched_off_says_so():
    words = words_of(Recipe("embed crops", {"out": "e.csv", "resume": False}), Path("f"))
    assert "--no-resume" in words
    assert words[words.index("--out") + 1] == "f/e.csv"


def test_a_recipe_runs_as_the_command_did(shell, tmp_path):
    out, recipe = tmp_path / "one", tmp_path / "recipe.yaml"
    words = ["--set", "shape=96,96", "--set", "diameter=24", "--seed", 4, "--n", 1]
    said = shell("--save-recipe", recipe, "simulate", "micrographs", "--out", out, *words)
    assert said.code == 0, said.err
    other = tmp_path / "two"
    said = shell("run", recipe, "--", "--out", other)
    assert said.code == 0, said.err
    assert "napari-cryoml simulate micrographs" in said.err
    one, two = (open_image(folder / "micrograph_000.mrc").read() for folder in (out, other))
    np.testing.assert_array_equal(one, two)
    assert (out / "particles.star").read_bytes() == (other / "particles.star").read_bytes()


def test_show_prints_the_command_and_runs_nothing(shell, tmp_path):
    recipe = Recipe("simulate micrographs", {"out": "s"}).write(tmp_path / "r.yaml")
    said = shell("run", recipe, "--show")
    assert said.out == f"napari-cryoml simulate micrographs --out {tmp_path / 's'} --\n"
    assert not (tmp_path / "s").exists()


def test_the_exit_code_is_that_of_the_command(shell, tmp_path):
    recipe = Recipe("pick evaluate", {"picks": "none.star", "truth": "no.star", "radius": "5"})
    said = shell("run", recipe.write(tmp_path / "r.yaml"))
    assert said.code == 2
    assert "no.star" in said.err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is no recipe"),
        ("a: 1", "is no recipe: a YAML file with recipe, command and options"),
        ("recipe: 2\ncommand: x\n", "format 2, and this version reads format 1"),
        ("recipe: 1\nversion: x\n", "one of them is missing"),
        ("recipe: 1\ncommand: pick live\nhook: rm\n", "it also has hook"),
        ("recipe: 1\ncommand: pick live\noptions: {a: {b: 1}}\n", "option 'a' should be"),
        ("recipe: 1\ncommand: pick live\noptions: {1: 1}\n", "option 1 should be"),
        ("recipe: [", "is no YAML"),
        ("!!python/object/apply:os.system [ls]", "is no YAML"),
        ("a: &a [1]\nb: *a\n", "refers to its own parts"),
        ("\x00", "is no YAML"),
    ],
)
def test_what_is_no_recipe_is_one_sentence(tmp_path, text, sentence):
    path = tmp_path / "r.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"r\.yaml") as caught:
        Recipe.read(path)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("depth", "sentence"), [(20, "is no YAML"), (100_000, "brackets lie in brackets")]
)
def test_a_deep_nest_is_refused_before_it_takes_long(tmp_path, depth, sentence):
    path = tmp_path / "r.yaml"
    path.write_text("[" * depth)
    with pytest.raises(InputError, match=sentence):
        Recipe.read(path)


def test_another_version_is_a_warning(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text(yaml.safe_dump({"recipe": 1, "version": "0.0.1", "command": "demo"}))
    with pytest.warns(InputWarning, match=r"made by version 0\.0\.1"):
        assert Recipe.read(path).command == "demo"


@pytest.mark.parametrize("command", ["fly", "pick", "pick fly", "", "pick live now"])
def test_a_command_that_is_none_is_refused(command):
    with pytest.raises(InputError, match=r"There is no command .*: it is one of .*pick live"):
        words_of(Recipe(command, {}), Path())


def test_an_option_that_is_none_is_refused():
    with pytest.raises(InputError, match="pick live has no option radius: it takes"):
        words_of(Recipe("pick live", {"radius": 1}), Path())


def test_a_recipe_of_a_recipe_is_refused(shell, tmp_path):
    recipe = Recipe("run", {"recipe": "r.yaml"}).write(tmp_path / "r.yaml")
    said = shell("run", recipe)
    assert said.code == 2
    assert "runs another recipe" in said.err


def test_half_a_command_has_no_recipe(shell, tmp_path):
    said = shell("--save-recipe", tmp_path / "r.yaml", "pick")
    assert said.code == 2
    assert "whole command" in said.err


def test_names_with_brackets_are_no_nest(tmp_path):
    recipe = Recipe("pick live", {"images": [f"[{n}] a.mrc" for n in range(100)]})
    assert Recipe.read(recipe.write(tmp_path / "r.yaml")) == recipe
