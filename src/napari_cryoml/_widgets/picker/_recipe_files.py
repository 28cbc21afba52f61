"""What a recipe of the Picker consists of, written and read beside the GUI's thread."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_cryoml import checkpoint, io
from napari_cryoml._errors import InputWarning
from napari_cryoml._widgets.picker._opening import Opened, open_paths
from napari_cryoml.data import Annotations, Picks, PicksTable
from napari_cryoml.picking import labels_from_table
from napari_cryoml.project import Project
from napari_cryoml.recipes import PickingRecipe, Recipe, Value, read_picking_recipe, seen_from

LABEL = "label"
"""Column of the labels beside a recipe: 1 for a particle, 0 for a place that is none."""


@dataclass(frozen=True, slots=True)
class RecipeParts:
    """A recipe whose files are not written yet.

    Parameters
    ----------
    command : str
    images : tuple of Path
    options : mapping of str to value
        All that are no files.
    out : str
        Suffix of what the command writes.
    labels : mapping of str to Annotations
        By image; empty where the command takes none.
    model : int or None
        Number of a model of the project.
    model_option : str
        What the command calls that model.
    """

    command: str
    images: tuple[Path, ...]
    options: Mapping[str, Value]
    out: str
    labels: Mapping[str, Annotations] = field(default_factory=dict)
    model: int | None = None
    model_option: str = "model"


def write_recipe(project: Project, parts: RecipeParts, path: Path) -> list[Path]:
    """Write a recipe, and beside it what it needs; return the files, the recipe first.

    Raises
    ------
    InputError
        If a file cannot be written.
    """
    folder, stem = path.absolute().parent, path.stem
    files: dict[str, Value] = {"images": [seen_from(folder, image) for image in parts.images]}
    written = []
    if parts.labels:
        place = folder / f"{stem}.labels.csv"
        written += io.write_picks(_table(parts.labels), place)
        files["labels"] = place.name
    if parts.model is not None:
        place = folder / f"{stem}.{parts.model_option}.safetensors"
        written.append(project.export_model(parts.model, place))
        files[parts.model_option] = place.name
    files["out"] = f"{stem}{parts.out}"
    return [Recipe(parts.command, files | dict(parts.options)).write(path), *written]


def _table(labels: Mapping[str, Annotations]) -> PicksTable:
    """Return labels of both kinds as positions with a column."""
    return PicksTable.of(
        Picks(name, each.positions, columns={LABEL: each.labels})
        for name, each in labels.items()
        if len(each)
    )


@dataclass(frozen=True, slots=True, eq=False)
class LoadedRecipe:
    """A recipe with what its files hold.

    Parameters
    ----------
    name : str
        Of the recipe's file.
    recipe : PickingRecipe
    opened : Opened
        Its images.
    labels : mapping of str to Annotations
        By image.
    header : mapping
        Of its model; empty without one.
    """

    name: str
    recipe: PickingRecipe
    opened: Opened
    labels: Mapping[str, Annotations]
    header: Mapping[str, Any]


def load_recipe(path: Path) -> LoadedRecipe:
    """Read a recipe and its files; of its images, the headers alone.

    Raises
    ------
    InputError
        If it is no recipe of picking, or one of its files cannot be read.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InputWarning)
        recipe = read_picking_recipe(path)
        opened = open_paths(recipe.images, None)
        shapes = {source.name: tuple(source.shape) for source in opened.sources}
        labels: dict[str, Annotations] = {}
        if recipe.labels is not None:
            table = io.read_picks(recipe.labels, pixel_size=recipe.pixel_size, shapes=shapes)
            labels = labels_from_table(table, list(shapes))
        header = {} if recipe.model is None else checkpoint.read_header(recipe.model)
    remarks = [str(entry.message) for entry in caught if issubclass(entry.category, InputWarning)]
    opened.remarks.extend(remarks)
    return LoadedRecipe(path.name, recipe, opened, labels, header)
