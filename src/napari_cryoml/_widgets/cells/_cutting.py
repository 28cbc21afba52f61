"""Finding, cutting and reading cells, beside the GUI's thread."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from napari_cryoml import io
from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml._widgets.cells._state import PROTEIN
from napari_cryoml._widgets.frame import own_project, project_place
from napari_cryoml.data import Crops
from napari_cryoml.project import PROJECT_SUFFIX, Project

if TYPE_CHECKING:
    from napari_cryoml._napari._cell_channels import Channel
    from napari_cryoml.preprocess import CellsConfig, SegmentConfig

FOLDER = "folder"
"""Column of the folder of each crop, where there are several."""

HOME_FOLDER = "napari-cryoml"
"""Folder in the user's own in which projects of images without a file are kept."""

_TABLES = (".csv", ".tsv")
_LEAST_CELLS, _LEAST_SIDE = 2, 8

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True, eq=False)
class CellsFound:
    """Cells, and the project that belongs to them.

    Parameters
    ----------
    crops : Crops
    project : Project or None
    remarks : tuple of str
        Sentences about what was odd.
    image : str
        Name of the image that they lie in; "" for cells of files.
    """

    crops: Crops
    project: Project | None
    remarks: tuple[str, ...] = ()
    image: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class CutTask:
    """What is cut, taken from the layers on the GUI's thread.

    Parameters
    ----------
    channels : tuple of Channel
        The protein, and the marker if there is one.
    labels : array of shape (Y, X)
    config : CellsConfig
    columns : callable
        Takes the labels of cells, and returns what else is known of each, arrays by name.
    """

    channels: tuple[Channel, ...]
    labels: npt.NDArray[Any]
    config: CellsConfig
    columns: Callable[[npt.NDArray[Any]], dict[str, npt.NDArray[Any]]]


def find_cells(channel: Channel, config: SegmentConfig) -> npt.NDArray[np.int32]:
    """Return the cells of a marker, shape (Y, X).

    Raises
    ------
    InputError
        If there are none.
    """
    from napari_cryoml.preprocess import segment_cells

    labels = segment_cells(channel.pixels(), config)
    if not labels.any():
        raise InputError(
            f"No cells were found in {channel.name}: lower the threshold or the smallest area "
            "under Advanced, or choose another marker."
        )
    return labels


def cut_cells_of(task: CutTask, open_now: Project | None) -> CellsFound:
    """Cut cells, which keep their ids of before; find or make their project.

    Parameters
    ----------
    task : CutTask
    open_now : Project, optional
        That is open already, and is used again if it is that of the image.

    Raises
    ------
    InputError
        As `cut_cells` does.
    """
    from napari_cryoml.preprocess import cut_cells

    first = task.channels[0]
    project, remarks = _project_of(first, open_now)
    known = {} if project is None else project.classes()
    image = _stacked(task.channels)
    crops, said = _heard(
        lambda: cut_cells(
            image,
            task.labels,
            task.config,
            image_name=first.image,
            channels=("protein", "marker")[: len(image)],
            pixel_size=first.pixel_size,
            known=list(known),
        )
    )
    _check(crops, first.image)
    others = task.columns(crops.columns["label"])
    crops = replace(crops, columns={**others, **crops.columns})
    return CellsFound(crops, project, (*said, *remarks), first.image)


def read_cells_of(paths: Sequence[Path]) -> CellsFound:
    """Read crops of files with their table, and find or make their project.

    Raises
    ------
    InputError
        As `io.read_cells` does, or if there are too few or too small ones.
    """
    tables = [path for path in paths if path.suffix.lower() in _TABLES]
    others = [path for path in paths if path not in tables]
    path = (others or tables)[0]
    table = tables[0] if tables and others else None
    crops, remarks = _heard(lambda: io.read_cells(path, table))
    _check(crops, path.name)
    if FOLDER in crops.columns and PROTEIN not in crops.columns:
        crops = replace(crops, columns={**crops.columns, PROTEIN: crops.columns[FOLDER]})
        remarks = (*remarks, "The names of folders are taken for those of proteins.")
    try:
        project, remark = own_project(path)
    except InputError as error:
        return CellsFound(crops, None, (*remarks, f"Nothing is kept. {error}"))
    keep_column(project, crops)
    return CellsFound(crops, project, (*remarks, *([remark] if remark else [])))


def keep_column(project: Project, crops: Any) -> None:
    """Take over the classes that a table knows, unless some were given before."""
    names = crops.columns.get("class")
    if names is None or project.classes() or project.can_redo:
        return
    pairs = zip(crops.ids.tolist(), np.asarray(names).astype(np.str_).tolist(), strict=True)
    given = [(one, name) for one, name in pairs if name not in ("", "nan")]
    if given:
        project.classify([one for one, _ in given], [name for _, name in given])


def _stacked(channels: Sequence[Channel]) -> npt.NDArray[Any]:
    """Return channels as one image, shape (C, Y, X).

    Raises
    ------
    InputError
        If they are not of one shape.
    """
    shapes = {channel.shape for channel in channels}
    if len(shapes) > 1:
        told = " and ".join("{} x {}".format(*channel.shape) for channel in channels)
        raise InputError(
            f"{channels[0].name} and {channels[1].name} have {told} pixels: choose two channels "
            "of one image."
        )
    return np.stack([channel.pixels() for channel in channels])


def _heard(make: Callable[[], ResultT]) -> tuple[ResultT, tuple[str, ...]]:
    """Return what a function returns, and what it warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InputWarning)
        made = make()
    said = [str(one.message) for one in caught if issubclass(one.category, InputWarning)]
    return made, tuple(said)


def _check(crops: Crops, where: str) -> None:
    if len(crops) < _LEAST_CELLS:
        held = "one cell" if len(crops) else "no cells"
        raise InputError(f"{where} holds {held}: two or more were expected.")
    if min(crops.shape) < _LEAST_SIDE:
        sides = " x ".join(map(str, crops.shape))
        raise InputError(
            f"The crops of {where} have {sides} pixels: {_LEAST_SIDE} or more each way were "
            "expected."
        )


def _project_of(channel: Channel, open_now: Project | None) -> tuple[Project | None, list[str]]:
    """Return the project of an image, and remarks."""
    try:
        place, remark = _place_of(channel)
        if open_now is not None and open_now.path == place:
            return open_now, []
        project = (Project.open if place.exists() else Project.create)(place)
    except InputError as error:
        return None, [f"Nothing is kept. {error}"]
    return project, [remark] if remark else []


def _place_of(channel: Channel) -> tuple[Path, str]:
    """Return where the project of an image is kept, and a remark if that is elsewhere."""
    path = channel.path
    if path is not None:
        return project_place(path.parent, f"{path.name}{PROJECT_SUFFIX}", path)
    folder = Path.home() / HOME_FOLDER
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return project_place(folder, f"{channel.image}-{channel.digest()}{PROJECT_SUFFIX}")
