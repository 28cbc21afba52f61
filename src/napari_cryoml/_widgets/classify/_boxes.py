"""Boxes in files, which travel to other processes by their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from napari_cryoml import io
from napari_cryoml.data import ArrayCrops, MissingWedge


@dataclass(frozen=True, eq=False)
class FileCrops(ArrayCrops):
    """Crops of files: pickled, they carry paths and are opened again, without their pixels.

    Parameters
    ----------
    paths : tuple of Path
        Where they were read from, for `open_boxes`.
    """

    paths: tuple[Path, ...] = field(default=())

    def __reduce__(self) -> tuple[Callable[..., FileCrops], tuple[Any, ...]]:
        return open_boxes, (self.paths, self.wedge)


def open_boxes(paths: Sequence[Path], wedge: MissingWedge | None = None) -> FileCrops:
    """Open boxes.

    Parameters
    ----------
    paths : sequence of Path
        One file or folder that `io.read_crops` opens, or several files of a box each.
    wedge : MissingWedge, optional
        Tilts that volumes were reconstructed from, where the files do not say.

    Raises
    ------
    InputError
        As `io.read_crops` does.
    """
    found = io.read_crops(paths[0] if len(paths) == 1 else paths)
    if found.wedge is not None or len(found.shape) < 3:
        wedge = found.wedge
    known = {one.name: getattr(found, one.name) for one in fields(found)}
    return FileCrops(**known | {"wedge": wedge, "paths": tuple(paths)})
