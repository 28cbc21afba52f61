"""The bound of the deep generative model M2."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from napari_cryoml.objectives._class_loss import ClassLoss
from napari_cryoml.objectives._crop_objective import CropBatch, CropObjective
from napari_cryoml.objectives._objective import Loss
from napari_cryoml.objectives._precision import at_least_single

if TYPE_CHECKING:
    from napari_cryoml.models import Classifier
    from napari_cryoml.objectives._m2_config import M2

_LONGEST_MAP = 2**16  # values of a feature map that is flattened as it is
_COARSE_SIDE = 8
_LARGEST_LOG_VARIANCE = 10.0  # e^10 is far from any posterior, and far from an overflow


class ConditionedLayers(nn.Module):
    """One hidden layer of softplus units from a vector and a class to a vector.

    The same as a dense layer on the vector with the class appended in one-hot coding, but the
    vector is multiplied once for all classes.

    Parameters
    ----------
    n_in, n_classes, hidden, n_out : int
    """

    def __init__(self, n_in: int, n_classes: int, hidden: int, n_out: int) -> None:
        super().__init__()
        self.of_vector = nn.Linear(n_in, hidden)
        self.of_class = nn.Embedding(n_classes, hidden)
        self.out = nn.Linear(hidden, n_out)
        bound = 1 / math.sqrt(n_in + n_classes)
        nn.init.uniform_(self.of_class.weight, -bound, bound)

    def forward(self, vectors: Tensor, rows: Tensor, classes: Tensor) -> Tensor:
        """Return one vector for each pair of a row of `vectors` and a class, shape (p, n_out)."""
        hidden = softplus(self.of_vector(vectors)[rows] + self.of_class(classes))
        return at_least_single(self.out(hidden))


class M2Objective(CropObjective):
    """The negative bound of the likelihood of crops x, and of labels y where there are any.

    A class y and a style z, normal, make a crop; a network guesses both from the crop.

    ::

        L(x, y) = E_q(z|x,y) [-log p(x|y,z)] + KL(q(z|x,y) || N(0, 1)) + log n_classes
        U(x)    = sum_y q(y|x) (L(x, y) + log q(y|x))
        total   = 1/b (sum_labelled L + sum_unlabelled U) + α mean_labelled -log q(y|x)

    over a batch of b crops. The paper's whole objective is ``sum L + sum U + 0.1 N`` times the
    mean cross entropy over labelled crops; divided by the number of crops N it is the mean of
    `total` over batches drawn at random, with α = 0.1. Values are nats a crop.

    p(x|y,z) is normal around what is drawn, of deviation 1 in every pixel: crops come with mean 0
    and deviation 1, most of which is noise. q(z|x,y) is normal with a diagonal covariance; z is
    drawn once a step in training, and is its mean in evaluation. q(y|x) is the softmax of the
    network itself; q(z|x,y) sees the network's feature map. With the network ``flat`` these are
    the multilayer perceptrons of the paper. Of a feature map longer than 65,536 values, means of
    8 cells along each axis are seen.

    Parameters
    ----------
    network : Classifier
    config : M2
        The options.

    References
    ----------
    Kingma et al. 2014, arXiv:1406.5298, equations 6 to 9 and section 4.
    """

    is_shared = False

    def __init__(self, network: Classifier, config: M2) -> None:
        super().__init__(network)
        self.config = config
        n_classes, n_pixels = network.n_classes, network.n_channels * math.prod(network.shape)
        self.class_loss = ClassLoss(n_classes, config)
        self.summary, length = _summary(network.map_shape)
        self.posterior = ConditionedLayers(length, n_classes, config.hidden, 2 * config.latent)
        self.generator = ConditionedLayers(config.latent, n_classes, config.hidden, n_pixels)

    def forward(self, batch: CropBatch) -> Loss:
        """Return the loss of a batch."""
        crops, labels = batch.views[0], batch.labels
        features, scores = self._see(crops)
        labelled, unlabelled = (labels >= 0).nonzero()[:, 0], (labels < 0).nonzero()[:, 0]
        known = self._bound(crops, features, labelled, labels[labelled])
        unknown = self._bound_without_label(crops, features, unlabelled, scores[unlabelled])
        bound = (known.sum() + unknown.sum()) / len(crops)
        classes = self.class_loss(scores, labels)
        terms = {"bound": bound.detach(), "classes": classes.detach()}
        return Loss(bound + self.config.alpha * classes, terms)

    def reconstruct(self, crops: Tensor) -> Tensor:
        """Return what the mean style of each class draws, weighted with the class's probability."""
        features, scores = self._see(crops)
        rows, classes = _pairs(torch.arange(len(crops), device=crops.device), scores.shape[1])
        mean, _ = self._style(features, rows, classes)
        drawn = self._draw(mean, classes).unflatten(0, scores.shape)
        return (drawn * scores.softmax(1)[:, :, None]).sum(1).reshape(crops.shape)

    def _see(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Return the summary of the feature maps, and the scores of the classes."""
        feature_map = self.network.feature_map(crops)
        scores = self.network.head(self.network.vectors(feature_map))
        return self.summary(feature_map), at_least_single(scores)

    def _bound_without_label(
        self, crops: Tensor, features: Tensor, rows: Tensor, scores: Tensor
    ) -> Tensor:
        """Return U of some rows, whose scores are given, shape (m,)."""
        of_all = self._bound(crops, features, *_pairs(rows, scores.shape[1])).reshape(scores.shape)
        log_q = scores.log_softmax(1)
        return (log_q.exp() * (of_all + log_q)).sum(1)

    def _bound(self, crops: Tensor, features: Tensor, rows: Tensor, classes: Tensor) -> Tensor:
        """Return L of pairs of a row and a class, shape (p,)."""
        mean, log_variance = self._style(features, rows, classes)
        noise = torch.randn_like(mean) if self.training else torch.zeros_like(mean)
        drawn = self._draw(mean + noise * (log_variance / 2).exp(), classes)
        error = (crops.flatten(1)[rows] - drawn).square()
        surprise = 0.5 * (error + math.log(2 * math.pi)).sum(1)
        divergence = 0.5 * (log_variance.exp() + mean.square() - 1 - log_variance).sum(1)
        return surprise + divergence + math.log(self.network.n_classes)

    def _style(self, features: Tensor, rows: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of z for pairs of a row and a class, shape (p, latent)."""
        mean, log_variance = self.posterior(features, rows, classes).chunk(2, dim=1)
        return mean, log_variance.clamp(-_LARGEST_LOG_VARIANCE, _LARGEST_LOG_VARIANCE)

    def _draw(self, styles: Tensor, classes: Tensor) -> Tensor:
        """Return the mean of x for styles (p, latent) and their classes, shape (p, pixels)."""
        rows = torch.arange(len(styles), device=styles.device)
        drawn: Tensor = self.generator(styles, rows, classes)
        return drawn


def _pairs(rows: Tensor, n_classes: int) -> tuple[Tensor, Tensor]:
    """Return each row with each class, the classes of the first row first."""
    classes = torch.arange(n_classes, device=rows.device).repeat(len(rows))
    return rows.repeat_interleave(n_classes), classes


def _summary(map_shape: tuple[int, ...]) -> tuple[nn.Module, int]:
    """Return the module that makes a vector of a feature map, and the vector's length."""
    channels, *grid = map_shape
    if math.prod(map_shape) <= _LONGEST_MAP or not grid:
        return nn.Flatten(), math.prod(map_shape)
    cells = tuple(min(side, _COARSE_SIDE) for side in grid)
    pool = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)[len(grid) - 1]
    return nn.Sequential(pool(cells), nn.Flatten()), channels * math.prod(cells)
