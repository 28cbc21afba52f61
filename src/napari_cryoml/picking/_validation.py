"""How well a picker does on labels it was not shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import Annotations
from napari_cryoml.evaluation import match
from napari_cryoml.picking._scoring import peaks_in_image, score_working_image

if TYPE_CHECKING:
    import torch

    from napari_cryoml.models import Detector
    from napari_cryoml.picking._config import PickerConfig
    from napari_cryoml.picking._workspace import Workspace

LEAST_LABELS = 25
"""With fewer labels than this none is held out: training needs them more."""

_IMAGES_TO_HOLD_OUT = 4
_MOST_IMAGES = 4
"""Validation looks at this many images at most: it must not take the time of training."""


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Labels split between training and validation.

    Parameters
    ----------
    training : mapping of str to Annotations
        What the network learns from.
    positives : mapping of str to array of shape (n, ndim)
        Labelled particles it is judged by, by image.
    whole_images : frozenset of str
        Images that take no part in training at all.
    independent : bool
        Whether the two parts are disjoint; with few labels they are the same.
    """

    training: Mapping[str, Annotations]
    positives: Mapping[str, npt.NDArray[np.float64]]
    whole_images: frozenset[str]
    independent: bool


def hold_out(labels: Mapping[str, Annotations], share: float, seed: int) -> HeldOut:
    """Split labels: whole images if at least four are labelled, else labels at random.

    Parameters
    ----------
    labels : mapping of str to Annotations
        By image.
    share : float
        Share of the labelled particles to hold out.
    seed : int
    """
    n_positives = sum(len(entry.positives) for entry in labels.values())
    if n_positives < LEAST_LABELS or share == 0:
        positives = {image: entry.positives for image, entry in labels.items()}
        return HeldOut(labels, positives, frozenset(), independent=False)
    rng = np.random.default_rng(seed)
    labelled = [image for image, entry in labels.items() if len(entry.positives)]
    if len(labelled) >= _IMAGES_TO_HOLD_OUT:
        return _hold_out_images(labels, labelled, share * n_positives, rng)
    return _hold_out_labels(labels, share, rng)


def _hold_out_images(
    labels: Mapping[str, Annotations],
    labelled: list[str],
    wanted: float,
    rng: np.random.Generator,
) -> HeldOut:
    out: list[str] = []
    for image in rng.permutation(labelled)[:-2]:
        if sum(len(labels[name].positives) for name in out) >= wanted:
            break
        out.append(str(image))
    training = {image: entry for image, entry in labels.items() if image not in out}
    positives = {image: labels[image].positives for image in out}
    return HeldOut(training, positives, frozenset(out), independent=True)


def _hold_out_labels(
    labels: Mapping[str, Annotations], share: float, rng: np.random.Generator
) -> HeldOut:
    rows = [(image, row) for image, entry in labels.items() for row in range(len(entry))]
    positive = [(image, row) for image, row in rows if labels[image].labels[row] == 1]
    n_out = max(1, round(share * len(positive)))
    out = {positive[index] for index in rng.permutation(len(positive))[:n_out]}
    training, positives = {}, {}
    for image, entry in labels.items():
        held = np.array([(image, row) in out for row in range(len(entry))], dtype=bool)
        training[image] = Annotations(entry.positions[~held], entry.labels[~held])
        positives[image] = entry.positions[held]
    return HeldOut(training, positives, frozenset(), independent=True)


@dataclass(frozen=True, slots=True, eq=False)
class RankedPicks:
    """Picks of one validation image, told apart by what is known about them.

    Parameters
    ----------
    scores : array of shape (n,)
    found : array of shape (n,), bool
        Picks matched to a held-out label.
    """

    scores: npt.NDArray[np.float32]
    found: npt.NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        positions: npt.NDArray[np.float64],
        scores: npt.NDArray[np.float32],
        held_out: npt.NDArray[np.float64],
        shown: npt.NDArray[np.float64],
        radius: float,
    ) -> RankedPicks:
        """Match picks to labels within `radius` pixels, and drop those of labels shown."""
        known = match(positions, shown, radius) >= 0
        positions, scores = positions[~known], scores[~known]
        return cls(scores, match(positions, held_out, radius) >= 0)


