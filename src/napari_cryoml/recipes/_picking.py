"""What a recipe says of picking, for who carries it out in another way than the shell."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_cryoml._errors import InputError
from napari_cryoml.recipes._recipe import Recipe, Value

# The flags of each command that are options of its Config as well, by the names these have.
_FLAGS: Mapping[str, Mapping[str, str]] = {
    "pick live": {
        name: name.replace("-", "_") for name in ("head", "particles-per-image", "seed", "device")
    },
    "pick train": {
        "objective": "objective",
        "autoencoder": "autoencoder",
        "model": "model",
        "minutes": "training.minutes",
        "steps": "training.steps",
        "seed": "training.seed",
        "device": "device",
        "particles-per-image": "particles_per_image",
        "live-labels": "live_labels",
    },
    "pick run": {"device": "device"},
}

PICKING_COMMANDS = tuple(_FLAGS)
"""Commands whose recipes a dock can open."""


@dataclass(frozen=True, slots=True)
class PickingRecipe:
    """A recipe of `PICKING_COMMANDS` with its paths as they are seen from here.

    Parameters
    ----------
    command : str
    images : tuple of Path
        Files, folders, patterns or lists.
    labels : Path or None
    model : Path or None
        What picks, or what training starts from.
    diameter : str
        As it was typed, "180A" or "108"; "" where the model knows it.
    pixel_size : float or None
        Angstrom per pixel, where the images do not say.
    threshold : float or None
        Least score (log-odds) of a pick; None for what the picker proposes.
    marked_box : str
        IMAGE:Y0,X0,Y1,X1, or "" for none.
    settings : tuple of str
        Options of the picker's Config, as `with_settings` takes them.
    """

    command: str
    images: tuple[Path, ...]
    labels: Path | None = None
    model: Path | None = None
    diameter: str = ""
    pixel_size: float | None = None
    threshold: float | None = None
    marked_box: str = ""
    settings: tuple[str, ...] = ()


def read_picking_recipe(path: str | Path) -> PickingRecipe:
    """Return what a recipe of picking says.

    Raises
    ------
    InputError
        If the file is no recipe, or one of another command.
    """
    place = Path(path)
    recipe = Recipe.read(place)
    if recipe.command not in _FLAGS:
        raise InputError(
            f"{place.name} is a recipe of {recipe.command!r}; the Picker opens those of "
            f"{', '.join(PICKING_COMMANDS)}: run this one with napari-cryoml run."
        )
    folder, options = place.absolute().parent, recipe.options
    start = "start" if recipe.command == "pick train" else "model"
    images = tuple(folder / str(one) for one in _entries(options.get("images", [])))
    if not images:
        raise InputError(f"{place.name} names no images: add them under options.")
    return PickingRecipe(
        recipe.command,
        images,
        labels=_path(options, "labels", folder),
        model=_path(options, start, folder),
        diameter=str(options.get("diameter", "")),
        pixel_size=_number(options, "pixel-size", place),
        threshold=_number(options, "threshold", place),
        marked_box=str(options.get("marked-box", "")),
        settings=_settings(recipe),
    )


def _settings(recipe: Recipe) -> tuple[str, ...]:
    """Return the flags that are options of the Config, and what was set beside them."""
    options = recipe.options
    flags = {
        name: options[flag] for flag, name in _FLAGS[recipe.command].items() if flag in options
    }
    if "training.steps" in flags and "training.minutes" not in flags:
        flags["training.minutes"] = "none"  # steps alone mean no limit of time
    given = [str(one) for one in _entries(options.get("set", []))]
    return (*(f"{name}={value}" for name, value in flags.items()), *given)


def _entries(value: Value) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _path(options: Mapping[str, Value], name: str, folder: Path) -> Path | None:
    return folder / str(options[name]) if name in options else None


def _number(options: Mapping[str, Value], name: str, place: Path) -> float | None:
    if name not in options:
        return None
    try:
        value = float(str(options[name]))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{place.name}: {name} should be a number; {options[name]!r} was found.")
    return value
