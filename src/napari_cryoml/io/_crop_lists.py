"""Particle lists of boxes: RELION's STAR files whose ``rlnImageName`` says where each box lies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from napari_cryoml._errors import InputError
from napari_cryoml.data import ArrayCrops, Crops, MissingWedge, Picks, PicksTable
from napari_cryoml.io._crop_files import files_of_boxes
from napari_cryoml.io._crop_list_places import IMAGE, image_labels, place_labels, placed_rows
from napari_cryoml.io._formats import _rows
from napari_cryoml.io._formats._classes import CLASS, CONFIDENCE
from napari_cryoml.io._formats._format import Hints
from napari_cryoml.io._formats._relion_poses import (
    OUR_CLASS_LABELS,
    class_labels,
    classes_in,
    rotations_in,
)
from napari_cryoml.io._formats._relion_writing import new_blocks
from napari_cryoml.io._formats._star_blocks import Block, loop_of, read_blocks, write_blocks

LIST_NAME = "boxes.star"
"""Name of the list in a folder of boxes."""

_IMAGE_NAME, _ID = "rlnImageName", "cryomlId"
_TILTS = ("cryomlTiltLow", "cryomlTiltHigh", "cryomlTiltAxis")
_ENTRY = re.compile(r"^0*(\d+)@(.+)$")
_ORIGINS = re.compile(r"^rlnOrigin[XYZ](Angst)?$")


def read_crop_list(path: Path) -> ArrayCrops:
    """Open the boxes that a particle list names.

    Paths count from the list's own folder, or from a folder above it, as RELION's do. Where the
    list has coordinates, the boxes know their places, orientations and scores.

    Raises
    ------
    InputError
        If the list has no ``rlnImageName``, or its boxes cannot be found or differ in size.

    Warns
    -----
    InputWarning
        If the places that it tells cannot be used.
    """
    blocks = read_blocks(path)
    name = _particles(blocks, path)
    frame = loop_of(blocks[name])
    files, entries = _entries(frame[_IMAGE_NAME].astype(str).tolist(), path)
    boxes, pixel_size = files_of_boxes(files, entries, path.name)
    _check_are_boxes(frame, boxes.shape, path)
    ids = frame[_ID if _ID in frame else _IMAGE_NAME].astype(str).tolist()
    optics = loop_of(blocks["optics"]) if "optics" in blocks else pd.DataFrame()
    pixel_size = _told_size(optics) or pixel_size
    placed = placed_rows(blocks, name, path, boxes.shape[-1], pixel_size)
    columns = frame if placed is None else pd.DataFrame(placed.columns)
    return ArrayCrops.of(
        boxes,  # type: ignore[arg-type]
        ids if len(set(ids)) == len(ids) else None,
        _columns(columns) | classes_in(frame, boxes.ndim - 2),
        pixel_size=pixel_size,
        wedge=_told_wedge(optics),
        rotations=rotations_in(frame) if placed is None else placed.rotations,
        places=None if placed is None else placed.places,
    )


def write_crop_list(
    path: Path,
    crops: Crops,
    columns: Mapping[str, npt.NDArray[Any]],
    *,
    names: Sequence[str] | None = None,
    n: int | None = None,
) -> Path:
    """Write the particle list of crops.

    Crops that know where they were cut keep their places, orientations and the pixel size of their
    images. The box lies at the coordinates; where it was cut by whole pixels, the rest is the
    particle's origin (``rlnOriginXAngst``), so that list and boxes agree.

    Parameters
    ----------
    path : Path
    crops : Crops
    columns : mapping of str to array of shape (n,)
    names : sequence of str, optional
        ``rlnImageName`` of each; left out by default.
    n : int, optional
        How many of the crops, from the first; all by default.
    """
    rows = np.arange(len(crops) if n is None else n)
    told = {key: np.asarray(values)[rows] for key, values in columns.items()}
    told[_ID] = crops.ids[rows]
    if names is not None:
        told[_IMAGE_NAME] = np.array(list(names), dtype=object)[rows]
    table = _table(crops, told, rows)
    blocks = _plain_blocks(told) if table is None else _placed_blocks(table)
    write_blocks(path, _with_boxes(blocks, crops))
    return path


def _particles(blocks: Mapping[str, Block], path: Path) -> str:
    """Return the name of the block that names boxes."""
    for name, block in blocks.items():
        frame = loop_of(block)
        if _IMAGE_NAME in frame and len(frame):
            return name
    raise InputError(
        f"{path} names no boxes: the label rlnImageName (as 000001@stack.mrcs) is needed; for a "
        "list of coordinates, cut the boxes first (napari-cryoml subtomo extract)."
    )


def _entries(names: Sequence[str], path: Path) -> tuple[list[Path], npt.NDArray[np.intp]]:
    """Return the files that are named, and the file and number of each box."""
    parts = [_ENTRY.match(name) for name in names]
    files = [part[2] if part else name for part, name in zip(parts, names, strict=True)]
    numbers = [int(part[1]) - 1 if part else 0 for part in parts]
    codes, unique = pd.factorize(np.array(files, dtype=object))
    found = [_found(path, str(name)) for name in unique]
    return found, np.column_stack([codes, numbers]).astype(np.intp)


def _found(listing: Path, name: str) -> Path:
    folders = [listing.parent, *listing.resolve().parents]
    for candidate in [*(folder / name for folder in folders), listing.parent / Path(name).name]:
        if candidate.is_file():
            return candidate
    raise InputError(
        f"{listing.name} names {name}, which is neither beside it nor below a folder above it: "
        "copy the boxes there, or move the list."
    )


def _check_are_boxes(frame: pd.DataFrame, shape: tuple[int, ...], path: Path) -> None:
    whole_stacks = not frame[_IMAGE_NAME].astype(str).str.contains("@").any()
    if len(shape) == 4 and whole_stacks and "rlnTomoName" in frame:
        raise InputError(
            f"The images of {path.name} are stacks of tilts, as RELION 5 writes them, and no "
            "volumes: extract them there as 3-D subtomograms, or cut boxes out of the tomograms "
            "(napari-cryoml subtomo extract)."
        )


def _columns(frame: pd.DataFrame) -> dict[str, npt.NDArray[Any]]:
    """Return what a list holds of each box: numbers, and texts as such."""
    left_out = (_IMAGE_NAME, _ID, IMAGE, *OUR_CLASS_LABELS)
    columns = {str(n): frame[n].to_numpy() for n in frame.columns if n not in left_out}
    return {
        name: values if values.dtype.kind in "biuf" else values.astype(str)
        for name, values in columns.items()
    }


def _told_size(optics: pd.DataFrame) -> float | None:
    sizes = set(pd.to_numeric(optics.get("rlnImagePixelSize", pd.Series(dtype=float))).tolist())
    only = sizes.pop() if len(sizes) == 1 else 0.0
    return float(only) if only > 0 else None


def _told_wedge(optics: pd.DataFrame) -> MissingWedge | None:
    if not set(_TILTS) <= set(optics.columns) or len(optics[list(_TILTS)].drop_duplicates()) != 1:
        return None
    low, high, axis = optics[list(_TILTS)].iloc[0]
    return MissingWedge(float(low), float(high), "x" if axis == "x" else "y")


def _table(
    crops: Crops, columns: Mapping[str, npt.NDArray[Any]], rows: npt.NDArray[np.intp]
) -> PicksTable | None:
    """Return crops as picks, or None where nobody knows where they were cut."""
    if crops.images is None or crops.positions is None:
        return None
    rotations = getattr(crops, "rotations", None)
    kept = {k: v for k, v in columns.items() if k != "score" and not _ORIGINS.match(k)}
    pixel_size = getattr(crops, "image_pixel_size", None)
    kept |= image_labels(crops.images[rows])
    picks = Picks(
        "",
        crops.positions[rows],
        columns.get("score"),
        pixel_size,
        None,
        kept | _origins(getattr(crops, "offsets", None), rows, pixel_size),
        None if rotations is None else rotations[rows],
    )
    return PicksTable(_rows.split_by_image(picks, crops.images[rows]))


def _origins(
    offsets: npt.NDArray[np.float64] | None,
    rows: npt.NDArray[np.intp],
    pixel_size: float | None,
) -> dict[str, npt.NDArray[np.float64]]:
    """Return RELION's origins of particles that lie off the middle of their boxes."""
    if offsets is None or offsets.shape[1] != 3 or not offsets.any():
        return {}
    unit, scale = ("Angst", pixel_size) if pixel_size else ("", 1.0)
    values = -offsets[rows] * scale
    return {f"rlnOrigin{axis}{unit}": values[:, 2 - i] for i, axis in enumerate("XYZ")}


