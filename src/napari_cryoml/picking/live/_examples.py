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

_MOST_ROWS = 1000
"""With many clicks, fewer grid points stand for each."""

_AROUND = 3.0
"""Grid points within this distance of a labelled place are not drawn as unlabelled."""


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
    positive_images, negative_images, unlabelled_images : array of shape (n,)
        The labelled image that each row comes from, counted from 0.
    """

    positives: Rows
    positive_clicks: Index
    positive_images: Index
    negatives: Rows
    negative_clicks: Index
    negative_images: Index
    unlabelled: Rows
    unlabelled_images: Index

    @property
    def clicks(self) -> Index:
        """The labelled particles, each once."""
        return np.unique(self.positive_clicks)

    def of_images(self, images: Index) -> Examples:
        """Return the rows of some of the images."""
        positive = np.isin(self.positive_images, images)
        negative = np.isin(self.negative_images, images)
        unlabelled = np.isin(self.unlabelled_images, images)
        return Examples(
            self.positives[positive],
            self.positive_clicks[positive],
            self.positive_images[positive],
            self.negatives[negative],
            self.negative_clicks[negative],
            self.negative_images[negative],
            self.unlabelled[unlabelled],
            self.unlabelled_images[unlabelled],
        )


@dataclass(frozen=True, slots=True, eq=False)
class ImageExamples:
    """What one labelled image teaches; small, so that its features need not stay in memory.

    Parameters
    ----------
    positives, negatives : _Clicked
    unlabelled : array of shape (n, C), float16
        In random order: the first rows are an even draw too.
    """

    positives: _Clicked
    negatives: _Clicked
    unlabelled: npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True, eq=False)
class _Clicked:
    """Grid points that stand for clicks: features, which click, and how near (0 is nearest)."""

    rows: Rows
    owner: Index
    rank: Index
    n_clicks: int

    @classmethod
    def of(cls, features: FeatureMap, positions: npt.NDArray[np.float64]) -> _Clicked:
        index, owner, rank = _points_near(features, positions)
        rows = features.values[(slice(None), *index.T)].T.astype(np.float32)
        return cls(rows, owner, rank, len(positions))


def image_examples(features: FeatureMap, labels: Annotations, seed: int) -> ImageExamples:
    """Return what one labelled image teaches.

    Parameters
    ----------
    features : FeatureMap
    labels : Annotations
        Positions in pixels of the image.
    seed : int
        Of the draw of unlabelled points.
    """
    return ImageExamples(
        _Clicked.of(features, labels.positives),
        _Clicked.of(features, labels.negatives),
        _draw(features, labels.positions, UNLABELLED_POINTS, seed),
    )


def join_examples(parts: Sequence[ImageExamples]) -> Examples:
    """Return what labelled images teach together, fewer rows of each where they are many."""
    n_each = min(UNLABELLED_POINTS, max(_MOST_UNLABELLED // max(len(parts), 1), 50))
    unlabelled = [part.unlabelled[:n_each].astype(np.float32) for part in parts]
    return Examples(
        *_joined([part.positives for part in parts]),
        *_joined([part.negatives for part in parts]),
        np.concatenate(unlabelled),
        np.repeat(np.arange(len(parts)), [len(rows) for rows in unlabelled]),
    )


def collect_examples(
    maps: Mapping[str, FeatureMap], labels: Mapping[str, Annotations], seed: int
) -> Examples:
    """Return what the labelled images teach, see `image_examples`; images sorted by name."""
    names = sorted(name for name, entry in labels.items() if len(entry))
    return join_examples([image_examples(maps[name], labels[name], seed) for name in names])


def _joined(parts: Sequence[_Clicked]) -> tuple[Rows, Index, Index]:
    """Return rows, the click of each, and the image of each."""
    first = np.cumsum([0, *(part.n_clicks for part in parts)])
    most = max(_MOST_ROWS // max(int(first[-1]), 1), 1)
    near = [part.rank < most for part in parts]
    pairs = list(zip(parts, near, strict=True))
    return (
        np.concatenate([part.rows[kept] for part, kept in pairs]),
        np.concatenate([part.owner[k] + n for (part, k), n in zip(pairs, first, strict=False)]),
        np.repeat(np.arange(len(parts)), [int(kept.sum()) for kept in near]),
    )


def _points_near(
    features: FeatureMap, positions: npt.NDArray[np.float64]
) -> tuple[Index, Index, Index]:
    """Return the grid points that stand for each position, that position, and their ranks."""
    ndim = len(features.grid)
    last = np.asarray(features.grid) - 1
    centres = np.clip(features.to_grid(positions).reshape(-1, ndim), 0, last)
    steps = np.indices((3,) * ndim).reshape(ndim, -1).T - 1
    points = np.rint(centres)[:, None].astype(np.intp) + steps
    gaps = np.linalg.norm(points - centres[:, None], axis=-1)
    gaps[((points < 0) | (points > last)).any(axis=-1)] = np.inf
    rank = gaps.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    owner, step = np.nonzero((rank == 0) | (gaps <= _CLICK_RADIUS))
    return points[owner, step], owner, rank[owner, step]


def _draw(
    features: FeatureMap, known: npt.NDArray[np.float64], n: int, seed: int
) -> npt.NDArray[np.float16]:
    """Return rows of `n` usable grid points away from what is known."""
    free = np.ones(features.grid, bool) if features.mask is None else features.mask.copy()
    _strike_out(free, features.to_grid(known))
    usable = np.flatnonzero(free)
    chosen = np.random.default_rng(seed).choice(len(usable), min(n, len(usable)), replace=False)
    flat = features.values.reshape(features.n_channels, -1)
    return np.ascontiguousarray(flat[:, usable[chosen]].T)


def _strike_out(free: npt.NDArray[np.bool_], centres: npt.NDArray[np.float64]) -> None:
    """Mark as not free all points within `_AROUND` of centres, in place."""
    reach = int(np.ceil(_AROUND)) + 1
    steps = np.indices((2 * reach + 1,) * free.ndim).reshape(free.ndim, -1).T - reach
    points = np.rint(centres.reshape(-1, free.ndim))[:, None].astype(np.intp) + steps
    near = np.linalg.norm(points - centres.reshape(-1, 1, free.ndim), axis=-1) <= _AROUND
    near &= ((points >= 0) & (points < free.shape)).all(axis=-1)
    free[tuple(points[near].T)] = False
