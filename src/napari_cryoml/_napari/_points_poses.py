"""Orientations of particles as features of a Points layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import napari
import numpy as np
import numpy.typing as npt
from napari.layers import Points
from scipy.spatial.transform import Rotation

from napari_cryoml.data import PicksTable
from napari_cryoml.io import FORMATS

POSE_FEATURES = ("turn_x", "turn_y", "turn_z")
"""The axis of a rotation times its angle in degrees: what turns the reference onto the particle."""

_OF_FILES = frozenset().union(*(entry.directions for entry in FORMATS.values()))
"""Columns in which files keep orientations."""

Features = dict[str, npt.NDArray[np.float64]]


def pose_features(table: PicksTable) -> Features:
    """Return the orientations of all picks of a table as `POSE_FEATURES`, NaN where unknown.

    Nothing if none is known. napari keeps features in step with points that are moved or deleted.
    """
    matrices = [
        np.full((len(p), 3, 3), np.nan) if p.rotations is None else p.rotations for p in table
    ]
    zyx = np.concatenate([np.empty((0, 3, 3)), *matrices])
    known = np.isfinite(zyx).all(axis=(1, 2))
    if not known.any():
        return {}
    vectors = np.full((len(zyx), 3), np.nan)
    xyz = zyx[known][:, ::-1, ::-1]
    vectors[known] = Rotation.from_matrix(xyz).as_rotvec(degrees=True)
    return dict(zip(POSE_FEATURES, vectors.T, strict=True))


def rotations_of(features: Mapping[str, Any]) -> npt.NDArray[np.float64] | None:
    """Return the matrices (n, 3, 3) that act on columns zyx, NaN where unknown; None for none."""
    if not set(POSE_FEATURES) <= set(features):
        return None
    try:
        columns = [np.asarray(features[name], np.float64) for name in POSE_FEATURES]
    except (TypeError, ValueError):  # somebody else's columns of these names
        return None
    vectors = np.column_stack(columns)
    known = np.isfinite(vectors).all(axis=1)
    rotations = np.full((len(vectors), 3, 3), np.nan)
    if known.any():
        xyz = Rotation.from_rotvec(vectors[known], degrees=True).as_matrix()
        rotations[known] = xyz[:, ::-1, ::-1]
    return rotations


def watch_new_points() -> None:
    """Have points that the user adds in the viewer come without an orientation.

    napari gives a new point the features of the one that was selected last.
    """
    viewer = napari.current_viewer()
    if viewer is not None:
        viewer.layers.events.inserted.connect(_watch)


def _watch(event: Any) -> None:
    layer = event.value
    if isinstance(layer, Points) and set(POSE_FEATURES) <= set(layer.features):
        layer.events.data.connect(_forget_orientation)


def _forget_orientation(event: Any) -> None:
    if str(event.action.value) != "added":
        return
    table = event.source.features
    rows = np.arange(len(table))[list(event.data_indices)]
    for column in (set(POSE_FEATURES) | _OF_FILES) & set(table):
        # In the table itself: to assign a new one would have napari draw all points again.
        table.iloc[rows, table.columns.get_loc(column)] = _unknown(table[column].dtype)


def _unknown(dtype: Any) -> Any:
    return {"f": np.nan, "i": 0, "u": 0}.get(getattr(dtype, "kind", "O"))
