"""How well a picker does on labels it was not shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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

    @property
    def n_positives(self) -> int:
        """How many labelled particles validation asks for."""
        return sum(len(self.positives[name]) for name in self.images)

    @property
    def images(self) -> list[str]:
        """The few images that validation looks at: those with the most held-out labels."""
        by_number = sorted(self.positives, key=lambda name: -len(self.positives[name]))
        return [name for name in by_number if len(self.positives[name])][:_MOST_IMAGES]

    def shown(self, image: str, ndim: int) -> npt.NDArray[np.float64]:
        """Return the labelled particles of an image that take part in training only."""
        if not self.independent or image not in self.training:
            return np.empty((0, ndim))
        return self.training[image].positives


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


Pick = Callable[[str], tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]]
"""From the name of an image to its picks, pixels of the image, and their scores, falling."""


@dataclass(frozen=True, slots=True, eq=False)
class Examination:
    """The same question to every picker: find the held-out labels of a few images.

    Parameters
    ----------
    held : HeldOut
    config : PickerConfig
        Says how many particles an image holds.
    shapes : mapping of str to sequence of int
        Of the images looked at, their own pixels.
    diameters : mapping of str to float
        Of a particle, pixels of the image; a pick within half of it has found a label.
    """

    held: HeldOut
    config: PickerConfig
    shapes: Mapping[str, Sequence[int]]
    diameters: Mapping[str, float]

    @classmethod
    def of(cls, held: HeldOut, config: PickerConfig, workspace: Workspace) -> Examination:
        """Return the examination on images of a workspace."""
        shapes = {name: workspace.rescalings[name].shape_in for name in held.images}
        diameters = {name: workspace.diameter_in(name) for name in held.images}
        return cls(held, config, shapes, diameters)

    def curve(self, pick: Pick) -> EstimatedCurve:
        """Return the estimated curve of a picker."""
        n_held_out, expected = 0, 0.0
        ranked = []
        for name in self.held.images:
            shown, positives = self.held.shown(name, self.config.ndim), self.held.positives[name]
            radius = self.diameters[name] / 2
            ranked.append(RankedPicks.of(*pick(name), positives, shown, radius))
            n_held_out += len(positives)
            n_labels = len(shown) + len(positives)
            particles = self.config.expected_particles(self.shapes[name], n_labels)
            expected += max(particles - len(shown), 0)
        return EstimatedCurve.of(ranked, n_held_out, expected)


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
        self._detector, self._workspace = detector, workspace
        self._config, self._device = config, device
        self._examination = Examination.of(held, config, workspace)

    def measure(self) -> float:
        """Return the estimated average precision of the detector as it is now."""
        return self.curve().average_precision

    def curve(self) -> EstimatedCurve:
        """Return the estimated curve of the detector as it is now."""
        return self._examination.curve(self._pick)

    def _pick(self, name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
        score_map = score_working_image(
            self._detector,
            self._workspace.pixels[name],
            self._workspace.rescalings[name],
            device=self._device,
        )
        return peaks_in_image(score_map, self._workspace.diameter_in(name), self._config.separation)
