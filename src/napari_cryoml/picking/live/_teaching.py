"""What the live picker gives to the training of a network: labels, and a figure to beat."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree
from scipy.special import logit

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, ImageSource, Picks
from napari_cryoml.features import FeatureCache
from napari_cryoml.jobs import Command, Event
from napari_cryoml.picking._validation import HeldOut
from napari_cryoml.picking.live._config import LiveConfig
from napari_cryoml.picking.live._engine import LivePicker
from napari_cryoml.picking.live._model import LiveModel

Floats = npt.NDArray[np.float64]

CONFIDENT = 0.9
"""Least probability of a pick that may serve as a label."""

_EACH = 4
"""Picks that serve as labels, at most, for each label of the user: these must not be drowned."""

_MOST_LABELLED = 30
_MOST_OTHERS = 10
"""Images whose picks may serve as labels, with labels of the user and without any."""


@dataclass(frozen=True, slots=True, eq=False)
class LiveTeacher:
    """The live picker, fitted to no label but those that a network is trained on.

    Parameters
    ----------
    picker : LivePicker
    model : LiveModel
    held : HeldOut
        Which labels train and which validate.
    """

    picker: LivePicker
    model: LiveModel
    held: HeldOut

    def pick(self, name: str) -> tuple[Floats, npt.NDArray[np.float32]]:
        """Return the picks of an image, pixels of it, and their log-odds, falling."""
        picks = self._picks(name)
        none = np.empty(0, np.float32)
        return picks.positions, none if picks.scores is None else picks.scores

    def confident(self, name: str) -> Floats:
        """Return the picks of an image that may serve as labels, shape (n, ndim).

        Those of `CONFIDENT` probability or more, but none at a place that has a label of either
        kind, and none within a diameter of a particle that validation asks for.
        """
        positions, scores = self.pick(name)
        positions = positions[scores >= logit(CONFIDENT)]
        diameter = self.model.config.diameter_in(self.picker.images[name])
        known = self.held.training.get(name, Annotations.empty(self.model.config.ndim)).positions
        positions = _away(positions, known, diameter / 2)
        if not self.held.independent:
            return positions
        return _away(positions, self.held.positives.get(name, positions[:0]), diameter)

    def labels(self, names: Sequence[str], seed: int) -> dict[str, Floats]:
        """Return confident picks of some images, the most that are sensible, drawn at random.

        Parameters
        ----------
        names : sequence of str
            Images that a network trains on; only so many of them are looked at, those with labels
            first. Images held out as a whole, and those that cannot be picked, give none.
        seed : int
            Of the draw.
        """
        if self.model.preview:
            return {}
        found: dict[str, Floats] = {}
        for name in self._teaching(names):
            try:
                found[name] = self.confident(name)
            except InputError:
                continue
        n_most = _EACH * sum(len(entry.positives) for entry in self.held.training.values())
        return _draw(found, n_most, seed)

    def _teaching(self, names: Sequence[str]) -> list[str]:
        labelled = [name for name in names if len(self.held.training.get(name, ()))]
        others = [name for name in names if name not in labelled]
        chosen = labelled[:_MOST_LABELLED] + others[:_MOST_OTHERS]
        return [name for name in chosen if name not in self.held.whole_images]

    def _picks(self, name: str) -> Picks:
        features = self.picker.features(name, self.model.config)
        return self.model.pick(self.picker.images[name], features)[1]


def learn_live(
    images: Sequence[ImageSource], held: HeldOut, config: LiveConfig, folder: Path | None = None
) -> Generator[Event, Command | None, LiveTeacher]:
    """Fit the live picker to the labels that a network is trained on.

    Parameters
    ----------
    images : sequence of ImageSource
        All with a label, and others.
    held : HeldOut
    config : LiveConfig
    folder : Path, optional
        Where features are kept on disk.

    Yields
    ------
    Event
        One for each image that has to be looked at.

    Returns
    -------
    LiveTeacher

    Raises
    ------
    InputError
        If a labelled image cannot be used.
    """
    picker = LivePicker.of(images, FeatureCache(folder=folder))
    needed = {name: entry for name, entry in held.training.items() if len(entry)}
    for number, (name, entry) in enumerate(needed.items()):
        picker.examples(name, entry, config)
        message = f"The live picker has looked at {name}."
        yield Event(done=number + 1, total=len(needed), message=message)
    return LiveTeacher(picker, picker.fit(held.training, config), held)


def with_positives(
    labels: Mapping[str, Annotations], more: Mapping[str, Floats]
) -> dict[str, Annotations]:
    """Return labels with further particles beside them, by image."""
    joined = dict(labels)
    for name, positions in more.items():
        added = Annotations.of_positives(positions)
        own = joined.get(name, Annotations.empty(positions.shape[1]))
        joined[name] = Annotations(
            np.concatenate([own.positions, added.positions]),
            np.concatenate([own.labels, added.labels]),
        )
    return joined


def _away(positions: Floats, places: Floats, reach: float) -> Floats:
    """Return the positions that are further than `reach` from every place."""
    if not len(positions) or not len(places):
        return positions
    gap = cKDTree(places).query(positions, distance_upper_bound=reach * (1 + 1e-9))[0]
    return np.asarray(positions[~(gap <= reach)])


def _draw(found: Mapping[str, Floats], n_most: int, seed: int) -> dict[str, Floats]:
    rows = [(name, row) for name, positions in found.items() for row in range(len(positions))]
    order = np.random.default_rng(seed).permutation(len(rows))[:n_most]
    chosen = {rows[index] for index in order}
    kept = {
        name: positions[[(name, row) in chosen for row in range(len(positions))]]
        for name, positions in found.items()
        if len(positions)
    }
    return {name: positions for name, positions in kept.items() if len(positions)}
