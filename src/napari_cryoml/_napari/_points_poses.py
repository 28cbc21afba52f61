"""Orientations of particles as features of a Points layer."""

from __future__ import annotations

from typing import Any

import napari
import numpy as np
import numpy.typing as npt
from napari.layers import Points

from napari_cryoml.data import PicksTable
from napari_cryoml.io import FORMATS, POSE_COLUMNS, pose_columns

_OF_FILES = frozenset().union(*(entry.directions for entry in FORMATS.values()))
"""Columns in which files keep orientations."""


def pose_features(table: PicksTable) -> dict[str, npt.NDArray[np.float64]]:
    """Return the orientations of all picks of a table as `POSE_COLUMNS`, NaN where unknown.

    Nothing if none is known. napari keeps features in step with points that are moved or deleted.
    """
    matrices = [
        np.full((len(p), 3, 3), np.nan) if p.rotations is None else p.rotations for p in table
    ]
    return pose_columns(np.concatenate([np.empty((0, 3, 3)), *matrices]))


def watch_new_points() -> None:
    """Have points that the user adds in the viewer come without an orientation.

    napari gives a new point the features of the one that was selected last.
    """
    viewer = napari.current_viewer()
    if viewer is not None:
        viewer.layers.events.inserted.connect(_watch)


def _watch(event: Any) -> None:
    layer = event.value
    if isinstance(layer, Points) and set(POSE_COLUMNS) <= set(layer.features):
        layer.events.data.connect(_forget_orientation)


def _forget_orientation(event: Any) -> None:
    if str(event.action.value) != "added":
        return
    table = event.source.features
    rows = np.arange(len(table))[list(event.data_indices)]
    for column in (set(POSE_COLUMNS) | _OF_FILES) & set(table):
        # In the table itself: to assign a new one would have napari draw all points again.
        table.iloc[rows, table.columns.get_loc(column)] = _unknown(table[column].dtype)


def _unknown(dtype: Any) -> Any:
    return {"f": np.nan, "i": 0, "u": 0}.get(getattr(dtype, "kind", "O"))
