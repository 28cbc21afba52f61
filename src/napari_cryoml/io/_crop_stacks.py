"""Crops that another program has cut: stacks of images and arrays of numpy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import ArrayCrops
from napari_cryoml.io._image_format import reading
from napari_cryoml.io._mrc import MRC

_ARRAYS = (".npy", ".npz")
_STACKS = (".mrcs", ".st")
_CROPS, _IDS = "crops", "ids"


def read_crops(path: str | Path) -> ArrayCrops:
    """Open a stack of crops.

    Parameters
    ----------
    path : path
        An MRC stack (.mrcs or .st), whose crops are named ``stack.mrcs#0`` and so on; an array
        (.npy), memory-mapped; or several (.npz): the one named ``crops``, or else the one of
        three axes or more, ``ids`` where they are there, and arrays of a value a crop, which
        become columns. The axes are (n, y, x), (n, z, y, x) if the last three are of one
        length, (n, channel, y, x) if not, or (n, channel, z, y, x).

    Returns
    -------
    ArrayCrops

    Raises
    ------
    InputError
        If the file is missing, damaged, or holds no crops; pickled objects are not opened.
    """
    path = Path(path).expanduser()
    suffix = path.suffix.lower()
    if suffix not in (*_ARRAYS, *_STACKS):
        expected = ", ".join((*_STACKS, *_ARRAYS))
        raise InputError(f"{path.name} is no stack of crops by its name: {expected} were expected.")
    with reading(path, "a stack of crops"):
        if suffix in _STACKS:
            stack = MRC.load(path)
            names = [f"{path.name}#{row}" for row in range(len(stack))]
            return ArrayCrops.of(_with_channels(stack, path.name), names)
        if suffix == ".npy":
            array = np.load(path, mmap_mode="r", allow_pickle=False)
            return ArrayCrops.of(_with_channels(array, path.name))
        with np.load(path, allow_pickle=False) as archive:
            return _of_archive({name: archive[name] for name in archive.files}, path.name)


def _of_archive(arrays: Mapping[str, npt.NDArray[Any]], where: str) -> ArrayCrops:
    stacks = [name for name, array in arrays.items() if array.ndim >= 3]
    if _CROPS not in stacks and len(stacks) != 1:
        raise InputError(
            f"{where} should hold one array of crops, named 'crops'; those of three axes or more "
            f"are {', '.join(stacks) or 'none'}."
        )
    name = _CROPS if _CROPS in stacks else stacks[0]
    crops = _with_channels(arrays[name], where)
    columns = {
        name: values
        for name, values in arrays.items()
        if name != _IDS and values.shape == (len(crops),) and values.dtype.kind in "biufU"
    }
    ids = arrays.get(_IDS)
    return ArrayCrops.of(crops, None if ids is None else [str(name) for name in ids], columns)


def _with_channels(array: npt.NDArray[Any], where: str) -> npt.NDArray[Any]:
    """Return crops of axes (n, channel, y, x) or (n, channel, z, y, x)."""
    if array.dtype.kind not in "biuf" or array.ndim not in (3, 4, 5):
        raise InputError(
            f"{where} should hold crops of axes (n, y, x), numbers; an array of shape "
            f"{array.shape} and type {array.dtype} was found."
        )
    is_cubes = array.ndim == 4 and len(set(array.shape[1:])) == 1
    return array[:, None] if array.ndim == 3 or is_cubes else array
