"""Crops, normalised and at hand."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import ArrayCrops, Crops
from napari_cryoml.training._crop_normalisation import Images, Normalisation, normalised

_AT_ONCE_BYTES = 2**25  # of crops that are normalised at a time
_WINDOWS = 2  # a batch may begin in one and end in the next
_LARGEST_WINDOW = 2**13


class CropStore:
    """Reads crops, normalises them, and keeps what fits into memory.

    Whatever the number of crops, it holds no more than `memory_bytes` of them, and beside these
    four bytes a crop, and only where some are kept.

    Parameters
    ----------
    crops : Crops or array of shape (n, C, y, x) or (n, C, z, y, x)
        An array in memory or mapped from a file, of whatever type, is used as it is.
    memory_bytes : int, default 2 GiB
        For crops that are read from files; as many as fit are kept as float16, and read once. Of
        more than fit, half of it is for those that are read ahead.
    normalisation : {"channel", "joint", "min_max", "percentile"}, default "channel"
        See `normalised`.

    Attributes
    ----------
    block : int
        Crops that lie together in a file, from a multiple of it on: to read one of them takes as
        long as to read all; 1 where it does not matter.
    window : int
        Crops that are read ahead at one go, see `fetch`.
    """

    def __init__(
        self,
        crops: Crops | npt.NDArray[np.generic],
        memory_bytes: int = 2**31,
        normalisation: Normalisation = "channel",
    ) -> None:
        self._crops = ArrayCrops.of(crops) if isinstance(crops, np.ndarray) else crops
        self._normalisation: Normalisation = normalisation
        self.shape = (self._crops.n_channels, *self._crops.shape)
        self._bytes_each = 2 * math.prod(self.shape)
        # Boxes of a particle list or of Zarr stand for an array, and open files at each look.
        stored = getattr(self._crops, "array", None)
        is_read = not isinstance(stored, np.ndarray)
        self.block = _block_of(stored) if is_read else 1
        fits = memory_bytes // self._bytes_each
        self.window = max(min(fits // (2 * _WINDOWS), _LARGEST_WINDOW, len(self)), 1)
        if self.block > 1 and fits < len(self):
            fits -= _WINDOWS * self.window
        self._kept = np.empty((min(fits, len(self)) if is_read else 0, *self.shape), np.float16)
        self._place = np.full(len(self) if len(self._kept) else 0, -1, np.int32)
        self._n_kept = 0
        self._ahead: deque[tuple[npt.NDArray[Any], npt.NDArray[np.float16]]] = deque(
            maxlen=_WINDOWS
        )

    def __len__(self) -> int:
        return len(self._crops)

    def read(self, rows: npt.ArrayLike) -> Images:
        """Return the normalised crops of some rows, in their order, shape (k, C, *shape)."""
        wanted = np.asarray(rows, np.intp)
        images = np.empty((len(wanted), *self.shape), np.float32)
        missing = self._from_memory(wanted, images)
        if len(missing):
            images[missing] = self._read(wanted[missing])
            self._keep(wanted[missing], images[missing])
        return images

    def fetch(self, rows: npt.ArrayLike) -> None:
        """Read crops ahead, in the order in which they are stored, and hold them for a while.

        Parameters
        ----------
        rows : array of shape (k,)
            At most `window`, that will soon be asked for; those that are kept are not read again.
            They are held until the second call from here on.
        """
        wanted = np.unique(np.asarray(rows))
        if len(self._place):
            wanted = wanted[self._place[wanted] < 0]
        if len(self._ahead) == _WINDOWS:
            self._ahead.popleft()  # before the next is made, so that there are never more
        held = np.empty((len(wanted), *self.shape), np.float16)
        at_once = max(_AT_ONCE_BYTES // (2 * self._bytes_each) // self.block, 1) * self.block
        for start in range(0, len(wanted), at_once):
            part = slice(start, start + at_once)
            held[part] = self._read(wanted[part])
            self._keep(wanted[part], held[part])
        if len(self._place):
            is_kept = self._place[wanted] >= 0
            wanted, held = (wanted[~is_kept], held[~is_kept]) if is_kept.any() else (wanted, held)
        self._ahead.append((wanted, held))

    def _read(self, rows: npt.NDArray[Any]) -> Images:
        return normalised(self._crops.read(rows), self._normalisation)

    def _from_memory(self, wanted: npt.NDArray[np.intp], images: Images) -> npt.NDArray[np.intp]:
        """Fill in what is in memory; return which are not."""
        missing = np.arange(len(wanted))
        if len(self._place):
            is_kept = self._place[wanted] >= 0
            images[is_kept] = self._kept[self._place[wanted[is_kept]]]
            missing = np.flatnonzero(~is_kept)
        for rows, held in self._ahead:
            if not len(missing) or not len(rows):
                continue
            places = np.searchsorted(rows, wanted[missing]).clip(max=len(rows) - 1)
            is_held = rows[places] == wanted[missing]
            images[missing[is_held]] = held[places[is_held]]
            missing = missing[~is_held]
        return missing

    def _keep(self, rows: npt.NDArray[Any], images: npt.NDArray[Any]) -> None:
        room = len(self._kept) - self._n_kept
        if not room:
            return
        rows, first = np.unique(rows, return_index=True)
        room = min(len(rows), room)
        places = self._n_kept + np.arange(room)
        self._kept[places] = images[first[:room]]
        self._place[rows[:room]] = places
        self._n_kept += room


def _block_of(stored: Any) -> int:
    """Return how many crops lie together in a file, where it says so."""
    return max(int(getattr(stored, "rows_per_chunk", 1)), 1)
