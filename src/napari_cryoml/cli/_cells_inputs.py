"""Crops of cells as commands take them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from napari_cryoml._errors import InputError
from napari_cryoml.data import ArrayCrops

CELLS: TypeAlias = Annotated[
    Path,
    typer.Argument(
        help="Crops of cells: a folder of images, .zarr, HDF5, .npz or .npy.", show_default=False
    ),
]
TABLE: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        help="Table with a row a cell: file or id, protein, plate, class and whatever else is "
        "known; .csv, .tsv or .parquet."
    ),
]
CHANNELS: TypeAlias = Annotated[
    str | None, typer.Option(help="Names of the channels in their order, as protein,marker.")
]
FOLDERS: TypeAlias = Annotated[
    str,
    typer.Option(help="What the folders are named after where crops lie in some: protein, class."),
]


def read_given_cells(
    cells: Path, table: Path | None, channels: str | None, folders: str
) -> ArrayCrops:
    """Return the crops that a user named; those on disk stay there.

    Raises
    ------
    InputError
        If they cannot be read, or there are none.
    """
    from napari_cryoml.io import read_cells

    words = [word.strip() for word in channels.split(",")] if channels else None
    crops = read_cells(cells, table, channels=words, folders=folders)
    if not len(crops):
        raise InputError(f"{cells} holds no cells.")
    return crops
