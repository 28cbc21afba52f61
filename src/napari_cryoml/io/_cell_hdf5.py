"""Crops of cells in HDF5 files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import ArrayCrops
from napari_cryoml.io._cell_arrays import MOST_CHANNELS, Hdf5Rows, arranged
from napari_cryoml.io._crop_shapes import CHANNELS, CROPS, IDS, channels_among
from napari_cryoml.io._image_sets import _natural

_USUAL = (CROPS, "images", "x", "data", "cells", "img")
_NUMBERED = re.compile(r"(\D+?)_?(\d+)$")
_CLASSES = ("index", "labels", "label", "y")
_MOST_CLASSES = 1000


def read_hdf5_cells(path: Path, folders: str) -> ArrayCrops:
    """Open the crops of an HDF5 file, lazily.

    The crops are the dataset ``crops``, ``images``, ``X`` or ``data``; or datasets that are
    numbered (``data1``, ``data2`` ..., rows of one channel after the other too); or those in the
    group ``images``, one crop or a stack each; or else the one dataset of three axes or more.
    Datasets of a value a crop are columns. ``Index1``, ``Index2`` ... with a 1 in the column of
    the class, beside ``data1`` ..., become ``class``.

    Parameters
    ----------
    path : Path
    folders : str
        Name of the column that tells the dataset of each crop, where there are several with names.

    Raises
    ------
    InputError
        If there are no crops, or several arrays that could be crops.
    """
    import h5py

    with h5py.File(path, "r") as file:
        found = _datasets(file)
        if not found:
            raise InputError(f"{path.name} holds no dataset of numbers: crops were expected.")
        names, kind = _chosen(found, path.name)
        sets = [found[name] for name in names]
        stored = _rows(path, names, sets)
        n = stored.shape[0]
        ids = _texts(found[IDS]) if IDS in found and found[IDS].shape == (n,) else None
        columns = _columns(found, n, set(names))
        columns |= _one_hot(found, n, kind)
        crops = arranged(stored, sets[0].dtype, path.name, flat=kind == "numbered")
        told = file.attrs.get(CHANNELS, found.get(CHANNELS))
        channels = _texts(told) if told is not None else None
    owners, own_ids = _named_rows(stored)
    if kind == "group":
        columns = {folders: owners, **columns} if not stored.single else columns
        ids = own_ids if ids is None else ids
    return ArrayCrops.of(
        crops,
        None if ids is None else [str(one) for one in ids],
        columns,
        channels=channels_among(channels, crops.shape[1]),
    )


def _datasets(file: Any) -> dict[str, Any]:
    """Return the datasets of numbers and texts by name; none that lies in another file."""
    import h5py

    found: dict[str, Any] = {}

    def visit(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset) and not node.external and not node.is_virtual:
            is_text = h5py.check_string_dtype(node.dtype) is not None
            if is_text or node.dtype.kind in "biufSU":
                found[name] = node

    file.visititems(visit)  # follows no link into another file
    return found


def _chosen(found: Mapping[str, Any], where: str) -> tuple[list[str], str]:
    """Return the datasets of crops in their order, and how they were found."""
    by_lower = {name.lower(): name for name in found}
    for usual in _USUAL:
        name = by_lower.get(usual)
        if name is not None and len(found[name].shape) >= 3:
            return [name], "usual"
    numbered = _numbered(found, "data")
    if numbered:
        return numbered, "numbered"
    group = [n for n in found if n.lower().startswith("images/") and len(found[n].shape) >= 2]
    if group:
        return sorted(group, key=lambda name: _natural(Path(name))), "group"
    stacks = [name for name, one in found.items() if len(one.shape) >= 3]
    if len(stacks) != 1:
        raise InputError(
            f"{where} should hold one dataset of crops, named 'crops' or 'images'; those of three "
            f"axes or more are {', '.join(stacks) or 'none'}."
        )
    return stacks, "usual"


def _numbered(found: Mapping[str, Any], stem: str) -> list[str]:
    """Return the datasets ``stem1``, ``stem2`` ... in the order of their numbers."""
    parts = {name: _NUMBERED.match(name) for name in found}
    numbers = {
        int(match[2]): name
        for name, match in parts.items()
        if match and match[1].lower() == stem and len(found[name].shape) >= 2
    }
    return [numbers[number] for number in sorted(numbers)]


def _rows(path: Path, names: list[str], sets: list[Any]) -> Hdf5Rows:
    """Return the rows of all datasets as one array.

    Raises
    ------
    InputError
        If crops differ in shape.
    """
    shapes = [tuple(one.shape) for one in sets]
    is_single = len(names) > 1 and _is_one_crop(shapes) and names[0].lower().startswith("images/")
    inner = shapes if is_single else [shape[1:] for shape in shapes]
    usual, _ = Counter(inner).most_common(1)[0]
    odd = [name for name, shape in zip(names, inner, strict=True) if shape != usual]
    if odd:
        raise InputError(
            f"The crops of {path.name} differ in shape: most have {usual}, but not "
            f"{odd[0]!r}; leave it out, or cut all crops again in one size."
        )
    lengths = [1] * len(names) if is_single else [shape[0] for shape in shapes]
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.intp)
    return Hdf5Rows((int(starts[-1]), *usual), path, tuple(names), starts, is_single)


def _is_one_crop(shapes: list[tuple[int, ...]]) -> bool:
    """Tell whether datasets of these shapes are one crop each, (y, x) or (channel, y, x)."""
    if len(set(shapes)) != 1:
        return False
    first = shapes[0]
    return len(first) == 2 or (len(first) == 3 and first[0] <= MOST_CHANNELS)


def _named_rows(stored: Hdf5Rows) -> tuple[npt.NDArray[Any], list[str]]:
    """Return the dataset of each crop by its last name, and names of crops."""
    short = np.array([name.rsplit("/", 1)[-1] for name in stored.names], np.str_)
    lengths = np.diff(stored.starts)
    owners = np.repeat(short, lengths)
    if stored.single:
        return owners, owners.tolist()
    inner = np.concatenate([np.arange(n) for n in lengths])
    return owners, [f"{name}#{row}" for name, row in zip(owners, inner, strict=True)]


def _columns(found: Mapping[str, Any], n: int, taken: set[str]) -> dict[str, npt.NDArray[Any]]:
    """Return the datasets of one number or text a crop, by their last name."""
    skipped = {*taken, IDS, CHANNELS}
    return {
        name.rsplit("/", 1)[-1]: _plain(one)
        for name, one in found.items()
        if name not in skipped and tuple(one.shape) == (n,)
    }


def _one_hot(found: Mapping[str, Any], n: int, kind: str) -> dict[str, npt.NDArray[Any]]:
    """Return the classes that have a 1 in their column, as texts of their numbers from 0."""
    for stem in _CLASSES:
        names = _numbered(found, stem) if kind == "numbered" else []
        names = names or [
            name for name, one in found.items() if name.lower() == stem and len(one.shape) == 2
        ]
        if not names or sum(found[name].shape[0] for name in names) != n:
            continue
        widths = {tuple(found[name].shape[1:]) for name in names}
        if (
            len(widths) == 1
            and len(widths_of := widths.pop()) == 1
            and widths_of[0] <= _MOST_CLASSES
        ):
            numbers = np.concatenate([np.argmax(found[name][()], axis=1) for name in names])
            return {"class": numbers.astype(np.str_)}
    return {}


def _plain(dataset: Any) -> npt.NDArray[Any]:
    is_text = dataset.dtype.kind in "OSU"
    return np.asarray(_texts(dataset), np.str_) if is_text else np.asarray(dataset[()])


def _texts(values: Any) -> list[str]:
    """Return texts of a dataset or attribute."""
    stored = values[()] if hasattr(values, "id") else values
    flat = np.atleast_1d(np.asarray(stored, object)).ravel().tolist()
    return [one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in flat]
