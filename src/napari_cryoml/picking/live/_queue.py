"""Which places a user should be asked about next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from napari_cryoml.data import Annotations, ImageSource
from napari_cryoml.features import FeatureMap
from napari_cryoml.picking.live._head import Head
from napari_cryoml.picking.live._model import LiveModel, raw_peaks

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.float32]
Reason = Literal["odd", "unsure", "missed"]

N_SUGGESTIONS = 8
"""Places that are suggested at a time."""

_LEAST_PEAKS = 20
_MOST_PEAKS = 2000
_REACH = 2.0
_UNSEEN = 1.5
_BOUND = 6.0
_FAR = 1e6
_HEIGHTS = (0.1, 0.5, 0.9, 1.3, 0.3, 0.7, 1.1, 1.5)
_BAND = 0.1
_UNSURE = (0.6, 1.2)


@dataclass(frozen=True, slots=True, eq=False)
class Suggestion:
    """A place to ask the user about.

    Parameters
    ----------
    image : str
    position : array of shape (ndim,)
        Pixel (z)yx of the image.
    probability : float
        Chance that it is a particle, as far as is known now.
    reason : {"odd", "unsure", "missed"}
        Whether it scores well but looks like no labelled place, lies near the threshold, or may be
        a particle that is missed.
    """

    image: str
    position: Floats
    probability: float
    reason: Reason


def suggest_clicks(
    model: LiveModel,
    images: Mapping[str, ImageSource],
    maps: Mapping[str, FeatureMap],
    labels: Mapping[str, Annotations],
    *,
    n: int = N_SUGGESTIONS,
) -> tuple[Suggestion, ...]:
    """Return the places whose labels would teach most, best first.

    The peaks that may be particles, twice as many as are expected, are the candidates, ranked by
    score in each image. One suggestion after the other looks at another height of the ranking,
    from picks that score best, where wrong ones hurt most, past the threshold to particles that
    may be missed; for labels that all score high teach a narrow picture of a particle. At each
    height it takes the candidate that is farthest from all labels and earlier suggestions in
    feature space, where each feature counts as the head finds it important. Images without labels
    count more.

    Parameters
    ----------
    model : LiveModel
        Fitted to `labels`.
    images : mapping of str to ImageSource
        Those to choose from; their pixels are not read.
    maps : mapping of str to FeatureMap
        Features of these, and of the labelled ones.
    labels : mapping of str to Annotations
        Nothing within half a diameter of a label is suggested.
    n : int, default 8

    References
    ----------
    Settles 2012, Active Learning, chapters 2 and 5: uncertainty and diversity. Sener and Savarese
    2018, Active learning for convolutional neural networks: the farthest first (k-centre).
    """
    candidates = _candidates(model, images, maps, labels) if images else None
    if candidates is None or not len(candidates.rows):
        return ()
    known = _standard(model.head, _known_rows(model.head, maps, labels))
    turn = sum(len(entry) for entry in labels.values())
    heights = [_HEIGHTS[(turn + step) % len(_HEIGHTS)] for step in range(n)]
    chosen = _choose(candidates, known, heights)
    chances = model.calibration.probability(candidates.scores)
    names = list(images)
    return tuple(
        Suggestion(
            names[candidates.owners[row]],
            candidates.positions[row],
            float(chances[row]),
            _reason(candidates.ranks[row]),
        )
        for row in chosen
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Candidates:
    """Peaks of all images; a rank of 1 is that of the last expected particle of its image."""

    owners: npt.NDArray[np.intp]
    positions: Floats
    scores: Floats
    ranks: Floats
    rows: Rows
    weights: Floats


def _candidates(
    model: LiveModel,
    images: Mapping[str, ImageSource],
    maps: Mapping[str, FeatureMap],
    labels: Mapping[str, Annotations],
) -> _Candidates:
    expected = max(model.calibration.particles_per_image.value, _LEAST_PEAKS)
    most = max(min(round(_REACH * expected), _MOST_PEAKS // max(len(images), 1)), 1)
    parts = []
    for number, (name, image) in enumerate(images.items()):
        found = raw_peaks(model.head, maps[name], model.config, image)
        positions, scores = found.positions[: round(_REACH * expected)], found.scores
        free = _unlabelled(positions, labels.get(name), model.config.diameter_in(image) / 2)
        free = free[_evenly(len(free), most)]
        seen = name in labels and len(labels[name]) > 0
        parts.append(
            (
                np.full(len(free), number),
                positions[free],
                scores[free].astype(np.float64),
                (free + 1) / expected,
                _standard(model.head, maps[name].at(positions[free])),
                np.full(len(free), 1.0 if seen else _UNSEEN),
            )
        )
    return _Candidates(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _unlabelled(
    positions: Floats, labels: Annotations | None, reach_px: float
) -> npt.NDArray[np.intp]:
    if labels is None or not len(labels):
        return np.arange(len(positions))
    gaps = cKDTree(labels.positions).query(positions)[0] if len(positions) else np.empty(0)
    return np.flatnonzero(gaps > reach_px)


def _evenly(n: int, most: int) -> npt.NDArray[np.intp]:
    return np.arange(n) if n <= most else np.linspace(0, n - 1, most).astype(np.intp)


def _reason(rank: float) -> Reason:
    low, high = _UNSURE
    return "odd" if rank < low else "unsure" if rank <= high else "missed"


def _known_rows(
    head: Head, maps: Mapping[str, FeatureMap], labels: Mapping[str, Annotations]
) -> Rows:
    """Return the features of all labelled places."""
    known = [maps[name].at(entry.positions) for name, entry in labels.items() if name in maps]
    return np.concatenate([np.empty((0, len(head.mean)), np.float32), *known])


def _standard(head: Head, rows: Rows) -> Rows:
    """Return standardised features, each as important as the head finds it."""
    standard = np.clip((rows - head.mean) / head.deviation, -_BOUND, _BOUND)
    return np.asarray(standard * np.abs(head.linear), np.float32)


def _choose(candidates: _Candidates, known: Rows, heights: Sequence[float]) -> list[int]:
    """Return the candidates to ask about, one for each height of the ranking."""
    gaps = _distances(candidates.rows, known).min(axis=1, initial=_FAR)
    free = np.ones(len(gaps), bool)
    chosen: list[int] = []
    for height in heights[: len(free)]:
        off = np.where(free, np.abs(candidates.ranks - height), np.inf)
        near = off <= max(_BAND, float(off.min()))
        best = int(np.argmax(np.where(near, gaps * candidates.weights, -1)))
        chosen.append(best)
        free[best] = False
        to_best = _distances(candidates.rows, candidates.rows[best][None])[:, 0]
        gaps = np.minimum(gaps, to_best)
    return chosen


def _distances(rows: Rows, others: Rows) -> Rows:
    """Return the distances of each row to each of the others."""
    squares = np.square(rows).sum(axis=1)[:, None] + np.square(others).sum(axis=1)
    return np.asarray(np.sqrt(np.maximum(squares - 2 * rows @ others.T, 0)), np.float32)
