"""Cells of one image as crops: found by their labels, named by image and centroid."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import ArrayCrops, CropPlaces
from napari_cryoml.preprocess._cell_boxes import CellCutting
from napari_cryoml.preprocess._cell_channels import ordered_channels
from napari_cryoml.preprocess._cell_quality import quality_columns
from napari_cryoml.preprocess._cell_regions import CellRegions, cell_regions, check_shapes
from napari_cryoml.preprocess._cells_config import CellsConfig
from napari_cryoml.preprocess._crop_rows import ids_of
from napari_cryoml.preprocess._known_ids import known_ids

_SAME_IN_DIAMETERS = 0.25
_LARGEST_BOX_SHARE = 4.0  # of the image's longer side; beyond it the pixel sizes are wrong
_SATURATED_SHARE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class CellRows:
    """The cells of one image, one row each.

    Parameters
    ----------
    ids : array of shape (n,), str
    positions : array of shape (n, 2)
        Centroids, pixel yx.
    columns : mapping of str to array of shape (n,)
        ``label``, ``index``, ``roi_id``, ``area`` and what `quality_columns` measures.
    """

    ids: npt.NDArray[np.str_]
    positions: npt.NDArray[np.float64]
    columns: Mapping[str, npt.NDArray[Any]]

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, index: npt.NDArray[Any]) -> CellRows:
        """Return the rows at `index`."""
        columns = {name: values[index] for name, values in self.columns.items()}
        return CellRows(self.ids[index], self.positions[index], columns)


def cut_cells(
    image: Any,
    labels: npt.ArrayLike,
    config: CellsConfig | None = None,
    *,
    image_name: str = "image",
    channels: Sequence[str] | None = None,
    pixel_size: float | None = None,
    known: Iterable[str] = (),
) -> ArrayCrops:
    """Cut the cells out of one image.

    Parameters
    ----------
    image : array of shape (C, Y, X) or (Y, X)
        Or what is sliced like one.
    labels : array of shape (Y, X)
        Whole numbers of any type, one a cell, with gaps or not; 0 is the background.
    config : CellsConfig, optional
    image_name : str
        Name of the image; ids begin with it.
    channels : sequence of str, optional
        Names of the image's channels.
    pixel_size : float, optional
        Angstrom per pixel of the image.
    known : iterable of str
        Ids that cells were given before: a cell within a quarter of a diameter of where one was is
        the same, so that its labels survive a new segmentation (see `known_ids`).

    Returns
    -------
    ArrayCrops
        With ids ``IMAGE@y,x``, `channels`, `masks`, places (centroids), and the columns ``label``,
        ``index`` (the same), ``roi_id`` (the image), ``area`` (pixels of the image), ``focus``,
        ``signal``, ``empty``, ``saturated`` and ``constant``.

    Raises
    ------
    InputError
        If the labels are empty, of another shape than the image, or no whole numbers; a channel is
        missing; crops are to be rescaled and the pixel size is not known; or all crops leave the
        image and are to be dropped.

    Warns
    -----
    InputWarning
        If cells are dropped at the border, or some have saturated, constant or empty channels.
    """
    config = config or CellsConfig()
    pixels, channels = with_channels(image, channels, image_name)
    numbers, names = ordered_channels(config, channels, len(pixels), image_name)
    found = np.asarray(labels)
    check_shapes(pixels.shape, found.shape, image_name)
    regions = cell_regions(found, image_name)
    if not len(regions):
        raise InputError(empty_labels(image_name))
    chosen = np.stack([np.asarray(pixels[number]) for number in numbers])
    cutting = cutting_of(config, pixel_size, chosen.shape, image_name)
    every = cell_rows(chosen, regions, config, image_name, known)
    rows = every.take(cutting.inside(every.positions, chosen.shape[1:]))
    remark_on_dropped(len(rows), len(every), image_name)
    remark_on_quality(rows.columns, names)
    masks = cutting.masks(found, rows.positions, rows.columns["label"])
    crops = cutting.boxes(chosen, rows.positions)
    return ArrayCrops.of(
        masked(crops, masks) if config.mask else crops,
        rows.ids.tolist(),
        rows.columns,
        pixel_size=None if pixel_size is None else pixel_size * cutting.ratio,
        places=CropPlaces(rows.columns["roi_id"], rows.positions, box=box_of(cutting)),
        channels=names,
        masks=masks,
    )


def empty_labels(where: str) -> str:
    """Return the sentence about labels without a cell."""
    return (
        f"The labels of {where} hold no cell: draw or segment cells first, or lower the threshold "
        "of the segmentation."
    )


def cutting_of(
    config: CellsConfig, pixel_size: float | None, shape: Sequence[int], where: str
) -> CellCutting:
    """Return how cells are cut out of an image (C, Y, X) of this sampling.

    Raises
    ------
    InputError
        If its pixel size is needed and not known, or makes crops far larger than the image.
    """
    ratio = config.ratio(pixel_size, where)
    longest = max(shape[1:])
    if config.size * ratio > _LARGEST_BOX_SHARE * longest:
        raise InputError(
            f"A crop of {config.size} pixels would be {config.size * ratio:.0f} pixels wide in "
            f"{where}, which has {longest}: check its pixel size and that of the crops (angstrom), "
            "or cut smaller crops."
        )
    return CellCutting(config.size, ratio, config.edge)


def cell_rows(
    image: npt.NDArray[Any],
    regions: CellRegions,
    config: CellsConfig,
    image_name: str,
    known: Iterable[str] = (),
) -> CellRows:
    """Return what is known of the cells of an image (C, Y, X) whose first channel is the protein.

    Warns
    -----
    InputWarning
        If two have one centroid; the first is kept.
    """
    positions, areas = regions.centroids, regions.areas
    ids = np.asarray(ids_of(image_name, positions), np.str_)
    images = np.full(len(ids), image_name)
    diameter = 2 * float(np.median(np.sqrt(areas / np.pi)))
    ids = known_ids(ids, images, positions, known, _SAME_IN_DIAMETERS * diameter)
    columns = {
        "label": regions.labels,
        "index": regions.labels,
        "roi_id": images,
        "area": areas,
        **quality_columns(image, regions, 0, config.empty_below),
    }
    rows = CellRows(ids, positions, columns)
    _, first = np.unique(ids, return_index=True)
    if len(first) < len(rows):
        _warn(
            f"{len(rows) - len(first)} cells of {image_name} have the centroid of another one; of "
            "each such group, the first was kept."
        )
        return rows.take(np.sort(first))
    return rows


def remark_on_dropped(n_kept: int, n: int, where: str) -> None:
    """Say how many cells were dropped at the border.

    Raises
    ------
    InputError
        If all were.

    Warns
    -----
    InputWarning
        If some were.
    """
    if n and not n_kept:
        raise InputError(
            f"The crops of all {n} cells of {where} leave the image: cut smaller crops, or keep "
            "them with the edge 'mirror' or 'pad'."
        )
    if n_kept < n:
        _warn(f"{n - n_kept} of {n} cells of {where} were dropped: their crops leave the image.")


def remark_on_quality(columns: Mapping[str, npt.NDArray[Any]], channels: Sequence[str]) -> None:
    """Say how many cells have saturated, constant or empty channels.

    Warns
    -----
    InputWarning
        If some have.
    """
    n = len(columns["label"])
    saturated = columns["saturated"] >= _SATURATED_SHARE
    counted = (
        ("constant", columns["constant"], "have a channel of one value throughout"),
        ("saturated", saturated, "are saturated in a hundredth of their pixels or more"),
        ("empty", columns["empty"], f"have no signal in the channel {channels[0]!r}"),
    )
    for name, bad, told in counted:
        if bad.any():
            _warn(
                f"{np.count_nonzero(bad)} of {n} cells {told}: they are kept, and the column "
                f"{name!r} tells which."
            )


def masked(crops: npt.NDArray[np.float32], masks: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Return crops (n, C, y, x) with zeros outside of masks (n, y, x)."""
    return np.asarray(crops * masks[:, None], np.float32)


def box_of(cutting: CellCutting) -> int | None:
    """Return the side of a crop in pixels of the image; None where that is its own."""
    return None if cutting.ratio == 1 else max(round(cutting.size * cutting.ratio), 1)


def with_channels(
    image: Any, channels: Sequence[str] | None, where: str
) -> tuple[Any, Sequence[str] | None]:
    """Return an image with its axis of channels, and their names once they are known to fit."""
    pixels = image if hasattr(image, "shape") else np.asarray(image)
    if len(pixels.shape) == 2:
        pixels = np.asarray(pixels)[None]
    if len(pixels.shape) != 3 or np.dtype(pixels.dtype).kind not in "biuf":
        raise InputError(
            f"Cells are cut out of images of axes (C, Y, X), numbers; {where} has the shape "
            f"{tuple(pixels.shape)} and type {pixels.dtype}."
        )
    if channels is not None and len(channels) != pixels.shape[0]:
        raise InputError(
            f"{where} has {pixels.shape[0]} channels; {len(channels)} names "
            f"({', '.join(channels)}) were given."
        )
    return pixels, channels


def _warn(sentence: str) -> None:
    warnings.warn(sentence, InputWarning, stacklevel=3)
