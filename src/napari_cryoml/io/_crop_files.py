"""Crops that stay on disk until their rows are asked for."""

from __future__ import annotations

import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import emfile
import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.io._image_format import reading
from napari_cryoml.io._mrc import load_boxes

BOX_SUFFIXES = (".mrc", ".em", ".map", ".ccp4", ".rec")
"""Files that hold one box each."""

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class LazyBoxes:
    """An array of crops that reads its rows from files; the first index takes rows as numpy's does.

    Parameters
    ----------
    shape : tuple of int
        (n, channel, y, x) or (n, channel, z, y, x).
    """

    shape: tuple[int, ...]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[np.float32]:
        """Type of what is read."""
        return np.dtype(np.float32)

    @property
    def rows_per_chunk(self) -> int:
        """Rows that lie together, from a multiple of it on: one costs as much as all of them."""
        return 1

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> npt.NDArray[np.float32]:
        first, rest = (key[0], key[1:]) if isinstance(key, tuple) else (key, ())
        rows = _numbers_of(first, len(self))
        boxes = self.read(np.atleast_1d(rows))
        return (boxes if np.ndim(rows) else boxes[0])[(slice(None),) * np.ndim(rows) + tuple(rest)]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.asarray(self[...], dtype=dtype)

    def read(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
        """Return some rows, in their order."""
        raise NotImplementedError


def _numbers_of(index: Any, n: int) -> npt.NDArray[np.intp]:
    """Return the numbers of the rows that an index takes of `n`, without a list of all of them."""
    if isinstance(index, np.ndarray) and index.ndim and index.dtype.kind in "iu":
        if len(index) and not (-n <= index.min() and index.max() < n):
            raise IndexError(f"rows of {n} were asked for beyond their end")
        return np.where(index < 0, index + n, index).astype(np.intp)
    return np.asarray(np.arange(n)[index])


@dataclass(frozen=True, slots=True)
class FileBoxes(LazyBoxes):
    """Crops in files of one or several boxes each.

    Parameters
    ----------
    paths : tuple of Path
    entries : array of shape (n, 2)
        Number of the file of each row, and of the box in it.
    """

    paths: tuple[Path, ...] = ()
    entries: npt.NDArray[np.intp] = field(default_factory=lambda: np.empty((0, 2), np.intp))

    def read(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
        """Return some rows, each file opened once."""
        boxes = np.empty((len(rows), *self.shape[1:]), np.float32)
        files, numbers = self.entries[rows].T
        for file in np.unique(files):
            places = np.flatnonzero(files == file)
            path = self.paths[int(file)]
            with reading(path, "boxes"):
                stored, _ = boxes_in(path)
                boxes[places, 0] = stored[numbers[places]]
        return boxes


@dataclass(frozen=True, slots=True)
class ZarrBoxes(LazyBoxes):
    """Crops in a Zarr array; its chunks are read when their rows are asked for.

    Parameters
    ----------
    path : Path
        The store.
    name : str
        The array in it, "" where the store is one array.
    """

    path: Path = Path()
    name: str = ""

    @property
    def rows_per_chunk(self) -> int:
        """Rows of a chunk of the array."""
        with reading(self.path, "Zarr"):
            return int(self._array().chunks[0])

    def _array(self) -> Any:
        import zarr  # takes as long as everything else here together

        node: Any = zarr.open(self.path, mode="r")
        return node[self.name] if self.name else node

    def read(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
        """Return some rows."""
        with reading(self.path, "Zarr"):
            wanted, places = np.unique(rows, return_inverse=True)
            boxes = np.asarray(self._array().oindex[wanted], np.float32)[places]
        return boxes.reshape(len(rows), *self.shape[1:])


@dataclass(frozen=True, slots=True)
class LazyMasks:
    """An array of masks, true or false, that reads its rows from a file.

    Parameters
    ----------
    stored : LazyBoxes
        Of shape (n, y, x) or (n, z, y, x); what is not 0 is true.
    """

    stored: LazyBoxes

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, y, x) or (n, z, y, x)."""
        return self.stored.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[np.bool_]:
        """Truth values."""
        return np.dtype(np.bool_)

    def __len__(self) -> int:
        return len(self.stored)

    def __getitem__(self, key: Any) -> npt.NDArray[np.bool_]:
        return np.asarray(self.stored[key] != 0)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.asarray(self[...], dtype=dtype)


def boxes_in(path: Path) -> tuple[npt.NDArray[Any], float | None]:
    """Return the boxes of a file, mapped where it can be, and their pixel size.

    Returns
    -------
    array of shape (n, y, x) or (n, z, y, x)
    float or None
        Angstrom per pixel.
    """
    if path.suffix.lower() != ".em":
        return load_boxes(path)
    _, box = emfile.read(path, mmap=True)
    return box[None] if box.shape[0] > 1 else box[0][None], None


def files_of_boxes(
    paths: Sequence[Path], entries: npt.NDArray[np.intp], where: str
) -> tuple[FileBoxes, float | None]:
    """Return crops in files, and their pixel size where all files tell the same.

    Parameters
    ----------
    paths : sequence of Path
    entries : array of shape (n, 2)
        Number of the file of each row, and of the box in it.
    where : str
        What they were found in, for the complaint.

    Raises
    ------
    InputError
        If a file is missing or damaged, has no such box, or boxes differ in size.

    Warns
    -----
    InputWarning
        If the files tell different pixel sizes.
    """
    shapes: list[tuple[int, ...]] = []
    sizes: set[float | None] = set()
    for file, path in enumerate(paths):
        with reading(path, "boxes"):
            stored, size = boxes_in(path)
        _check_number(path, len(stored), entries[entries[:, 0] == file, 1])
        shapes.append(tuple(stored.shape[1:]))
        sizes.add(None if size is None else float(f"{size:.6g}"))
    _check_shapes([path.name for path in paths], shapes, where)
    known = sorted(size for size in sizes if size is not None)
    if len(known) > 1:
        warnings.warn(
            f"The boxes of {where} tell pixels of {known[0]:g} to {known[-1]:g} angstrom: none is "
            "used; give the right one, or rescale the boxes to one.",
            InputWarning,
            stacklevel=3,
        )
    crops = FileBoxes((len(entries), 1, *shapes[0]), tuple(paths), entries)
    return crops, sizes.pop() if len(sizes) == 1 else None


def _check_number(path: Path, n: int, wanted: npt.NDArray[np.intp]) -> None:
    if len(wanted) and (wanted.max() >= n or wanted.min() < 0):
        raise InputError(
            f"{path.name} holds {n} boxes, and number {wanted.max() + 1} is asked for: the list "
            "and the stack do not belong together."
        )


def _check_shapes(names: Sequence[str], shapes: Sequence[tuple[int, ...]], where: str) -> None:
    """Complain of boxes that are not as large as most are."""
    counts = Counter(shapes)
    if len(counts) == 1:
        return
    usual, n = counts.most_common(1)[0]
    odd: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for name, shape in zip(names, shapes, strict=True):
        if shape != usual:
            odd[shape].append(name)
    told = "; ".join(f"{_some(found)}: {_size(shape)}" for shape, found in odd.items())
    raise InputError(
        f"The boxes of {where} differ in size: {n} have {_size(usual)} voxels, but not {told}. "
        "Leave these out, or cut all boxes again in one size."
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
