"""Options that several commands share, and the texts a Config lends them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel, ValidationError

from napari_cryoml._errors import InputError
from napari_cryoml._registry import ConfigT, describe
from napari_cryoml.data import ImageSource

JSON = typer.Option("--json", help="Print one JSON object as the last line.")
SEED = typer.Option("--seed", min=0, help="Seed of everything random.")
IMAGES = typer.Argument(help="Images: files, folders or patterns in quotes.", show_default=False)


def field_help(config: type[BaseModel], name: str) -> str:
    """Return the description of an option of a Config."""
    return config.model_fields[name].description or ""


def open_inputs(paths: Sequence[str]) -> Sequence[ImageSource]:
    """Return the images a user named, lazily.

    Raises
    ------
    InputError
        If a path names no image.
    """
    from napari_cryoml.io import open_images

    images = open_images(paths)
    if not images:
        raise InputError(f"No images were found at {', '.join(paths)}: name files or folders.")
    return images


def common_pixel_size(images: Sequence[ImageSource]) -> float | None:
    """Return the pixel size the images share, in angstrom, or None."""
    sizes = {image.pixel_size for image in images}
    return sizes.pop() if len(sizes) == 1 else None


def with_settings(config: ConfigT, settings: Sequence[str]) -> ConfigT:
    """Return a Config with ``key.key=value`` settings put in.

    Raises
    ------
    InputError
        If a setting has no ``=``, names no option, or its value is not accepted.
    """
    values = config.model_dump()
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise InputError(f"--set takes name=value; {setting!r} was given.")
        _put(values, key.strip().split("."), value.strip(), key)
    try:
        return type(config).model_validate(values)
    except ValidationError as error:
        raise InputError(describe(error)) from error


def _put(values: dict[str, Any], path: list[str], value: str, key: str) -> None:
    for part in path[:-1]:
        if not isinstance(values.get(part), dict):
            raise InputError(f"--set {key}: there is no group of options named {part!r}.")
        values = values[part]
    if path[-1] not in values:
        raise InputError(f"--set {key}: choose one of {', '.join(values)}.")
    values[path[-1]] = None if value == "none" else value


def config_of(cls: type[ConfigT], **options: Any) -> ConfigT:
    """Return a Config of the given options, or a sentence about the one that does not fit.

    Raises
    ------
    InputError
        If an option is not accepted.
    """
    try:
        return cls(**options)
    except ValidationError as error:
        raise InputError(describe(error)) from error


def check_output(path: Path) -> Path:
    """Return `path` once its folder is known to exist, so that no work is lost at the end.

    Raises
    ------
    InputError
        If the folder does not exist and cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"{path.parent} cannot be made ({error.strerror}): choose another folder."
        raise InputError(problem) from error
    return path
