"""Move picks to another sampling, mirror them, and turn one coordinate file into another."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io._coordinates import read_picks, write_picks
from napari_cryoml.io._formats import FORMATS, Hints

_SHAPE_COLUMN = "location/micrograph_shape"


def scale(table: PicksTable, factor: float) -> PicksTable:
    """Return the picks as they lie in images that have `factor` times as many pixels an axis.

    The centre of the first pixel stays at 0. Pixel sizes, diameters and the columns that are
    known to hold lengths in pixels change along.

    Parameters
    ----------
    table : PicksTable
    factor : float
        0.25 for picks of the full image that are to be shown on one binned by four.

    Raises
    ------
    InputError
        If the factor is not a positive number.
    """
    if not np.isfinite(factor) or factor <= 0:
        raise InputError(f"The scale must be a number above 0; {factor} was given.")
    lengths = frozenset().union(*(entry.lengths for entry in FORMATS.values()))
    scaled = tuple(_scaled(picks, factor, lengths) for picks in table)
    return PicksTable(scaled, _extra_that_moves(table.extra))


def flip_y(table: PicksTable, heights: int | Mapping[str, int]) -> PicksTable:
    """Return the picks of the images mirrored top to bottom: y becomes height - 1 - y.

    Parameters
    ----------
    table : PicksTable
    heights : int or mapping of str to int
        Height of the images in pixels, one for all or by name.

    Raises
    ------
    InputError
        If the height of an image is not known.

    Warns
    -----
    InputWarning
        If there are orientations or columns of angles, which are kept as they are: a particle
        that is mirrored is another one, and no rotation brings the reference onto it.
    """
    by_image = heights if isinstance(heights, Mapping) else {p.image: heights for p in table}
    shapes = Hints(shapes={name: (int(height), 1) for name, height in by_image.items()})
    why = "Mirroring top to bottom needs the height of the image"
    flipped = []
    for picks in table:
        height = shapes.required_shape(picks.image, 2, why)[0] if len(picks) else 1
        positions = picks.positions.copy()
        positions[:, -2] = height - 1 - positions[:, -2]
        flipped.append(replace(picks, positions=positions))
    _warn_of_angles(table)
    return PicksTable(tuple(flipped), _extra_that_moves(table.extra))


def convert_picks(
    source: str | Path,
    target: str | Path,
    *,
    flip_y: bool = False,
    scale: float | None = None,
    source_format: str | None = None,
    target_format: str | None = None,
    image: str | None = None,
    box_size: float | None = None,
    pixel_size: float | None = None,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> list[Path]:
    """Turn a coordinate file, or a folder of them, into another format.

    Parameters
    ----------
    source, target : str or Path
        What `read_picks` reads, and what `write_picks` writes.
    flip_y : bool, default False
        Mirror top to bottom, before scaling; needs the shapes of the images.
    scale : float, optional
        Pixels of the target's images for each pixel of the source's, each axis.
    source_format, target_format : str, optional
        Names in `FORMATS`; chosen by suffix by default.
    image, pixel_size, box_size
        As for `read_picks` and `write_picks`.
    shapes : mapping of str to tuple of int, optional
        Shapes of the source's images in pixels by name.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    InputError
        As `read_picks`, `write_picks`, `flip_y` and `scale`.
    """
    shapes = dict(shapes or {})
    table = read_picks(
        source, format=source_format, image=image, pixel_size=pixel_size, shapes=shapes
    )
    if pixel_size is not None:
        table = _with_pixel_size(table, pixel_size)
    if flip_y:
        known = {name: shape[-2] for name, shape in {**_known_shapes(table), **shapes}.items()}
        table = _flipped(table, known)
    if scale is not None:
        table = _scaled_table(table, scale)
        shapes = {name: _scaled_shape(shape, scale) for name, shape in shapes.items()}
    return write_picks(table, target, format=target_format, box_size=box_size, shapes=shapes)


_flipped, _scaled_table = flip_y, scale  # convert_picks has options of these names


def _scaled(picks: Picks, factor: float, lengths: frozenset[str]) -> Picks:
    columns = {
        name: _scaled_column(values, factor) if name in lengths else values
        for name, values in picks.columns.items()
    }
    return replace(
        picks,
        positions=picks.positions * factor,
        pixel_size=None if picks.pixel_size is None else picks.pixel_size / factor,
        diameter=None if picks.diameter is None else picks.diameter * factor,
        columns=columns,
    )


def _scaled_column(values: npt.NDArray[Any], factor: float) -> npt.NDArray[Any]:
    values = np.asarray(values)
    if values.ndim == 2 and values.dtype.kind in "iu":
        return np.rint(values * factor).astype(values.dtype)
    if values.dtype.kind in "iuf":
        return values * factor
    return values


def _scaled_shape(shape: tuple[int, ...], factor: float) -> tuple[int, ...]:
    return tuple(max(1, round(size * factor)) for size in shape)


def _extra_that_moves(extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept beside picks that have moved.

    Blocks of a .cbox file list slices and vertices of filaments, which would stay behind.
    """
    return {name: value for name, value in extra.items() if name != "cbox"}


def _known_shapes(table: PicksTable) -> dict[str, tuple[int, ...]]:
    """Return the shapes that the source itself tells."""
    return {
        picks.image: tuple(int(size) for size in picks.columns[_SHAPE_COLUMN][0])
        for picks in table
        if _SHAPE_COLUMN in picks.columns and len(picks)
    }


def _with_pixel_size(table: PicksTable, pixel_size: float) -> PicksTable:
    told = tuple(p if p.pixel_size else replace(p, pixel_size=pixel_size) for p in table)
    return replace(table, picks=told)


def _warn_of_angles(table: PicksTable) -> None:
    directions = frozenset().union(*(entry.directions for entry in FORMATS.values()))
    found = sorted({name for picks in table for name in picks.columns if name in directions})
    if not found and any(picks.rotations is not None for picks in table):
        found = ["orientations"]
    if found:
        warnings.warn(
            f"Mirroring moves the positions only: {', '.join(found)} stay as they were.",
            InputWarning,
            stacklevel=3,
        )
