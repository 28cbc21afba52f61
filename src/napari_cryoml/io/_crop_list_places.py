"""Where the boxes of a particle list lie in tomograms or micrographs."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import CropPlaces, PicksTable
from napari_cryoml.io._formats import _rows, star
from napari_cryoml.io._formats._format import Hints
from napari_cryoml.io._formats._poses import RELION_BOX, read_rotations
from napari_cryoml.io._formats._relion_document import CENTRED, PIXELS
from napari_cryoml.io._formats._relion_poses import shifts_in
from napari_cryoml.io._formats._star_blocks import Block, loop_of
from napari_cryoml.io._names import stem

IMAGE = "cryomlImage"
"""Label of ours for names of images with their extension, which RELION leaves out."""

_BOX, _DIAMETER = "cryomlBoxSize", "cryomlDiameter"
_ROW = "cryomlRow"
_SAME_ANGLE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class PlacedRows:
    """What a list tells of boxes that lie in images, in its order.

    Parameters
    ----------
    places : CropPlaces
    rotations : array of shape (n, 3, 3), optional
    columns : dict of str to array of shape (n,)
        All else but the labels of the places.
    """

    places: CropPlaces
    rotations: npt.NDArray[np.float64] | None
    columns: dict[str, npt.NDArray[Any]]


def placed_rows(
    blocks: Mapping[str, Block], name: str, path: Path, side: int, pixel_size: float | None
) -> PlacedRows | None:
    """Return where the boxes of a list lie, or None if it does not tell.

    Parameters
    ----------
    blocks : mapping of str to block
        The STAR file.
    name : str
        The block of the particles.
    path : Path
        For complaints, and to find ``tomograms.star`` beside it.
    side : int
        Of the boxes, in their own pixels.
    pixel_size : float or None
        Angstrom per pixel of the boxes.

    Warns
    -----
    InputWarning
        If the places that a list tells cannot be used.
    """
    frame = loop_of(blocks[name])
    if not _tells_places(frame):
        return None
    if _are_turned(frame):
        _warn(path, "They are turned against their tomograms (rlnTomoSubtomogramRot).")
        return None
    marked = {**blocks, name: frame.assign(**{_ROW: np.arange(len(frame))})}
    try:
        table = star.table_of(marked, name, path, Hints())
    except InputError as error:
        _warn(path, str(error))
        return None
    return _placed(table, frame, blocks, side, pixel_size)


def place_labels(crops: Any) -> dict[str, Any]:
    """Return labels of an optics group for the side of boxes and the diameter, where known."""
    known = {_BOX: getattr(crops, "box", None), _DIAMETER: getattr(crops, "diameter", None)}
    return {label: value for label, value in known.items() if value is not None}


def image_labels(images: npt.NDArray[np.str_]) -> dict[str, npt.NDArray[Any]]:
    """Return the label for names of images, if RELION's do not hold them."""
    if all(stem(name) == name for name in np.unique(images).tolist()):
        return {}
    return {IMAGE: images.astype(object)}


def _tells_places(frame: pd.DataFrame) -> bool:
    named = "rlnTomoName" in frame or "rlnMicrographName" in frame
    return named and (set(PIXELS[:2]) <= set(frame) or set(CENTRED) <= set(frame))


def _are_turned(frame: pd.DataFrame) -> bool:
    boxes = read_rotations(frame, RELION_BOX)
    known = np.eye(3) if boxes is None else boxes[np.isfinite(boxes).all(axis=(1, 2))]
    return bool((np.abs(known - np.eye(3)) > _SAME_ANGLE).any())


def _warn(path: Path, why: str) -> None:
    warnings.warn(
        f"The boxes of {path.name} are opened without their places. {why}",
        InputWarning,
        stacklevel=4,
    )


def _placed(
    table: PicksTable,
    frame: pd.DataFrame,
    blocks: Mapping[str, Block],
    side: int,
    pixel_size: float | None,
) -> PlacedRows:
    ndim = _rows.ndim_of(table)
    joined = _rows.joined_columns(table)
    order = np.argsort(joined[_ROW].to_numpy())
    columns = _rows.columns_of(joined.iloc[order], [_ROW])
    scores, rotations = _rows.joined_scores(table), _rows.joined_rotations(table)
    if scores is not None:
        columns["score"] = scores[order].astype(np.float32)
    images = columns.pop(IMAGE, _rows.image_of_rows(table)[order])
    sampling = _only([picks.pixel_size for picks in table])
    told_box, diameter = (_told(blocks, label) for label in (_BOX, _DIAMETER))
    ratio = pixel_size / sampling if pixel_size and sampling else None
    box = told_box or (None if ratio is None else side * ratio)
    places = CropPlaces(
        np.asarray(images).astype(np.str_),
        _rows.joined_positions(table, ndim)[order],
        _offsets(frame, sampling, ndim),
        None if box is None else max(round(box), 1),
        diameter,
    )
    return PlacedRows(places, None if rotations is None else rotations[order], columns)


def _offsets(
    frame: pd.DataFrame, sampling: float | None, ndim: int
) -> npt.NDArray[np.float64] | None:
    """Return how far particles lie off the coordinates, at which their boxes were cut."""
    if ndim != 3:
        return None
    shifts = shifts_in(frame, None if sampling is None else np.full(len(frame), sampling))
    return shifts if shifts is not None and shifts.any() else None


def _told(blocks: Mapping[str, Block], label: str) -> float | None:
    """Return the number that all optics groups have under a label, or None."""
    optics = loop_of(blocks["optics"]) if "optics" in blocks else pd.DataFrame()
    if label not in optics:
        return None
    values = pd.to_numeric(optics[label], errors="coerce")
    return _only([float(value) for value in values])


def _only(values: list[float | None]) -> float | None:
    found = set(values)
    one = found.pop() if len(found) == 1 else None
    return one if one is not None and one > 0 else None