def _placed_blocks(table: PicksTable) -> dict[str, Block]:
    return new_blocks(table, Hints(), frozenset({_ID, IMAGE}))


def _plain_blocks(columns: Mapping[str, npt.NDArray[Any]]) -> dict[str, Block]:
    frame = pd.DataFrame({k: v for k, v in columns.items() if " " not in k and np.ndim(v) == 1})
    labels = class_labels(frame)
    return {"particles": frame.drop(columns=[CLASS, CONFIDENCE], errors="ignore").assign(**labels)}


def _with_boxes(blocks: dict[str, Block], crops: Crops) -> dict[str, Block]:
    """Return blocks whose optics groups tell size and sampling of the boxes, and the tilts."""
    particles = loop_of(blocks.get("particles", blocks.get("", pd.DataFrame())))
    particles = particles.drop(columns=["rlnCtfImage"], errors="ignore")
    optics = loop_of(blocks["optics"]) if "optics" in blocks else _one_group()
    if "rlnOpticsGroup" not in particles or "optics" not in blocks:
        particles = particles.assign(rlnOpticsGroup=1)
    known: dict[str, Any] = {
        "rlnImageSize": crops.shape[-1],
        "rlnImageDimensionality": len(crops.shape),
        **(place_labels(crops) if crops.images is not None else {}),
    }
    if (size := getattr(crops, "pixel_size", None)) is not None:
        known["rlnImagePixelSize"] = size
    if (wedge := getattr(crops, "wedge", None)) is not None:
        known |= dict(zip(_TILTS, (wedge.low, wedge.high, wedge.axis), strict=True))
    return {"optics": optics.assign(**known), "particles": particles}


def _one_group() -> pd.DataFrame:
    return pd.DataFrame({"rlnOpticsGroupName": ["opticsGroup1"], "rlnOpticsGroup": [1]})
