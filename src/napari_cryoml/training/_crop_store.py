"""Crops, normalised and at hand."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import ArrayCrops, Crops
from napari_cryoml.training._crop_normalisation import Images, Normalisation, normalised


class CropStore:
    """Reads crops, normalises them, and keeps what fits into memory.

    Parameters
    ----------
    crops : Crops or array of shape (n, C, y, x) or (n, C, z, y, x)
        An array in memory or mapped from a file, of whatever type, is used as it is.
    memory_bytes : int, default 2 GiB
        For crops that are read from files; as many as fit are kept as float16, and read once.
    normalisation : {"channel", "joint", "min_max", "percentile"}, default "channel"
        See `normalised`.
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
        fits = memory_bytes // (2 * math.prod(self.shape))
        # Boxes of a particle list or of Zarr stand for an array, and open files at each look.
        is_read = not isinstance(getattr(self._crops, "array", None), np.ndarray)
        self._kept = np.empty((min(fits, len(self)) if is_read else 0, *self.shape), np.float16)
        self._place = np.full(len(self), -1, np.intp)
        self._n_kept = 0

    def __len__(self) -> int:
        return len(self._crops)

    def read(self, rows: npt.ArrayLike) -> Images:
        """Return the normalised crops of some rows, in their order, shape (k, C, *shape)."""
        wanted = np.asarray(rows, np.intp)
        images = np.empty((len(wanted), *self.shape), np.float32)
        is_kept = self._place[wanted] >= 0
        images[is_kept] = self._kept[self._place[wanted[is_kept]]]
        missing = np.flatnonzero(~is_kept)
        if len(missing):
            images[missing] = normalised(self._crops.read(wanted[missing]), self._normalisation)
            self._keep(wanted[missing], images[missing])
        return images

    def _keep(self, rows: npt.NDArray[np.intp], images: Images) -> None:
        rows, first = np.unique(rows, return_index=True)
        room = min(len(rows), len(self._kept) - self._n_kept)
        places = self._n_kept + np.arange(room)
        self._kept[places] = images[first[:room]]
        self._place[rows[:room]] = places
        self._n_kept += room
