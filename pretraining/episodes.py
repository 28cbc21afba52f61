"""Learning to be learnt from: episodes of a few clicks, solved in closed form.

An episode is one species. From the channels of some of its micrographs and a few of their
particles a linear head is solved; the loss is how well that head finds all particles of another
micrograph. The gradient flows through the solution into the encoder (Bertinetto et al. 2019,
arXiv:1805.08136).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from bank import IGNORED, JUNK, Bank
from torch import Tensor, nn
from torch.nn import functional

Array = npt.NDArray[Any]

_EDGE = 8  # grid points along the border, where the convolutions see zeros
_FEWEST, _MOST = 3, 100
_JUNK_CHANCE, _JUNK_WEIGHT = 0.3, 20.0
_MIXED_CHANCE = 0.35
_POSITIVE_ROWS, _UNLABELLED_ROWS, _JUNK_ROWS = 420, 1000, 12
_AUXILIARY = 0.3


@dataclass(frozen=True, slots=True)
class Batch:
    """Micrographs of `e` species, `k` of each, with what a user has labelled of them.

    Parameters
    ----------
    images : tensor of shape (e * k, 1, y, x)
    labels : tensor of int, shape (e, k, g)
        Of the grid points in one row, as in `Bank`; IGNORED along the border.
    rows : tensor of int, shape (e, k, m)
        Grid points that a head learns from.
    positive, unlabelled : tensors of shape (e, k, m)
        Weight of each of `rows` as a positive, and as one of the unlabelled.
    counts : tensor of shape (e, k)
        Labelled particles.
    alone : tensor of bool, shape (e,)
        Whether the micrographs show no other species.
    """

    images: Tensor
    labels: Tensor
    rows: Tensor
    positive: Tensor
    unlabelled: Tensor
    counts: Tensor
    alone: Tensor

    def to(self, device: str) -> Batch:
        """Return the same on another device."""
        parts = (getattr(self, field.name) for field in fields(self))
        return Batch(*(part.to(device, non_blocking=True) for part in parts))


def draw_batch(bank: Bank, n_species: int, rng: np.random.Generator) -> Batch:
    """Draw species, turn and mirror their micrographs, and click a few particles of each."""
    n_views = bank.images.shape[1]
    drawn = []
    for species in rng.choice(len(bank.snr), n_species, replace=False):
        n_clicks = int(np.exp(rng.uniform(np.log(_FEWEST), np.log(_MOST))))
        refuses = rng.random() < _JUNK_CHANCE
        for view in range(n_views):
            image, label = _turned(bank.images[species, view], bank.labels[species, view], rng)
            image = image * np.exp(rng.normal(scale=0.1))
            drawn.append((image[None], label.ravel(), *_labelled(label, n_clicks, refuses, rng)))
    images, *rest = (np.stack(part) for part in zip(*drawn, strict=True))
    shape = (n_species, n_views)
    images, alone = _mixed(images.astype(np.float32).reshape(*shape, *images.shape[1:]), rng)
    return Batch(
        torch.from_numpy(images).flatten(0, 1),
        *(torch.from_numpy(part).unflatten(0, shape) for part in rest),
        torch.from_numpy(alone),
    )


def _mixed(images: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Lay the micrographs of a second species over those of some species.

    Only the first is looked for, so that a channel which finds all particles is no answer.

    Parameters
    ----------
    images : array of shape (e, k, 1, y, x)

    Returns
    -------
    images, array of bool of shape (e,)
        Which species are still alone.
    """
    alone = rng.random(len(images)) >= _MIXED_CHANCE
    mixed = images.copy()
    for species in np.flatnonzero(~alone):
        other = (species + rng.integers(1, len(images))) % len(images) if len(images) > 1 else 0
        share = rng.uniform(0.4, 1.0)
        mixed[species] = (images[species] + share * images[other]) / np.hypot(1, share)
    return mixed, alone


