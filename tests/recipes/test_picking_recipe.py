from pathlib import Path

import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.recipes import PickingRecipe, Recipe, read_picking_recipe, seen_from


def written(folder, command, **options):
    named = {name.replace("_", "-"): value for name, value in options.items()}
    return Recipe(command, named).write(folder / "r.yaml")


def test_flags_become_settings_and_paths_start_at_the_recipe(tmp_path):
    path = written(
        tmp_path,
        "pick live",
        images=["a/*.mrc", "b.mrc"],
        labels="labels.csv",
        diameter="180A",
        threshold=-1.5,
        marked_box="b.mrc:1,2,3,4",
        particles_per_image=80,
        set=["encoder=false"],
    )
    assert read_picking_recipe(path) == PickingRecipe(
        "pick live",
        (tmp_path / "a/*.mrc", tmp_path / "b.mrc"),
        labels=tmp_path / "labels.csv",
        diameter="180A",
        threshold=-1.5,
        marked_box="b.mrc:1,2,3,4",
        settings=("particles_per_image=80", "encoder=false"),
    )


def test_steps_alone_mean_no_limit_of_time(tmp_path):
    read = read_picking_recipe(written(tmp_path, "pick train", images="a.mrc", steps=30, model="x"))
    assert read.model is None, "of training, that is the name of a network"
    assert set(read.settings) == {"model=x", "training.steps=30", "training.minutes=none"}


@pytest.mark.parametrize(
    ("command", "options", "words"),
    [
        ("embed crops", {"images": "a.mrc"}, "run this one with napari-cryoml run"),
        ("pick run", {}, "names no images"),
        ("pick run", {"images": "a.mrc", "threshold": "high"}, "threshold should be a number"),
    ],
)
def test_what_cannot_be_opened_is_one_sentence(tmp_path, command, options, words):
    with pytest.raises(InputError, match=words):
        read_picking_recipe(written(tmp_path, command, **options))


def test_a_path_is_told_from_the_folder_of_the_recipe(tmp_path):
    assert seen_from(tmp_path / "kept", tmp_path / "a" / "b.mrc") == "../a/b.mrc"
    assert seen_from(Path("x"), Path("x/b.mrc")) == "b.mrc"
