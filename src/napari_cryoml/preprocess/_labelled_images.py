"""Images with the labels of their cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_cryoml.preprocess._cell_boxes import CellCutting
from napari_cryoml.preprocess._cell_channels import ordered_channels
from napari_cryoml.preprocess._cell_regions import check_shapes, checked_labels
from napari_cryoml.preprocess._cells_config import CellsConfig
from napari_cryoml.preprocess._cut_cells import cutting_of

_SAME_PIXEL_SIZE = 0.005


class ChannelImage(Protocol):
    """An image of several channels that is read when it is asked for, as `io.CellImage`."""

    @property
    def name(self) -> str: ...

    @property
    def shape(self) -> tuple[int, ...]:
        """(C, Y, X)."""
        ...

    @property
    def channels(self) -> tuple[str, ...] | None: ...

    @property
    def pixel_size(self) -> float | None:
        """Angstrom per pixel."""
        ...

    def pixels(self) -> Any:
        """Return what is sliced like an array (C, Y, X)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class LabelledImage:
    """An image and the labels of its cells.

    Parameters
    ----------
    image : ChannelImage
    labels : Path, or array of shape (Y, X)
        A file that `io.read_cell_labels` reads.
    pixel_size : float, optional
        Angstrom per pixel, where the image does not say it or says it wrongly.
    """

    image: ChannelImage
    labels: Path | npt.NDArray[Any]
    pixel_size: float | None = None

    @property
    def sampling(self) -> float | None:
        """Angstrom per pixel, if it is known."""
        return self.image.pixel_size if self.pixel_size is None else self.pixel_size

    def read_labels(self) -> npt.NDArray[np.integer]:
        """Return the labels, (Y, X).

        Raises
        ------
        InputError
            If they cannot be read, are no whole numbers, or have another shape than the image.
        """
        from napari_cryoml.io import read_cell_labels  # loads pandas

        is_file = isinstance(self.labels, Path)
        found = checked_labels(
            read_cell_labels(self.labels) if is_file else self.labels,  # type: ignore[arg-type]
            self.image.name,
        )
        check_shapes(self.image.shape, found.shape, self.image.name)
        return found


@dataclass(slots=True, eq=False)
class OpenImage:
    """An image whose channels are in the order of the crops; sliced like an array."""

    number: int
    source: LabelledImage
    pixels: Any
    channels: list[int]
    cutting: CellCutting
    _labels: npt.NDArray[np.integer] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.channels), *self.pixels.shape[1:])

    def __getitem__(self, key: tuple[slice, ...]) -> npt.NDArray[Any]:
        chosen = np.asarray(self.pixels[(slice(None), *key[1:])])
        return chosen[self.channels][key[0]]

    def labels(self) -> npt.NDArray[np.integer]:
        """Return the labels, read once."""
        if self._labels is None:
            self._labels = self.source.read_labels()
        return self._labels


def channels_of(image: ChannelImage, config: CellsConfig) -> tuple[list[int], tuple[str, ...]]:
    return ordered_channels(config, image.channels, image.shape[0], image.name)


def open_labelled(number: int, source: LabelledImage, config: CellsConfig) -> OpenImage:
    image = source.image
    channels, _ = channels_of(image, config)
    cutting = cutting_of(config, source.sampling, image.shape, image.name)
    return OpenImage(number, source, image.pixels(), channels, cutting)


def _sizes(images: Sequence[LabelledImage]) -> list[float]:
    return [size for one in images if (size := one.sampling)]


def sizes_alike(images: Sequence[LabelledImage]) -> bool:
    """Tell whether all pixel sizes that are known are the same."""
    known = _sizes(images)
    return not known or max(known) - min(known) <= _SAME_PIXEL_SIZE * max(known)


def common_size(images: Sequence[LabelledImage]) -> float | None:
    known = _sizes(images)
    return known[0] if len(known) == len(images) and sizes_alike(images) else None
