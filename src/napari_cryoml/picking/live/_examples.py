"""From labels to rows of features: what the head learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import Annotations
from napari_cryoml.features import FeatureMap

Rows = npt.NDArray[np.float32]
Index = npt.NDArray[np.intp]

UNLABELLED_POINTS = 1500
"""Unlabelled grid points drawn from each labelled image."""

_MOST_UNLABELLED = 6000
_CLICK_RADIUS = 1.0
"""Grid points within this distance of a click stand for it."""


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Rows of features, all of C channels.

    Parameters
    ----------
    positives, negatives : array of shape (n, C), float32
        Grid points at places labelled as particles, and as none.
    positive_clicks, negative_clicks : array of shape (n,)
        The click that each row stands for, counted from 0.
    unlabelled : array of shape (n, C), float32
        Grid points drawn evenly from where a particle may be.
    """

    positives: Rows
    positive_clicks: Index
    negatives: Rows
    negative_clicks: Index
    unlabelled: Rows


def collect_examples(
    maps: Mapping[str, FeatureMap], labels: Mapping[str, Annotations], seed: int
) -> Examples:
    """Return what the labelled images teach.

    Parameters
    ----------
    maps : mapping of str to FeatureMap
        Of every labelled image.
    labels : mapping of str to Annotations
        Positions in pixels of the image.
    seed : int
        Of the draw of unlabelled points; the draw from an image does not depend on the others.
    """
    names = sorted(name for name, entry in labels.items() if len(entry))
    positives = _at_clicks(maps, [(name, labels[name].positives) for name in names])
    negatives = _at_clicks(maps, [(name, labels[name].negatives) for name in names])
    n_each = min(UNLABELLED_POINTS, max(_MOST_UNLABELLED // max(len(names), 1), 50))
    unlabelled = [_draw(maps[name], n_each, seed) for name in names]
    return Examples(*positives, *negatives, np.concatenate(unlabelled))


def _at_clicks(
    maps: Mapping[str, FeatureMap], places: Sequence[tuple[str, npt.NDArray[np.float64]]]
) -> tuple[Rows, Index]:
    rows: list[Rows] = [np.empty((0, next(iter(maps.values())).n_channels), np.float32)]
    clicks: list[Index] = [np.empty(0, np.intp)]
    n_before = 0
    for name, positions in places:
        index, owner = _points_near(maps[name], positions)
        rows.append(maps[name].values[(slice(None), *index.T)].T.astype(np.float32))
        clicks.append(owner + n_before)
        n_before += len(positions)
    return np.concatenate(rows), np.concatenate(clicks)


def _points_near(features: FeatureMap, positions: npt.NDArray[np.float64]) -> tuple[Index, Index]:
    """Return the grid points that stand for each position, and which position each stands for."""
    ndim = len(features.grid)
    last = np.asarray(features.grid) - 1
    centres = np.clip(features.to_grid(positions).reshape(-1, ndim), 0, last)
    steps = np.indices((3,) * ndim).reshape(ndim, -1).T - 1
    points = np.rint(centres)[:, None].astype(np.intp) + steps
    gaps = np.linalg.norm(points - centres[:, None], axis=-1)
    inside = ((points >= 0) & (points <= last)).all(axis=-1)
    near = inside & ((gaps <= _CLICK_RADIUS) | (steps == 0).all(axis=-1))
    owner, step = np.nonzero(near)
    return points[owner, step], owner


def _draw(features: FeatureMap, n: int, seed: int) -> Rows:
    flat = features.values.reshape(features.n_channels, -1)
    usable = None if features.mask is None else np.flatnonzero(features.mask)
    n_points = flat.shape[1] if usable is None else len(usable)
    chosen = np.random.default_rng(seed).choice(n_points, min(n, n_points), replace=False)
    return flat[:, chosen if usable is None else usable[chosen]].T.astype(np.float32)
