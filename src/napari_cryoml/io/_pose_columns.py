"""Orientations as columns of numbers, for tables that hold one value a particle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

POSE_COLUMNS = ("turn_x", "turn_y", "turn_z")
"""The axis of a rotation times its angle in degrees: what turns the reference onto the particle."""


def pose_columns(rotations: npt.NDArray[np.float64] | None) -> dict[str, npt.NDArray[np.float64]]:
    """Return orientations as the `POSE_COLUMNS`.

    Parameters
    ----------
    rotations : array of shape (n, 3, 3), optional
        Act on columns zyx; NaN where unknown.

    Returns
    -------
    dict of str to array of shape (n,)
        NaN where unknown; empty if none is known.
    """
    if rotations is None or not len(rotations):
        return {}
    known = np.isfinite(rotations).all(axis=(1, 2))
    if not known.any():
        return {}
    vectors = np.full((len(rotations), 3), np.nan)
    # Axes in the other order, of rows and of columns: a matrix that acts on columns xyz.
    xyz = rotations[known][:, ::-1, ::-1]
    vectors[known] = Rotation.from_matrix(xyz).as_rotvec(degrees=True)
    return dict(zip(POSE_COLUMNS, vectors.T, strict=True))


def rotations_of(columns: Mapping[str, Any]) -> npt.NDArray[np.float64] | None:
    """Return the rotations that columns tell of, the inverse of `pose_columns`.

    Parameters
    ----------
    columns : mapping of str to array of shape (n,)

    Returns
    -------
    array of shape (n, 3, 3), or None
        NaN where unknown; None if one of the `POSE_COLUMNS` is missing or holds no numbers.
    """
    if not set(POSE_COLUMNS) <= set(columns):
        return None
    try:
        vectors = np.column_stack([np.asarray(columns[name], np.float64) for name in POSE_COLUMNS])
    except (TypeError, ValueError):
        return None
    known = np.isfinite(vectors).all(axis=1)
    rotations = np.full((len(vectors), 3, 3), np.nan)
    if known.any():
        xyz = Rotation.from_rotvec(vectors[known], degrees=True).as_matrix()
        rotations[known] = xyz[:, ::-1, ::-1]
    return rotations
