"""Places and orientations of crops as arrays that lie beside the crops in a store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from napari_cryoml.data import CropPlaces, Crops
from napari_cryoml.io._formats._relion_poses import rotations_in

IMAGES, POSITIONS, OFFSETS = "images", "positions", "offsets"
BOX, DIAMETER = "box_side", "particle_diameter"
PLACE_NAMES = frozenset({IMAGES, POSITIONS, OFFSETS, BOX, DIAMETER})


def place_arrays(crops: Crops) -> dict[str, npt.NDArray[Any]]:
    """Return arrays of one row a crop that tell where crops were cut; none if nobody knows."""
    if crops.images is None or crops.positions is None:
        return {}
    arrays: dict[str, npt.NDArray[Any]] = {
        IMAGES: np.asarray(crops.images, np.str_),
        POSITIONS: np.asarray(crops.positions, np.float64),
    }
    offsets = getattr(crops, "offsets", None)
    if offsets is not None and np.any(offsets):
        arrays[OFFSETS] = np.asarray(offsets, np.float64)
    return arrays


def place_numbers(crops: Crops) -> dict[str, float]:
    """Return the side of the boxes and the diameter, in pixels of the images, where known."""
    if crops.images is None or crops.positions is None:
        return {}
    known = {BOX: getattr(crops, "box", None), DIAMETER: getattr(crops, "diameter", None)}
    return {name: value for name, value in known.items() if value is not None}


def places_among(
    arrays: Mapping[str, npt.NDArray[Any]], numbers: Mapping[str, Any], n: int, ndim: int
) -> CropPlaces | None:
    """Return the places of `n` crops of `ndim` axes that a store holds, or None."""
    images, positions = arrays.get(IMAGES), arrays.get(POSITIONS)
    if images is None or positions is None:
        return None
    if images.shape != (n,) or images.dtype.kind != "U" or positions.shape != (n, ndim):
        return None
    offsets = arrays.get(OFFSETS)
    box, diameter = _positive(numbers.get(BOX)), _positive(numbers.get(DIAMETER))
    return CropPlaces(
        images,
        positions,
        offsets if offsets is not None and offsets.shape == (n, ndim) else None,
        None if box is None else round(box),
        diameter,
    )


def rotations_among(
    columns: Mapping[str, npt.NDArray[Any]], ndim: int
) -> npt.NDArray[np.float64] | None:
    """Return the orientations of subtomograms that columns tell in RELION's angles, or None."""
    return rotations_in(pd.DataFrame(dict(columns))) if ndim == 3 else None


def _positive(value: Any) -> float | None:
    number = np.asarray(np.nan if value is None else value)
    is_number = number.size == 1 and number.dtype.kind in "iuf"
    return float(number.reshape(())) if is_number and number > 0 else None
