"""Which places a user should be asked about next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from napari_cryoml.data import Annotations, ImageSource
from napari_cryoml.features import FeatureMap
from napari_cryoml.picking.live._config import LiveConfig
from napari_cryoml.picking.live._head import Head
from napari_cryoml.picking.live._model import LiveModel, raw_peaks

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.float32]
Reason = Literal["typical", "odd", "unsure"]

N_SUGGESTIONS = 8
"""Places that are suggested at a time."""

_LEAST_PEAKS = 20
_MOST_PEAKS = 2000
_REACH = 2.0
_WIDTH = 0.4
_UNSEEN = 1.5
_BOUND = 6.0
_FAR = 1e6
_ENOUGH_PARTICLES = 10
_TURNS: tuple[Reason, ...] = ("unsure", "odd")


@dataclass(frozen=True, slots=True, eq=False)
class SuggestRequest:
    """Asks the live service for the places whose labels would teach most.

    Parameters
    ----------
    labels : mapping of str to Annotations
        Of all images that have some.
    image : str or None
        The image on show.
    config : LiveConfig
    """

    labels: Mapping[str, Annotations]
    image: str | None
    config: LiveConfig


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
    reason : {"typical", "odd", "unsure"}
        Whether it stands for many places that nothing is known of, looks like no labelled place
        though it scores well, or lies near the threshold.
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

    The peaks that may be particles, twice as many as are expected, are the candidates. Until ten
    particles are labelled, each suggestion is the candidate that stands for most others (a
    facility location: the distances of likely particles to the nearest known place shrink most).
    From then on it takes turns with the likely particle that is farthest in feature space from
    all that is known, which finds picks that are wrong though they score well, and with places
    near the threshold. What was suggested before counts as known. Images without labels count
    more.

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
    Settles 2012, Active Learning, chapters 2 and 5: uncertainty, density and diversity. Wei, Iyer
    and Bilmes 2015, Submodularity in data subset selection and active learning.
    """
    candidates = _candidates(model, images, maps, labels) if images else None
    if candidates is None or not len(candidates.rows):
        return ()
    known = _standard(model.head, _known_rows(model.head, maps, labels))
    importance = np.abs(model.head.linear).astype(np.float32)
    chosen = _choose(candidates, known, importance, _turns(labels, n))
    chances = model.calibration.probability(candidates.scores)
    names = list(images)
    return tuple(
        Suggestion(
            names[candidates.owners[row]],
            candidates.positions[row],
            float(chances[row]),
            reason,
        )
        for row, reason in chosen
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


def _turns(labels: Mapping[str, Annotations], n: int) -> list[Reason]:
    """Return what kind of place to ask about next, `n` times, counting on particles."""
    n_positives = sum(len(entry.positives) for entry in labels.values())
    n_labels = sum(len(entry) for entry in labels.values())
    return [
        "typical"
        if n_positives + step < _ENOUGH_PARTICLES
        else _TURNS[(n_labels + step) % len(_TURNS)]
        for step in range(n)
    ]


def _known_rows(
    head: Head, maps: Mapping[str, FeatureMap], labels: Mapping[str, Annotations]
) -> Rows:
    """Return the features of all labelled places."""
    known = [maps[name].at(entry.positions) for name, entry in labels.items() if name in maps]
    return np.concatenate([np.empty((0, len(head.mean)), np.float32), *known])


def _standard(head: Head, rows: Rows) -> Rows:
    return np.asarray(np.clip((rows - head.mean) / head.deviation, -_BOUND, _BOUND), np.float32)


def _choose(
    candidates: _Candidates, known: Rows, importance: Rows, turns: Sequence[Reason]
) -> list[tuple[int, Reason]]:
    """Return candidates in the order in which to ask about them, and why."""
    likely = candidates.ranks <= 1
    plain = _Space.of(candidates.rows, known)
    weighted = _Space.of(candidates.rows * importance, known * importance)
    near_threshold = np.exp(-0.5 * ((candidates.ranks - 1) / _WIDTH) ** 2)
    gains: dict[Reason, Callable[[], Rows]] = {
        "typical": lambda: weighted.gain(likely),
        "odd": lambda: plain.nearest * likely,
        "unsure": lambda: weighted.nearest * near_threshold,
    }
    free = np.ones(len(candidates.rows), bool)
    chosen: list[tuple[int, Reason]] = []
    for reason in turns[: len(free)]:
        best = int(np.argmax(np.where(free, gains[reason]() * candidates.weights, -1)))
        chosen.append((best, reason))
        free[best] = False
        plain.add(best)
        weighted.add(best)
    return chosen


@dataclass(slots=True, eq=False)
class _Space:
    """How far candidates are from each other, and from what is known."""

    between: Rows
    nearest: Rows

    @classmethod
    def of(cls, rows: Rows, known: Rows) -> _Space:
        nearest = _distances(rows, known).min(axis=1, initial=_FAR)
        return cls(_distances(rows, rows), nearest)

    def add(self, row: int) -> None:
        """Take a candidate as known."""
        self.nearest = np.minimum(self.nearest, self.between[row])

    def gain(self, counted: npt.NDArray[np.bool_]) -> Rows:
        """Return how much nearer the counted ones would be to something known, for each."""
        gain = np.zeros(len(self.nearest), np.float32)
        shrunk = self.nearest[counted][:, None] - self.between[counted][:, counted]
        gain[counted] = np.maximum(shrunk, 0).sum(axis=0)
        return gain


def _distances(rows: Rows, others: Rows) -> Rows:
    """Return the distances of each row to each of the others."""
    squares = np.square(rows).sum(axis=1)[:, None] + np.square(others).sum(axis=1)
    return np.asarray(np.sqrt(np.maximum(squares - 2 * rows @ others.T, 0)), np.float32)
