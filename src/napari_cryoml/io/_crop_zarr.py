"""Crops in Zarr: the array ``crops``, with ids and columns beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import ArrayCrops, MissingWedge
from napari_cryoml.io._crop_files import LazyMasks, ZarrBoxes
from napari_cryoml.io._crop_place_arrays import PLACE_NAMES, places_among, rotations_among
from napari_cryoml.io._crop_shapes import (
    CHANNELS,
    CROPS,
    IDS,
    MASKS,
    are_masks,
    channels_among,
    with_channels_shape,
)
from napari_cryoml.io._zarr import check_safe, is_zarr

_PIXELS_PER_CHUNK = 2**18
"""A chunk of a mebibyte: training reads crops at random, and a whole chunk for each of them."""


def read_zarr_crops(path: Path) -> ArrayCrops:
    """Open the crops of a Zarr store, lazily.

    A store may be one array of crops, or a group of which one array is named ``crops`` or has
    three axes or more. Attributes: ``pixel_size`` in angstrom, and ``wedge`` with ``low`` and
    ``high`` in degrees and ``axis``. Places are the arrays ``images``, ``positions`` and
    ``offsets``, and the attributes ``box_side`` and ``particle_diameter``. Of cells, the attribute
    ``channels`` names the channels, and the array ``masks`` (n, y, x), bool, tells which pixels
    belong to the cell.

    Raises
    ------
    InputError
        If it is no Zarr store, or holds no crops.
    """
    if not is_zarr(path):
        raise InputError(
            f"{path} is no Zarr store: a folder with zarr.json or .zgroup was expected."
        )
    import zarr

    node: Any = zarr.open(path, mode="r")
    arrays = {"": node} if isinstance(node, zarr.Array) else dict(node.arrays())
    name = _name_of_crops(arrays, path)
    check_safe(arrays[name], path.name, "biuf")
    shape = with_channels_shape(tuple(arrays[name].shape), np.dtype(arrays[name].dtype), path.name)
    attributes = dict(node.attrs)
    n, ndim = shape[0], len(shape) - 2
    told = {key: _plain(a, path) for key, a in arrays.items() if _is_told(key, a, n)}
    places = places_among(told, attributes, n, ndim)
    taken = set() if places is None else PLACE_NAMES
    plain = {k: v for k, v in told.items() if v.ndim == 1 and k not in taken}
    ids = plain.pop(IDS, None)
    return ArrayCrops.of(
        ZarrBoxes(shape, path, name),  # type: ignore[arg-type]
        None if ids is None else [str(one) for one in ids],
        plain,
        pixel_size=_pixel_size(attributes),
        wedge=wedge_of(attributes.get("wedge")),
        rotations=rotations_among(plain, ndim),
        places=places,
        channels=channels_among(attributes.get(CHANNELS), shape[1]),
        masks=_masks(arrays, shape, path),
    )


def _masks(arrays: Mapping[str, Any], shape: tuple[int, ...], path: Path) -> Any:
    """Return the masks in a store, lazily, if they fit crops of this shape."""
    stored = arrays.get(MASKS)
    wanted = (shape[0], *shape[2:])
    if stored is None or tuple(stored.shape) != wanted or np.dtype(stored.dtype).kind != "b":
        return None
    check_safe(stored, path.name, "b")
    return LazyMasks(ZarrBoxes(wanted, path, MASKS))


def wedge_of(values: Any) -> MissingWedge | None:
    """Return the wedge that a mapping of ``low``, ``high`` and ``axis`` tells, or None."""
    if not isinstance(values, Mapping) or not {"low", "high"} <= set(values):
        return None
    axis: Literal["x", "y"] = "x" if values.get("axis") == "x" else "y"
    return MissingWedge(float(values["low"]), float(values["high"]), axis)


def wedge_values(wedge: MissingWedge | None) -> dict[str, float | str] | None:
    """Return a wedge as a mapping, or None."""
    return None if wedge is None else {"low": wedge.low, "high": wedge.high, "axis": wedge.axis}


def new_store(
    path: Path,
    shape: tuple[int, ...],
    ids: npt.NDArray[Any],
    columns: Mapping[str, Any],
    *,
    with_masks: bool = False,
) -> Any:
    """Make a Zarr store of version 2, which has a type for texts, and return its group."""
    import zarr

    group = zarr.open_group(path, mode="w", zarr_format=2)
    per_chunk = max(1, _PIXELS_PER_CHUNK // max(int(np.prod(shape[1:])), 1))
    chunks = (min(per_chunk, max(shape[0], 1)), *shape[1:])
    group.create_array(CROPS, shape=shape, dtype="f4", chunks=chunks)
    if with_masks:
        masks = (shape[0], *shape[2:])
        group.create_array(MASKS, shape=masks, dtype="?", chunks=(chunks[0], *shape[2:]))
    for name, values in {IDS: ids, **columns}.items():
        group.create_array(name, data=np.ascontiguousarray(values))
    return group


def _is_told(name: str, array: Any, n: int) -> bool:
    """Tell whether an array is a column, or one of those that places consist of."""
    is_column = tuple(array.shape) == (n,) and np.dtype(array.dtype).kind in "biufU"
    return is_column or (name in PLACE_NAMES and len(array.shape) == 2)


def _plain(array: Any, path: Path) -> npt.NDArray[Any]:
    check_safe(array, path.name, "biufU")
    return np.asarray(array[:])


def _name_of_crops(arrays: Mapping[str, Any], path: Path) -> str:
    stacks = [
        name
        for name, array in arrays.items()
        if len(array.shape) >= 3 and not are_masks(name, array.shape, np.dtype(array.dtype))
    ]
    if CROPS not in stacks and len(stacks) != 1:
        raise InputError(
            f"{path.name} should hold one array of crops, named 'crops'; those of three axes or "
            f"more are {', '.join(stacks) or 'none'}."
        )
    return CROPS if CROPS in stacks else stacks[0]


def _pixel_size(attributes: Mapping[str, Any]) -> float | None:
    value = attributes.get("pixel_size")
    return float(value) if isinstance(value, int | float) and value > 0 else None