@dataclass(frozen=True, slots=True, eq=False)
class EstimatedCurve:
    """Precision and recall at every rank, estimated from a random part of the particles.

    Held-out labels are a random sample of the `n_particles` that could be found: the share of
    them among the first k picks estimates the recall R(k), and R(k) n_particles / k the precision
    (at most 1). With all particles labelled the curve is the ordinary one.

    Parameters
    ----------
    scores : array of shape (n,)
        Falling.
    found : array of shape (n,), bool
        Picks matched to a held-out label.
    n_held_out : int
    n_particles : float
        Particles the images are taken to hold, those used in training left out.
    """

    scores: npt.NDArray[np.float32]
    found: npt.NDArray[np.bool_]
    n_held_out: int
    n_particles: float

    @classmethod
    def of(
        cls, ranked: Sequence[RankedPicks], n_held_out: int, n_particles: float
    ) -> EstimatedCurve:
        """Pool the picks of several images."""
        scores = np.concatenate([np.empty(0, np.float32), *[entry.scores for entry in ranked]])
        found = np.concatenate([np.empty(0, bool), *[entry.found for entry in ranked]])
        order = np.argsort(-scores, kind="stable")
        return cls(scores[order], found[order], n_held_out, max(n_particles, n_held_out))

    @property
    def recall(self) -> npt.NDArray[np.float64]:
        """Share of the held-out labels among the picks down to each rank."""
        return np.cumsum(self.found) / max(self.n_held_out, 1)

    @property
    def precision(self) -> npt.NDArray[np.float64]:
        """Estimated share of particles among the picks down to each rank."""
        rank = np.arange(1, len(self.found) + 1)
        return np.minimum(1.0, self.recall * self.n_particles / rank)

    @property
    def average_precision(self) -> float:
        """Sum of the precision over the steps of the recall."""
        return float(np.sum(self.precision[self.found]) / max(self.n_held_out, 1))

    def best_threshold(self) -> float | None:
        """Return the score at which F1 is largest, the lowest such one; None without picks."""
        if not self.found.any():
            return None
        precision, recall = self.precision, self.recall
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
        last = len(f1) - 1 - int(np.argmax(f1[::-1]))
        return float(self.scores[last])


class Validator:
    """Measures a detector on the held-out labels of a few images.

    Parameters
    ----------
    detector : Detector
    workspace : Workspace
        The images on their working grid.
    held : HeldOut
    config : PickerConfig
        Says how far apart picks are, and how many particles an image holds.
    device : torch.device
    """

    def __init__(
        self,
        detector: Detector,
        workspace: Workspace,
        held: HeldOut,
        config: PickerConfig,
        device: torch.device,
    ) -> None:
        self._detector, self._workspace, self._held = detector, workspace, held
        self._config, self._device = config, device
        most_labels = sorted(held.positives, key=lambda name: -len(held.positives[name]))
        self._images = [name for name in most_labels if len(held.positives[name])][:_MOST_IMAGES]

    def measure(self) -> float:
        """Return the estimated average precision of the detector as it is now."""
        return self.curve().average_precision

    def curve(self) -> EstimatedCurve:
        """Return the estimated curve of the detector as it is now."""
        held, expected = 0, 0.0
        ranked = []
        for name in self._images:
            shown = self._shown(name)
            ranked.append(self._rank(name, shown))
            held += len(self._held.positives[name])
            shape = self._workspace.rescalings[name].shape_in
            n_labels = len(shown) + len(self._held.positives[name])
            particles = self._config.expected_particles(shape, n_labels)
            expected += max(particles - len(shown), 0)
        return EstimatedCurve.of(ranked, held, expected)

    def _shown(self, name: str) -> npt.NDArray[np.float64]:
        """Return the labelled particles of an image that take part in training only."""
        none = np.empty((0, self._config.ndim))
        if not self._held.independent or name not in self._held.training:
            return none
        return self._held.training[name].positives

    def _rank(self, name: str, shown: npt.NDArray[np.float64]) -> RankedPicks:
        score_map = score_working_image(
            self._detector,
            self._workspace.pixels[name],
            self._workspace.rescalings[name],
            device=self._device,
        )
        diameter = self._workspace.diameter_in(name)
        positions, scores = peaks_in_image(score_map, diameter, self._config.separation)
        radius = diameter / 2
        return RankedPicks.of(positions, scores, self._held.positives[name], shown, radius)
