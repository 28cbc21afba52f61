"""What the Classify dock has done in child processes; importing it needs no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import Crops
from napari_cryoml.jobs import Job

if TYPE_CHECKING:
    from napari_cryoml.averaging import (
        AverageConfig,
        ClassAverage,
        RefineConfig,
        SubtomogramAverage,
    )

MOST_AVERAGED = 500
"""Boxes that are averaged in the dock; the shell averages any number."""

_MASK_IN_DIAMETERS = 1.2
_BATCH = 64


def average(
    crops: Crops, rows: npt.NDArray[np.intp], config: AverageConfig | RefineConfig
) -> Job[ClassAverage | SubtomogramAverage]:
    """Return the job that averages some crops, in the way of their dimensions.

    Parameters
    ----------
    crops : Crops
    rows : array of shape (n,)
        Of more than `MOST_AVERAGED`, a random sample is averaged.
    config : AverageConfig or RefineConfig
        Of images, or of volumes.

    Raises
    ------
    InputError
        If the crops cannot be read, or cannot be averaged.
    """
    from napari_cryoml.averaging import RefineConfig, average_crops, refine

    rows = _sampled(rows, config.seed)
    images = np.concatenate(
        [crops.read(rows[at : at + _BATCH])[:, 0] for at in range(0, len(rows), _BATCH)]
    )
    size, wedge = getattr(crops, "pixel_size", None), getattr(crops, "wedge", None)
    config = _masked(crops, config)
    if not isinstance(config, RefineConfig):
        return (yield from average_crops(images, config, pixel_size=size, wedge=wedge))
    ids = crops.ids[rows].tolist()
    return (yield from refine(images, wedge, config, ids=ids, pixel_size=size))


def _sampled(rows: npt.NDArray[np.intp], seed: int) -> npt.NDArray[np.intp]:
    if len(rows) <= MOST_AVERAGED:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, MOST_AVERAGED, replace=False))


def _masked(crops: Crops, config: AverageConfig | RefineConfig) -> AverageConfig | RefineConfig:
    """Return the options with a mask that keeps the neighbours of a particle out."""
    diameter = getattr(crops, "diameter", None)
    align: Any = getattr(config, "align", config)
    if not diameter or align.diameter is not None:
        return config
    side = min(crops.shape)
    reduction = float(getattr(crops, "box", side)) / side
    update = {"diameter": min(_MASK_IN_DIAMETERS * float(diameter) / reduction, float(side))}
    narrowed = align.model_copy(update=update)
    return narrowed if align is config else config.model_copy(update={"align": narrowed})
