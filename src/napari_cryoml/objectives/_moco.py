"""Momentum contrast."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from napari_cryoml.objectives._contrast import ContrastObjective, ProjectionHead, projected
from napari_cryoml.objectives._crop_objective import CropBatch
from napari_cryoml.objectives._objective import Loss
from napari_cryoml.objectives._precision import full_precision
from napari_cryoml.objectives._share import whole

if TYPE_CHECKING:
    from napari_cryoml.models import Classifier
    from napari_cryoml.objectives._moco_config import MoCo


class MoCoObjective(ContrastObjective):
    """Tells the slow copy's view of a crop (its key) from the keys of earlier crops.

    At the start of each training step the slow copy follows, ``θ_k <- m θ_k + (1 - m) θ_q``, θ_q
    being the weights that are trained. At its end the oldest keys of the queue make room for those
    of the batch. The queue begins with random unit vectors. Neither happens in evaluation.

    Parameters
    ----------
    network : Classifier
    config : MoCo
        The options.

    Notes
    -----
    The text of Gupta et al. 2022 says that the query's weights follow the key's; the formula there,
    and He et al. 2020, have it the other way round. Their shuffling of batches between devices
    is for batch norm over several of them, and has no place here.

    References
    ----------
    He et al. 2020, arXiv:1911.05722, equations 1 and 2 and algorithm 1; Gupta et al. 2022,
    Front. Physiol. 13:957484, section 3.1.
    """

    queue: Tensor
    oldest: Tensor

    def __init__(self, network: Classifier, config: MoCo) -> None:
        super().__init__(network)
        self.config = config
        self.head = _head(network.latent, config)
        self.key_network = deepcopy(network).requires_grad_(False)
        self.key_head = deepcopy(self.head).requires_grad_(False)
        keys = normalize(torch.randn(config.queue, config.projection), dim=1)
        self.register_buffer("queue", keys)
        self.register_buffer("oldest", torch.zeros((), dtype=torch.int64))

    def forward(self, batch: CropBatch) -> Loss:
        """Return the loss of a batch; view 0 makes the queries, view 1 the keys."""
        queries = whole(projected(self.network, self.head, batch.views[0]))
        with torch.no_grad():
            if self.training:
                self._follow()
            keys = whole(projected(self.key_network, self.key_head, batch.views[1]))
        total = info_nce(queries, keys, self.queue.clone(), self.config.temperature)
        if self.training:
            self._enqueue(keys)
        return Loss(total, {"contrast": total.detach()})

    def _follow(self) -> None:
        pairs = ((self.key_network, self.network), (self.key_head, self.head))
        for slow, fast in pairs:
            for key, query in zip(slow.parameters(), fast.parameters(), strict=True):
                key.lerp_(query, 1 - self.config.momentum)

    def _enqueue(self, keys: Tensor) -> None:
        size = len(self.queue)
        newest = keys[-size:]
        places = (self.oldest + torch.arange(len(newest), device=keys.device)) % size
        self.queue[places] = newest.to(self.queue.dtype)
        self.oldest.copy_((self.oldest + len(newest)) % size)


def _head(latent: int, config: MoCo) -> nn.Module:
    if config.mlp_head:
        return ProjectionHead(latent, config.hidden, config.projection)
    return nn.Linear(latent, config.projection)


def info_nce(queries: Tensor, keys: Tensor, others: Tensor, temperature: float) -> Tensor:
    """Return the mean over queries of the cross entropy.

    ::

        -log( exp(q·k / τ) / (exp(q·k / τ) + sum_i exp(q·k_i / τ)) )

    Parameters
    ----------
    queries, keys : tensors of shape (b, d)
        Unit vectors; row i of both comes from the same crop.
    others : tensor of shape (k, d)
        Unit vectors of other crops, k_i.
    temperature : float
        τ.

    Returns
    -------
    tensor, a scalar
        In nats.
    """
    with full_precision(queries.device):
        own = (queries * keys).sum(1, keepdim=True)
        scores = torch.cat([own, queries @ others.to(queries.dtype).T], dim=1) / temperature
        return cross_entropy(scores, scores.new_zeros(len(scores), dtype=torch.int64))