def _turned(image: Array, label: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return an image and its labels in one of the eight poses of a square, the border ignored."""
    if rng.random() < 0.5:
        image, label = image.T, label.T
    turns = int(rng.integers(4))
    label = np.rot90(label, turns)
    inner = slice(_EDGE, -_EDGE)
    bordered = np.full(label.shape, IGNORED, np.int64)
    bordered[inner, inner] = label[inner, inner]
    return np.rot90(image, turns), bordered


def _labelled(
    label: Array, n_clicks: int, refuses: bool, rng: np.random.Generator
) -> tuple[Array, Array, Array, np.float32]:
    """Return rows, weights as positive and unlabelled, and the number of clicks, as in `Batch`."""
    particles = np.unique(label[label >= 0])
    clicked = rng.choice(particles, min(n_clicks, len(particles)), replace=False)
    near = _off_centre(np.isin(label, clicked), rng).ravel().nonzero()[0]
    inner = slice(_EDGE, -_EDGE)
    inside = np.arange(label.size).reshape(label.shape)[inner, inner].ravel()
    junk = (label.ravel() == JUNK).nonzero()[0]
    parts = (
        rng.permutation(near)[:_POSITIVE_ROWS],
        rng.choice(inside, _UNLABELLED_ROWS, replace=False),
        rng.permutation(junk)[: _JUNK_ROWS * refuses],
    )
    used = np.concatenate(parts)
    rows = np.zeros(_POSITIVE_ROWS + _UNLABELLED_ROWS + _JUNK_ROWS, np.int64)
    positive, unlabelled = np.zeros((2, len(rows)), np.float32)
    rows[: len(used)] = used
    positive[: len(parts[0])] = 1
    unlabelled[len(parts[0]) : len(used)] = 1
    unlabelled[len(parts[0]) + _UNLABELLED_ROWS : len(used)] = _JUNK_WEIGHT
    return rows, positive, unlabelled, np.float32(len(clicked))


def _off_centre(clicked: Array, rng: np.random.Generator) -> Array:
    """Move the clicks of a micrograph by a grid point at times: hands are not exact."""
    if rng.random() < 0.7:
        return clicked
    return np.roll(clicked, int(rng.choice((-1, 1))), axis=int(rng.integers(2)))


class EpisodeLoss(nn.Module):
    """The loss of a batch, with the few parameters of the closed-form head.

    The ridge is 1 for 20 clicks and falls with the root of their number: if it were learnt it
    would grow, and the channels would turn into copies of one detector of all particles. Scale
    and offset of the logits follow the number of clicks as ``a + b log(n / 20)``, the scale as a
    logarithm.
    """

    def __init__(self) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor([1.0, 0.0]))
        self.offset = nn.Parameter(torch.tensor([-4.0, 0.0]))
        self.any_particle = nn.Parameter(torch.tensor([1.0, -4.0]))

    def forward(self, channels: Tensor, batch: Batch, support: Tensor) -> dict[str, Tensor]:
        """Return the loss of the episodes and of the channel of any particle.

        Parameters
        ----------
        channels : tensor of shape (e * k, c, gy, gx)
        batch : Batch
        support : tensor of shape (e, k, k)
            1 where the micrograph of the column is labelled for the query of the row.
        """
        features = channels.flatten(2).unflatten(0, batch.counts.shape)
        clicks = torch.log((support @ batch.counts[..., None])[..., 0].clamp(min=1) / 20)
        index = batch.rows[:, :, None].expand(-1, -1, features.shape[2], -1)
        rows = torch.gather(features, 3, index)
        weights = (batch.positive, batch.unlabelled)
        weight, centre = solve_heads(rows, weights, support, torch.exp(-clicks / 2))
        # Both at once: the channel of any particle is a head of one weight.
        first = torch.eye(weight.shape[-1], device=weight.device)[:1].expand_as(weight)
        scores, anything = (torch.stack([weight, first], 2) @ features).unbind(2)
        scores = scores - (weight * centre).sum(-1, keepdim=True)
        scale = torch.exp(self.log_scale[0] + self.log_scale[1] * clicks)[..., None]
        offset = (self.offset[0] + self.offset[1] * clicks)[..., None]
        anything = anything * self.any_particle[0] + self.any_particle[1]
        particles_alone = batch.labels.masked_fill(~batch.alone[:, None, None], IGNORED)
        return {
            "episodes": _cross_entropy(scores * scale + offset, batch.labels),
            "any": _cross_entropy(anything, particles_alone),
        }

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """Return what is minimised."""
        return losses["episodes"] + _AUXILIARY * losses["any"]


def solve_heads(
    features: Tensor, weights: tuple[Tensor, Tensor], support: Tensor, ridge: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the ridge solution for every query: weight and centre, both of shape (e, k, c).

    Positives and unlabelled have half of the mass each and the targets 1 and -1; channels are
    standardised on the unlabelled.

    Parameters
    ----------
    features : tensor of shape (e, k, c, m)
    weights : pair of tensors of shape (e, k, m)
        Of positives, of unlabelled.
    support : tensor of shape (e, k, k)
    ridge : tensor of shape (e, k)
    """
    (mean_1, second_1), (mean_0, second_0) = (
        _moments(features, weight, support) for weight in weights
    )
    centre = (mean_1 + mean_0) / 2
    covariance = (second_1 + second_0) / 2 - centre[..., :, None] * centre[..., None, :]
    variance = torch.diagonal(second_0, dim1=-2, dim2=-1) - mean_0.square()
    scale = variance.clamp(min=1e-6).rsqrt()
    system = covariance * scale[..., :, None] * scale[..., None, :]
    unit = torch.eye(system.shape[-1], device=system.device)
    system = system + (ridge + 1e-4)[..., None, None] * unit
    weight = torch.linalg.solve(system, scale * (mean_1 - mean_0) / 2)
    return weight * scale, centre


def _moments(features: Tensor, weight: Tensor, support: Tensor) -> tuple[Tensor, Tensor]:
    """Return weighted means (e, k, c) and second moments (e, k, c, c) over each support."""
    weighted = features * weight[:, :, None]
    mass = (support @ weight.sum(-1)[..., None]).clamp(min=1e-6)
    mean = support @ weighted.sum(-1) / mass
    second = weighted @ features.transpose(-1, -2)
    return mean, torch.einsum("eqs,escd->eqcd", support, second) / mass[..., None]


def draw_support(shape: tuple[int, int], rng: np.random.Generator) -> Tensor:
    """Return which micrographs are labelled for which query (e, k, k): one other, or all others."""
    n_species, n_views = shape
    support = np.zeros((n_species, n_views, n_views), np.float32)
    for species in range(n_species):
        for query in range(n_views):
            others = [view for view in range(n_views) if view != query]
            n_labelled = 1 if rng.random() < 0.6 else len(others)
            support[species, query, rng.choice(others, n_labelled, replace=False)] = 1
    return torch.from_numpy(support)


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the cross-entropy of particle against background for each particle point."""
    particle = (labels >= 0).float()
    each = functional.binary_cross_entropy_with_logits(logits, particle, reduction="none")
    each = each * (labels != IGNORED)
    return (each.sum(-1) / particle.sum(-1).clamp(min=30)).mean()
