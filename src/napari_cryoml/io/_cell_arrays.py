"""Crops of cells in arrays on disk, whatever the order of their axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isqrt
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.io._crop_files import LazyBoxes
from napari_cryoml.io._image_format import reading

Layout: TypeAlias = Literal["nyx", "ncyx", "nyxc", "flat"]

MOST_CHANNELS = 16
_LEAST_FLAT_SIDE = 8


@dataclass(frozen=True, slots=True)
class ArrangedCells(LazyBoxes):
    """Stored crops of any order of axes as (n, C, y, x).

    Parameters
    ----------
    stored : LazyBoxes
        As they lie in the file.
    layout : {"nyx", "ncyx", "nyxc", "flat"}
        Its axes; flat are rows of one channel after the other, of square crops.
    """

    stored: LazyBoxes | None = None
    layout: Layout = "ncyx"

    @property
    def rows_per_chunk(self) -> int:
        """As they lie in the file."""
        return 1 if self.stored is None else self.stored.rows_per_chunk

    def read(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
        """Return some rows."""
        if self.stored is None:
            raise ValueError("There are no crops to arrange.")
        found = self.stored.read(rows)
        if self.layout == "nyxc":
            found = np.moveaxis(found, -1, 1)
        return np.ascontiguousarray(found.reshape(len(rows), *self.shape[1:]), np.float32)


@dataclass(frozen=True, slots=True)
class NpyRows(LazyBoxes):
    """Rows of an array of numpy's, mapped when they are read.

    Parameters
    ----------
    path : Path
    """

    path: Path = Path()

    def read(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
        """Return some rows."""
        with reading(self.path, "an array"):
            stored = np.load(self.path, mmap_mode="r", allow_pickle=False)
            return np.asarray(stored[rows], np.float32)


@dataclass(frozen=True, slots=True)
class Hdf5Rows(LazyBoxes):
    """Rows of one or several datasets of an HDF5 file, one after the other.

    Parameters
    ----------
    path : Path
    names : tuple of str
        The datasets.
    starts : array of shape (number of datasets + 1,)
        Row at which each begins, and the number of all.
    single : bool
        Whether each dataset is one crop, without an axis of crops.
    """

    path: Path = Path()
    names: tuple[str, ...] = ()
    starts: npt.NDArray[np.intp] = field(default_factory=lambda: np.zeros(1, np.intp))
    single: bool = False

    @property
    def rows_per_chunk(self) -> int:
        """Rows of a chunk of the one dataset; of several datasets none begins at a multiple."""
        import h5py

        if self.single or len(self.names) != 1:
            return 1
        with reading(self.path, "HDF5"), h5py.File(self.path, "r") as file:
            chunks = file[self.names[0]].chunks
        return 1 if chunks is None else int(chunks[0])

    def read(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
        """Return some rows; those of one dataset at once."""
        import h5py  # takes a while

        found = np.empty((len(rows), *self.shape[1:]), np.float32)
        owners = np.searchsorted(self.starts, rows, side="right") - 1
        with reading(self.path, "HDF5"), h5py.File(self.path, "r") as file:
            for owner in np.unique(owners):
                places = np.flatnonzero(owners == owner)
                dataset = file[self.names[int(owner)]]
                inner = rows[places] - self.starts[owner]
                found[places] = dataset[()] if self.single else _rows_of(dataset, inner)
        return found


def cell_layout(
    shape: Sequence[int], dtype: np.dtype[Any], where: str, *, flat: bool = False
) -> tuple[tuple[int, int, int, int], Layout]:
    """Return the shape (n, C, y, x) of stored crops, and how their axes lie.

    Parameters
    ----------
    shape : sequence of int
        Of the array.
    dtype : numpy.dtype
    where : str
        What they were found in, for the complaint.
    flat : bool
        Whether rows (n, C * y * x) of square crops are taken, too.

    Raises
    ------
    InputError
        If the array has other axes, or holds no numbers.
    """
    lengths = tuple(int(one) for one in shape)
    fits = np.dtype(dtype).kind in "biuf" and all(lengths[1:])
    if fits and len(lengths) == 3:
        return (lengths[0], 1, lengths[1], lengths[2]), "nyx"
    if fits and len(lengths) == 4:
        n, a, b, c = lengths
        is_last = c <= MOST_CHANNELS and c < min(a, b) and a > MOST_CHANNELS
        return ((n, c, a, b), "nyxc") if is_last else ((n, a, b, c), "ncyx")
    channels = flat_channels(lengths[1]) if fits and flat and len(lengths) == 2 else None
    if channels is not None:
        side = isqrt(lengths[1] // channels)
        return (lengths[0], channels, side, side), "flat"
    raise InputError(
        f"{where} should hold crops of cells of axes (n, y, x), (n, channel, y, x) or (n, y, x, "
        f"channel), numbers; an array of shape {lengths} and type {dtype} was found."
    )


def flat_channels(length: int) -> int | None:
    """Return the fewest channels of square crops that have this many pixels together, or None."""
    for channels in range(1, MOST_CHANNELS + 1):
        side = isqrt(length // channels)
        if length % channels == 0 and side**2 * channels == length and side >= _LEAST_FLAT_SIDE:
            return channels
    return None


def arranged(stored: LazyBoxes, dtype: np.dtype[Any], where: str, *, flat: bool = False) -> Any:
    """Return stored crops as an array (n, C, y, x) that is read when it is asked for.

    Raises
    ------
    InputError
        If they have other axes, or are no numbers.
    """
    shape, layout = cell_layout(stored.shape, dtype, where, flat=flat)
    return ArrangedCells(shape, stored, layout)


def _rows_of(dataset: Any, rows: npt.NDArray[np.intp]) -> npt.NDArray[Any]:
    """Return rows of a dataset, which takes ascending ones; neighbours are read as one block."""
    wanted, places = np.unique(rows, return_inverse=True)
    first, last = int(wanted[0]), int(wanted[-1])
    if last - first + 1 == len(wanted):
        return np.asarray(dataset[first : last + 1])[places]
    return np.asarray(dataset[wanted])[places]
