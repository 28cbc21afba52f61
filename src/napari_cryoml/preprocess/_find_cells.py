"""Find the cells of many images, one image after the other."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.jobs import Command, Event, Job
from napari_cryoml.preprocess._cell_regions import cell_regions
from napari_cryoml.preprocess._cells_config import CellsConfig
from napari_cryoml.preprocess._cut_cells import (
    CellRows,
    cell_rows,
    empty_labels,
    remark_on_dropped,
    remark_on_quality,
)
from napari_cryoml.preprocess._image_cells import ImageCells
from napari_cryoml.preprocess._labelled_images import (
    ChannelImage,
    LabelledImage,
    channels_of,
    open_labelled,
    sizes_alike,
)


def find_cells(
    images: Sequence[LabelledImage],
    config: CellsConfig | None = None,
    *,
    known: Iterable[str] = (),
) -> Job[ImageCells]:
    """Find the cells of many images, as a job; pixels are cut later, when they are asked for.

    Each image is read once, one after the other, for what is measured of its cells.

    Parameters
    ----------
    images : sequence of LabelledImage
    config : CellsConfig, optional
    known : iterable of str
        Ids that cells were given before, see `cut_cells`.

    Returns
    -------
    ImageCells
        Stopped, the job gives the cells of the images so far.

    Raises
    ------
    InputError
        If no image has cells that can be cut, or images differ in their channels.

    Warns
    -----
    InputWarning
        If images were left out, cells dropped at the border, or some have saturated, constant or
        empty channels; and if pixel sizes differ, but crops are not rescaled.
    """
    config = config or CellsConfig()
    if not images:
        raise InputError("There are no images to cut cells out of: one at least is needed.")
    before: dict[str, list[str]] = defaultdict(list)
    for one in known:
        before[one.rpartition("@")[0]].append(one)
    found = _Found(config)
    for number, image in enumerate(images):
        found.add(image, before[image.image.name])
        message = f"{found.n} cells in {number + 1} of {len(images)} images"
        command = yield Event(done=number + 1, total=len(images), message=message)
        if command is Command.STOP:
            break
    return found.cells()


class _Found:
    """The cells found so far."""

    def __init__(self, config: CellsConfig) -> None:
        self._config = config
        self._images: list[LabelledImage] = []
        self._rows: list[CellRows] = []
        self._n_images = self._n_before = 0
        self._last = ""
        self._empty: list[str] = []
        self._problems: list[str] = []

    @property
    def n(self) -> int:
        return sum(map(len, self._rows))

    def add(self, image: LabelledImage, known: Sequence[str]) -> None:
        """Take the cells of an image, or remember why there are none."""
        self._n_images += 1
        self._last = image.image.name
        if self._images:
            self._check_channels(image.image)
        else:
            channels_of(image.image, self._config)  # a missing channel is missing in all of them
        try:
            rows, n_before = self._cells_of(image, known)
        except InputError as error:
            self._problems.append(str(error))
            return
        self._n_before += n_before
        if not n_before:
            self._empty.append(image.image.name)
        if len(rows):
            self._images.append(image)
            self._rows.append(rows)

    def _check_channels(self, image: ChannelImage) -> None:
        first = self._images[0].image
        if image.shape[0] != first.shape[0]:
            raise InputError(
                f"{image.name} has {image.shape[0]} channels, and {first.name} has "
                f"{first.shape[0]}: cut images of the same channels together."
            )
        _, names = channels_of(image, self._config)
        _, others = channels_of(first, self._config)
        if names != others:
            raise InputError(
                f"The channels of {image.name} are {', '.join(names)}, and those of {first.name} "
                f"{', '.join(others)}: cut images of the same channels together, or name them."
            )

    def _cells_of(self, image: LabelledImage, known: Sequence[str]) -> tuple[CellRows, int]:
        """Return the cells whose crops are kept, and how many there are."""
        name = image.image.name
        labels = image.read_labels()
        regions = cell_regions(labels, name)
        opened = open_labelled(0, image, self._config)
        if not len(regions):
            nothing: npt.NDArray[Any] = np.empty(0, np.str_)
            return CellRows(nothing, np.empty((0, 2)), {}), 0
        pixels = opened[:, :, :]
        rows = cell_rows(pixels, regions, self._config, name, known)
        return rows.take(opened.cutting.inside(rows.positions, pixels.shape[1:])), len(rows)

    def cells(self) -> ImageCells:
        """Return the cells of all images, and say what was odd."""
        if self._problems and not self._images:
            raise InputError(_first_of(self._problems))
        if not self._n_before:
            where = self._empty[0] if len(self._empty) == 1 else f"all {len(self._empty)} images"
            raise InputError(empty_labels(where))
        where = f"{self._n_images} images" if self._n_images > 1 else self._last
        remark_on_dropped(self.n, self._n_before, where)
        if self._problems:
            _warn(f"Left out: {_first_of(self._problems)}")
        if self._empty:
            _warn(
                f"{len(self._empty)} images have no cell in their labels and were passed over: "
                f"{self._empty[0]}{' ...' if len(self._empty) > 1 else ''}."
            )
        return self._joined()

    def _joined(self) -> ImageCells:
        names = self._rows[0].columns
        columns = {
            name: np.concatenate([one.columns[name] for one in self._rows]) for name in names
        }
        rows = CellRows(
            np.concatenate([one.ids for one in self._rows]),
            np.concatenate([one.positions for one in self._rows]),
            columns,
        )
        owners = np.repeat(np.arange(len(self._rows)), [len(one) for one in self._rows])
        cells = ImageCells(self._images, self._config, rows, owners)
        remark_on_quality(columns, cells.channels)
        if self._config.pixel_size is None and not sizes_alike(self._images):
            _warn(
                "The images have different pixel sizes, and their cells are cut as they are: give "
                "the pixel size of the crops to bring them to one."
            )
        return cells


def _first_of(problems: Sequence[str]) -> str:
    """Return the first of some sentences, and how many are like it."""
    more = len(problems) - 1
    if not more:
        return problems[0]
    return f"{problems[0].removesuffix('.')} ({more} more image{'s' * (more > 1)} like it)."


def _warn(sentence: str) -> None:
    warnings.warn(sentence, InputWarning, stacklevel=4)
