"""Cells of many images, cut when they are asked for."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml.preprocess._cells_config import CellsConfig
from napari_cryoml.preprocess._cut_cells import CellRows, masked
from napari_cryoml.preprocess._labelled_images import (
    LabelledImage,
    OpenImage,
    channels_of,
    common_size,
    open_labelled,
)

Image = npt.NDArray[np.float32]


class ImageCells:
    """Cells of many images, cut when they are asked for; made by `find_cells`.

    They are `Crops`: pickled, they carry the paths and the positions, and no pixels. The image that
    was last read is kept open.

    Parameters
    ----------
    images : sequence of LabelledImage
    config : CellsConfig
    rows : CellRows
        Of all images, in their order.
    owners : array of shape (n,)
        Number of the image of each.
    """

    def __init__(
        self,
        images: Sequence[LabelledImage],
        config: CellsConfig,
        rows: CellRows,
        owners: npt.NDArray[np.intp],
    ) -> None:
        self._images, self._config = tuple(images), config
        self._rows, self._owners = rows, owners
        image = self._images[0].image
        _, self._channels = channels_of(image, config)
        self._open: OpenImage | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_open": None}

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def ids(self) -> npt.NDArray[np.str_]:
        """Names by image and centroid, shape (n,)."""
        return self._rows.ids

    @property
    def images(self) -> npt.NDArray[np.str_]:
        """Name of the image of each, shape (n,)."""
        return np.asarray(self._rows.columns["roi_id"], np.str_)

    @property
    def sources(self) -> tuple[LabelledImage, ...]:
        """The images with their labels."""
        return self._images

    @property
    def positions(self) -> npt.NDArray[np.float64]:
        """Centroids, pixel yx of the images, shape (n, 2)."""
        return self._rows.positions

    @property
    def columns(self) -> Mapping[str, npt.NDArray[Any]]:
        """The columns of `cut_cells`."""
        return self._rows.columns

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels; the first is the protein."""
        return self._channels

    @property
    def masks(self) -> CellMasks:
        """Which pixels belong to each cell, read when they are asked for."""
        return CellMasks(self)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of each crop in pixels, (y, x)."""
        return (self._config.size, self._config.size)

    @property
    def n_channels(self) -> int:
        """Channels of each crop."""
        return len(self._channels)

    @property
    def pixel_size(self) -> float | None:
        """Angstrom per pixel of the crops, if it was asked for, or the images tell one."""
        return self._config.pixel_size or common_size(self._images)

    @property
    def box(self) -> int:
        """Side of a crop in pixels of the images; where they differ, of the first."""
        ratio = self._config.ratio(self._images[0].sampling, self._images[0].image.name)
        return max(round(self._config.size * ratio), 1)

    def take(self, rows: npt.ArrayLike) -> ImageCells:
        """Return some of the cells, in the order of their rows.

        Parameters
        ----------
        rows : array of shape (k,)
            Row numbers, each at most once, or truth values of shape (n,).
        """
        wanted = np.asarray(rows)
        index = np.arange(len(self))[wanted if wanted.size else wanted.astype(np.intp)]
        other = copy.copy(self)
        other._rows, other._owners = self._rows.take(index), self._owners[index]  # noqa: SLF001
        return other

    def batches(self, size: int) -> Iterator[npt.NDArray[np.intp]]:
        """Yield all row numbers, at most `size` at a time, those of an image together."""
        order = np.argsort(self._owners, kind="stable")
        for start in range(0, len(order), size):
            yield order[start : start + size]

    def read(self, rows: npt.ArrayLike) -> Image:
        """Return the crops of some rows, in their order.

        Returns
        -------
        array of shape (k, C, y, x), float32

        Raises
        ------
        InputError
            If an image or its labels have gone or cannot be read.
        """
        wanted = np.asarray(rows, np.intp)
        crops = np.empty((len(wanted), self.n_channels, *self.shape), np.float32)
        for image, places in self._by_image(wanted):
            positions = self._rows.positions[wanted[places]]
            crops[places] = image.cutting.boxes(image, positions)
        return masked(crops, self.read_masks(wanted)) if self._config.mask else crops

    def read_masks(self, rows: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return which pixels of some crops belong to their cell, shape (k, y, x)."""
        wanted = np.asarray(rows, np.intp)
        masks = np.empty((len(wanted), *self.shape), bool)
        for image, places in self._by_image(wanted):
            which = wanted[places]
            numbers = self._rows.columns["label"][which]
            positions = self._rows.positions[which]
            masks[places] = image.cutting.masks(image.labels(), positions, numbers)
        return masks

    def _by_image(
        self, wanted: npt.NDArray[np.intp]
    ) -> Iterator[tuple[OpenImage, npt.NDArray[np.intp]]]:
        """Yield each image that is needed, open, with the places of its cells."""
        owners = self._owners[wanted]
        for owner in np.unique(owners):
            if self._open is None or self._open.number != owner:
                self._open = None  # before the next one: never two of them
                self._open = open_labelled(int(owner), self._images[int(owner)], self._config)
            yield self._open, np.flatnonzero(owners == owner)


@dataclass(frozen=True, slots=True, eq=False)
class CellMasks:
    """The masks of `ImageCells` as an array; rows are read when they are asked for."""

    cells: ImageCells

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, y, x)."""
        return (len(self.cells), *self.cells.shape)

    @property
    def ndim(self) -> int:
        """3."""
        return 3

    @property
    def dtype(self) -> np.dtype[np.bool_]:
        """Truth values."""
        return np.dtype(np.bool_)

    def __len__(self) -> int:
        return len(self.cells)

    def __getitem__(self, key: Any) -> npt.NDArray[np.bool_]:
        first, rest = (key[0], key[1:]) if isinstance(key, tuple) else (key, ())
        rows = np.arange(len(self))[first]
        masks = self.cells.read_masks(np.atleast_1d(rows))
        found = masks if np.ndim(rows) else masks[0]
        return np.asarray(found[(slice(None),) * np.ndim(rows) + tuple(rest)])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.asarray(self[...], dtype=dtype)
