"""Clouds of named groups of rows, which may share rows: proteins have more than one function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from napari_cryoml.embedding.drawing._clouds import Cloud, category_clouds
from napari_cryoml.embedding.drawing._palettes import categorical

HIDDEN_MASS = 0.05
"""A cloud ends where no more than this share of its mass lies at lower densities."""


@dataclass(frozen=True, slots=True, eq=False)
class GroupClouds:
    """Groups on a map, the greatest first.

    Parameters
    ----------
    names : tuple of str
    rows : tuple of arrays of intp
        Rows of each group that have a place.
    clouds : tuple of Cloud
        By their places in `names`; those of too few rows, or of rows on a line, have none.
    notes : tuple of str
        Which groups have no cloud, and why.
    """

    names: tuple[str, ...]
    rows: tuple[npt.NDArray[np.intp], ...]
    clouds: tuple[Cloud, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def colours(self, dark: bool = False) -> npt.NDArray[np.uint8]:
        """Return a colour for each group, shape (k, 3)."""
        return categorical(len(self), dark)


def group_clouds(
    coordinates: npt.NDArray[np.floating], groups: Mapping[str, npt.ArrayLike]
) -> GroupClouds:
    """Return the cloud of each group; see `category_clouds`.

    Of each cloud, what lies where no more than 5 % of its mass is at lower densities is not
    shown.

    Parameters
    ----------
    coordinates : array of shape (n, 2)
        Map positions xy; rows that are not finite are left out.
    groups : mapping of str to array of int
        Rows of each group.
    """
    points = np.asarray(coordinates, np.float64)[:, :2]
    placed = np.asarray(np.isfinite(points).all(axis=1))
    members = {name: np.unique(np.asarray(rows, np.intp)) for name, rows in groups.items()}
    members = {name: rows[placed[rows]] for name, rows in members.items()}
    order = sorted(members, key=lambda name: (-len(members[name]), name))
    rows = [members[name] for name in order]
    codes = np.repeat(np.arange(len(order)), [len(own) for own in rows])
    every = np.concatenate(rows) if rows else np.empty(0, np.intp)
    clouds = tuple(_ended(cloud) for cloud in category_clouds(points[every], codes))
    without = sorted(set(range(len(order))) - {cloud.code for cloud in clouds})
    notes = [
        f"No cloud for {order[code]!r}: {len(rows[code])} of its rows are on the map, or they lie "
        "on a line; three that do not are needed."
        for code in without
    ]
    return GroupClouds(tuple(order), tuple(rows), clouds, tuple(notes))


def _ended(cloud: Cloud) -> Cloud:
    mass = np.where(cloud.opacity < HIDDEN_MASS, np.float32(0), cloud.opacity)
    return replace(cloud, opacity=mass)
