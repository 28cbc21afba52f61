"""Options that several commands share, and the texts a Config lends them."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel, ValidationError

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml._registry import ConfigT, describe
from napari_cryoml.data import Annotations, ImageSource, Picks, PicksTable
from napari_cryoml.recipes import with_settings as with_settings

JSON = typer.Option("--json", help="Print one JSON object as the last line.")
SEED = typer.Option("--seed", min=0, help="Seed of everything random.")
PIXEL_SIZE = typer.Option("--pixel-size", help="Angstrom per pixel, where the images do not say.")
DEVICE = typer.Option("--device", help="Where to compute: auto, cpu, cuda, mps.")
IMAGES = typer.Argument(help="Images: files, folders or patterns in quotes.", show_default=False)

_SAME_PIXEL_SIZE = 0.005


def field_help(config: type[BaseModel], name: str, choices: Iterable[str] = ()) -> str:
    """Return the description of an option of a Config, and what there is to choose from."""
    description = config.model_fields[name].description or ""
    names = ", ".join(choices)
    return f"{description} One of {names}." if names else description


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


def pixel_size_of(images: Iterable[ImageSource | Picks], given: float | None) -> float | None:
    """Return the pixel size to reckon with, in angstrom: the given one, or the images' own.

    None if nobody says, or the images differ.

    Raises
    ------
    InputError
        If the given one is no positive number.
    """
    if given is not None and not 0 < given < math.inf:
        raise InputError(
            f"--pixel-size takes a number of angstrom above 0, as 1.35; {given:g} was given."
        )
    sizes = [image.pixel_size or 0.0 for image in images]
    if given is not None or not sizes:
        return given
    alike = max(sizes) - min(sizes) <= _SAME_PIXEL_SIZE * max(sizes)
    return sizes[0] if alike and sizes[0] > 0 else None


def read_labels(
    path: Path, images: Sequence[ImageSource], pixel_size: float | None
) -> dict[str, Annotations]:
    """Return the labels of the images in a coordinate file.

    Raises
    ------
    InputError
        If it cannot be read, is empty, or belongs to none of the images.
    """
    from napari_cryoml.picking import labels_from_table

    shapes = {image.name: image.shape for image in images}
    table = read_needed(path, pixel_size=pixel_size, shapes=shapes)
    return labels_from_table(table, list(shapes))


def read_needed(path: Path, **hints: Any) -> PicksTable:
    """Return the picks in a file, without a warning if there are none: an error will follow."""
    from napari_cryoml.io import read_picks

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*holds no picks", InputWarning)
        return read_picks(path, **hints)


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
    """Return the path of a file to write once it is known to be possible.

    Asked before long work, so that none of it is lost at the end.

    Raises
    ------
    InputError
        If it is a folder, or its own folder cannot be made or written to.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder: give the name of a file in it.")
    check_folder(path.parent)
    return path


def check_folder(folder: Path) -> Path:
    """Return a folder once it is there and can be written to.

    Raises
    ------
    InputError
        If it cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"{folder} cannot be made ({error.strerror}): choose another folder."
        raise InputError(problem) from error
    if not os.access(folder, os.W_OK):
        raise InputError(f"{folder} cannot be written to: choose another folder.")
    return folder
