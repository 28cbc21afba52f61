"""Picks in files: all in one, or one a class."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from napari_cryoml import io
from napari_cryoml.data import PicksTable

Shapes: TypeAlias = Mapping[str, tuple[int, ...]]


def write_picks(table: PicksTable, path: Path, shapes: Shapes) -> str:
    """Write picks, and return a sentence about it.

    Parameters
    ----------
    table : PicksTable
    path : Path
        Its suffix tells the format.
    shapes : mapping of str to tuple of int
        Of the images, where they are known: some formats count from the lower edge.
    """
    paths = io.write_picks(table, path, shapes=shapes)
    place = str(paths[0]) if len(paths) == 1 else f"{len(paths)} files in {paths[0].parent}"
    of = f"{len(table):,} image{'s' * (len(table) != 1)}"
    return f"{table.n_picks:,} picks of {of} were written to {place}."


def write_classes(tables: Mapping[str, PicksTable], path: Path, shapes: Shapes) -> str:
    """Write the picks of each class to a file of its own, and return a sentence about it."""
    for name, table in tables.items():
        own = path.with_name(f"{path.stem}_{file_name(name)}{path.suffix}")
        write_picks(table, own, shapes)
    return f"The picks of {len(tables)} classes were written to {path.parent}, a file each."


def file_name(place: str | Path) -> str:
    """Return a name for a file that belongs to a place."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", str(place)).strip("-")[-80:]
