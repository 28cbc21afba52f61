"""Swapped assignments between views."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from napari_cryoml.objectives._contrast import ContrastObjective, ProjectionHead, projected
from napari_cryoml.objectives._crop_objective import CropBatch
from napari_cryoml.objectives._objective import Loss
from napari_cryoml.objectives._precision import full_precision
from napari_cryoml.objectives._share import whole

if TYPE_CHECKING:
    from napari_cryoml.models import Classifier
    from napari_cryoml.objectives._swav_config import SwAV


class SwAVObjective(ContrastObjective):
    """Cross entropy between the assignment of one view and the prediction from the other.

    ::

        total = 1/2 ( l(z_1, q_2) + l(z_2, q_1) )
        l(z, q) = -mean_i sum_k q_ik log softmax_k(z_i·c_k / τ)

    with unit vectors z of the two views, prototypes c of length 1, and assignments q that spread
    the crops evenly over the prototypes, see `sinkhorn`. They take no gradient. Of the paper's
    views, the two large ones are taken; small ones ("multi-crop") would show part of a particle.

    Parameters
    ----------
    network : Classifier
    config : SwAV
        The options.

    References
    ----------
    Caron et al. 2020, arXiv:2006.09882, equations 1 to 5 and appendix A. (Gupta et al. 2022 use
    SwAV and cite a browser of that name for it; this is the method.)
    """

    queue: Tensor
    queued: Tensor

    def __init__(self, network: Classifier, config: SwAV) -> None:
        super().__init__(network)
        self.config = config
        self.head = ProjectionHead(network.latent, config.hidden, config.projection)
        n_prototypes = config.n_prototypes(network.n_classes)
        centres = normalize(torch.randn(n_prototypes, config.projection), dim=1)
        self.prototypes = nn.Parameter(centres)
        earlier = torch.zeros(self.n_views, config.queue, config.projection)
        self.register_buffer("queue", earlier)
        self.register_buffer("queued", torch.zeros((), dtype=torch.int64))

    def forward(self, batch: CropBatch) -> Loss:
        """Return the loss of a batch."""
        vectors = projected(self.network, self.head, torch.cat(batch.views))
        with full_precision(vectors.device):
            centres = self._centres(frozen=batch.epoch < self.config.frozen_epochs)
            views = torch.stack(vectors.chunk(self.n_views))
            scores = whole(views @ centres.T, dim=1)
            with torch.no_grad():
                targets = self._assignments(scores.detach(), centres, batch.epoch)
            log_p = (scores / self.config.temperature).log_softmax(-1)
            total = -(targets.flip(0) * log_p).sum(-1).mean()
        if self.training and self.config.queue and batch.epoch >= self.config.queue_from:
            self._enqueue(whole(views.detach(), dim=1))
        return Loss(total, {"swapped": total.detach()})

    def _centres(self, *, frozen: bool) -> Tensor:
        """Return the prototypes, brought back to length 1 before they are used in a step."""
        if not self.training:
            return normalize(self.prototypes, dim=1)
        with torch.no_grad():
            self.prototypes.copy_(normalize(self.prototypes, dim=1))
        return self.prototypes.detach() if frozen else self.prototypes

    def _assignments(self, scores: Tensor, centres: Tensor, epoch: int) -> Tensor:
        """Return the assignments of each view, shape (n_views, b, prototypes)."""
        b, config = scores.shape[1], self.config
        if config.queue and epoch >= config.queue_from and self.queued >= config.queue:
            scores = torch.cat([scores, self.queue.to(scores.dtype) @ centres.T], dim=1)
        spread = [sinkhorn(view, config.epsilon, config.iterations)[:b] for view in scores]
        return torch.stack(spread)

    def _enqueue(self, views: Tensor) -> None:
        newest_first = torch.cat([views.to(self.queue.dtype), self.queue], dim=1)
        self.queue.copy_(newest_first[:, : self.queue.shape[1]])
        self.queued.add_(views.shape[1]).clamp_(max=self.queue.shape[1])


def sinkhorn(scores: Tensor, epsilon: float, iterations: int) -> Tensor:
    """Return the soft assignment of crops to prototypes that uses all prototypes alike.

    Among the matrices whose rows (crops) sum to 1 and whose columns (prototypes) sum to b / k,
    the one of the largest ``sum q·scores + ε entropy`` is ``diag(u) exp(scores / ε) diag(v)``;
    u and v are found by scaling columns and rows in turn.

    Parameters
    ----------
    scores : tensor of shape (b, k)
        Similarity of each crop to each prototype.
    epsilon : float
        Softness ε.
    iterations : int
        Rounds; the rows are scaled last.

    Returns
    -------
    tensor of shape (b, k)
        Rows sum to 1.

    References
    ----------
    Caron et al. 2020, arXiv:2006.09882, section 3.1; Cuturi 2013, arXiv:1306.0895. Computed
    with logarithms, which do not overflow.
    """
    b, k = scores.shape
    log_q = scores / epsilon
    for _ in range(iterations):
        log_q = log_q - log_q.logsumexp(0, keepdim=True) + math.log(b / k)
        log_q = log_q - log_q.logsumexp(1, keepdim=True)
    return log_q.exp()
