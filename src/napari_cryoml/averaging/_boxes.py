"""What is asked of boxes and references before any work begins."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.averaging._mask import soft_mask

LEAST_SIDE = 8

Volumes = npt.NDArray[np.float32]


def checked_boxes(images: npt.ArrayLike, what: str = "Subtomograms") -> npt.NDArray[Any]:
    """Return boxes as an array (n, z, y, x).

    Parameters
    ----------
    images : array of shape (n, z, y, x)
    what : str
        What they are, for messages.

    Raises
    ------
    InputError
        If they are no cubes, none at all or too small.
    """
    boxes = np.asarray(images)
    if boxes.ndim != 4 or len(set(boxes.shape[1:])) > 1:
        raise InputError(
            f"{what} to align must be cubes in an array of axes (n, z, y, x); one of shape "
            f"{boxes.shape} was given."
        )
    if not len(boxes):
        raise InputError(f"{what} to align: there are none; give one or more.")
    if boxes.shape[1] < LEAST_SIDE:
        raise InputError(
            f"{what} to align must be {LEAST_SIDE} voxels wide or more; these are "
            f"{boxes.shape[1]}: choose a larger box."
        )
    return boxes


def checked_references(
    references: npt.ArrayLike, boxes: npt.NDArray[Any]
) -> npt.NDArray[np.float32]:
    """Return references (k, z, y, x) that have the side of the boxes.

    Raises
    ------
    InputError
        If they do not, or hold values that are no numbers.
    """
    found = np.asarray(references, np.float32)
    found = checked_boxes(found[None] if found.ndim == 3 else found, "References")
    if found.shape[1:] != boxes.shape[1:]:
        raise InputError(
            f"References are {found.shape[1]} voxels wide and the boxes {boxes.shape[1]}: resample "
            "the references to the voxel size and the side of the boxes."
        )
    if not np.isfinite(found).all():
        raise InputError("References have voxels that are no numbers: mask them.")
    return np.asarray(found, np.float32)


def standardised(boxes: npt.NDArray[Any]) -> Volumes:
    """Return boxes (n, z, y, x) of mean 0 and standard deviation 1.

    Those of one value everywhere become 0; those with values that are no numbers stay so.
    """
    found = boxes.astype(np.float32)
    axes = (1, 2, 3)
    # In two steps: the mean of large numbers would leave no digits for the deviation.
    found -= found.mean(axis=axes, keepdims=True, dtype=np.float64).astype(np.float32)
    deviation = found.std(axis=axes, keepdims=True, dtype=np.float64)
    return np.asarray(found / np.maximum(deviation, 1e-30), np.float32)


def usable(boxes: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return which boxes (n, z, y, x) hold numbers that differ."""
    flat = boxes.reshape(len(boxes), -1)
    low, high = flat.min(axis=1, initial=np.inf), flat.max(axis=1, initial=-np.inf)
    return np.asarray(np.isfinite(low) & np.isfinite(high) & (high > low))


def within_ball(volumes: npt.NDArray[Any], diameter: float | None) -> Volumes:
    """Return volumes (n, z, y, x) within a soft ball, 0 on average along its edge.

    A level that the density has everywhere would otherwise show as a ball.
    """
    mask = soft_mask(volumes.shape[1:], diameter)
    edge = mask * (1 - mask)
    level = np.einsum("nzyx,zyx->n", volumes, edge) / edge.sum()
    return np.asarray((volumes - level[:, None, None, None]) * mask, np.float32)
