"""Orientations as matrices in JSON: copick's ``transformation_``, the portal's own.

Both turn the reference onto the particle, and act on columns xyz.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import Picks
from napari_cryoml.io._formats._poses import Matrices, other_axes

_SAME = 1e-6


def rotations_of(columns: Mapping[str, npt.NDArray[Any]], key: str) -> Matrices | None:
    """Return the rotations in a column of matrices, 3 x 3 or 4 x 4; None where there are none.

    Points without a matrix, or with one that is no rotation, have NaN. Where all are the identity,
    nobody has aligned the particles.
    """
    if key not in columns:
        return None
    xyz = np.stack([_rotation(value) for value in columns[key]]) if len(columns[key]) else None
    if xyz is None or not np.isfinite(xyz).any():
        return None
    known = np.asarray(np.isfinite(xyz).all(axis=(1, 2)))
    return None if np.allclose(xyz[known], np.eye(3), atol=_SAME) else other_axes(xyz)


def matrices_to_write(picks: Picks, key: str, side: int) -> dict[str, npt.NDArray[Any]]:
    """Return the column of matrices of picks, by its key; none if no orientation is known.

    Matrices that came from a file stay as they are where they tell the same rotation.

    Parameters
    ----------
    picks : Picks
    key : str
    side : {3, 4}
        Rows of a matrix.
    """
    if picks.rotations is None:
        return {}
    old = picks.columns.get(key, [None] * len(picks))
    matrices = np.empty(len(picks), dtype=object)
    pairs = zip(old, other_axes(picks.rotations), strict=True)
    matrices[:] = [_kept_or_new(before, xyz, side) for before, xyz in pairs]
    return {key: matrices}


def _kept_or_new(before: Any, xyz: npt.NDArray[np.float64], side: int) -> Any:
    same = np.isfinite(xyz).all() and np.abs(_rotation(before) - xyz).max() < _SAME
    if same or not np.isfinite(xyz).all():
        return before if before is None or isinstance(before, list) else np.asarray(before).tolist()
    whole = np.eye(side)
    whole[:3, :3] = xyz
    return whole.tolist()


def _rotation(value: Any) -> npt.NDArray[np.float64]:
    """Return the rotation in a matrix, or NaN."""
    try:
        matrix = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        matrix = np.empty(0)
    if matrix.shape not in ((3, 3), (4, 4)):
        return np.full((3, 3), np.nan)
    turned = matrix[:3, :3]
    is_rotation = np.allclose(turned @ turned.T, np.eye(3), atol=1e-3) and np.linalg.det(turned) > 0
    return turned if is_rotation else np.full((3, 3), np.nan)
