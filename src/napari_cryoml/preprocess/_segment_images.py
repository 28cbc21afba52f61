"""Segment many images, and keep their labels in files."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.jobs import Command, Event, Job
from napari_cryoml.preprocess._cell_channels import channel_number
from napari_cryoml.preprocess._labelled_images import ChannelImage, LabelledImage
from napari_cryoml.preprocess._segment_cells import SegmentConfig, segment_cells


def segment_images(
    images: Sequence[ChannelImage],
    marker: str,
    folder: str | Path,
    config: SegmentConfig | None = None,
    *,
    pixel_size: float | None = None,
) -> Job[list[LabelledImage]]:
    """Find the cells of many images in their marker channel, as a job.

    Parameters
    ----------
    images : sequence of ChannelImage
    marker : str
        The channel that shows where cells are, by name or number from 0.
    folder : path
        Where the labels are written to: ``NAME_labels.tif`` each.
    config : SegmentConfig, optional
    pixel_size : float, optional
        Angstrom per pixel, where images do not say it.

    Returns
    -------
    list of LabelledImage
        Stopped, the job gives the images so far.

    Raises
    ------
    InputError
        If an image lacks the channel, or no cell is found in any.

    Warns
    -----
    InputWarning
        If no cell is found in some images; they are left out.
    """
    from napari_cryoml.io import write_cell_labels  # loads pandas

    folder = Path(folder)
    found: list[LabelledImage] = []
    empty: list[str] = []
    n_cells = 0
    names = _names([image.name for image in images])
    for number, image in enumerate(images, start=1):
        channel = channel_number(marker, image.channels, image.shape[0], image.name)
        labels = segment_cells(np.asarray(image.pixels()[channel]), config)
        n_cells += int(labels.max())
        if labels.any():
            path = write_cell_labels(folder / names[number - 1], labels)
            found.append(LabelledImage(image, path, pixel_size))
        else:
            empty.append(image.name)
        message = f"{n_cells} cells in {number} of {len(images)} images"
        command = yield Event(done=number, total=len(images), message=message)
        if command is Command.STOP:
            break
    _remark_on_empty(empty, found, marker)
    return found


def _names(images: Sequence[str]) -> list[str]:
    """Return names of files of labels, without the endings of the images unless these differ."""
    stems = [Path(name).stem for name in images]
    kept = stems if len(set(stems)) == len(stems) else images
    return [f"{name}_labels.tif" for name in kept]


def _remark_on_empty(empty: Sequence[str], found: Sequence[LabelledImage], marker: str) -> None:
    if empty and not found:
        raise InputError(
            f"No cell was found in channel {marker!r} of {empty[0]}"
            f"{f' and {len(empty) - 1} more images' if len(empty) > 1 else ''}: choose another "
            "marker channel, a lower threshold, or a smaller least area."
        )
    if empty:
        warnings.warn(
            f"No cell was found in {len(empty)} of {len(empty) + len(found)} images, as "
            f"{empty[0]}: they are left out.",
            InputWarning,
            stacklevel=3,
        )
