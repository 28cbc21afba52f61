"""What a training step of a picker minimises: an objective on scores, and a reconstruction."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from napari_cryoml.models import Decoder, Detector
from napari_cryoml.objectives import (
    Loss,
    Objective,
    place_in_whole,
    reconstruction_loss,
    whole,
    whole_mean,
)
from napari_cryoml.training import IGNORED, DetectionBatch

_DETECTOR = "detector."
_RECONSTRUCTIONS = 64
"""How many positions a step are reconstructed; the paper reconstructs each of its 256 patches."""


class Trainee(nn.Module):
    """A detector and, if it is to reconstruct its input, a decoder: all that is trained.

    Parameters
    ----------
    detector : Detector
    decoder : Decoder, optional
    """

    def __init__(self, detector: Detector, decoder: Decoder | None) -> None:
        super().__init__()
        self.detector = detector
        self.decoder = decoder


class DetectionLoss:
    """The objective on all scored positions, plus a weighted reconstruction of some of them.

    Parameters
    ----------
    trainee : Trainee
    objective : Objective
    weight : float
        Of the reconstruction term.
    seed : int
        Chooses the positions that are reconstructed.
    """

    is_shared = True

    def __init__(self, trainee: Trainee, objective: Objective, weight: float, seed: int) -> None:
        self._trainee, self._objective, self._weight = trainee, objective, weight
        self._generator = torch.Generator().manual_seed(seed)

    def __call__(self, batch: DetectionBatch) -> Loss:
        """Return the loss of a batch."""
        features = self._trainee.detector.features(batch.images)
        logits = self._trainee.detector.classify(features).float()
        inside = batch.labels != IGNORED
        loss = self._objective(whole(logits[inside]), whole(batch.labels[inside]))
        if self._trainee.decoder is None or self._weight == 0:
            return loss
        term = self._reconstruct(self._trainee.decoder, batch.images, features)
        return Loss(loss.total + self._weight * term, {**loss.terms, "reconstruction": term})

    def _reconstruct(self, decoder: Decoder, images: Tensor, features: Tensor) -> Tensor:
        """Return the reconstruction error at a random choice of positions."""
        crops, grid = len(features), features.shape[2:]
        flat = features.flatten(2).transpose(1, 2).reshape(-1, features.shape[1])
        first, total = place_in_whole(len(flat))
        chosen = torch.randperm(total, generator=self._generator)[:_RECONSTRUCTIONS] - first
        chosen = chosen[(chosen >= 0) & (chosen < len(flat))]
        places = torch.stack(torch.unravel_index(chosen, (crops, *grid)), dim=1)
        targets = [self._target(images, row, decoder.size) for row in places.tolist()]
        drawn = decoder(flat[chosen.to(flat.device)])
        wanted = torch.stack(targets) if targets else torch.zeros_like(drawn)
        return whole_mean(reconstruction_loss(wanted, drawn), len(chosen))

    def _target(self, images: Tensor, place: list[int], size: int) -> Tensor:
        """Return the middle of the patch that the network saw at a position of its grid."""
        crop, *steps = place
        detector = self._trainee.detector
        margin = (detector.receptive_field - size) // 2
        starts = [step * detector.stride + margin for step in steps]
        window = [slice(start, start + size) for start in starts]
        return images[crop][(slice(None), *window)]


def weights_of_detector(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the detector's part of a trainee's weights."""
    return {
        name.removeprefix(_DETECTOR): value
        for name, value in weights.items()
        if name.startswith(_DETECTOR)
    }
