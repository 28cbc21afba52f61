"""NT-Xent, the loss of SimCLR."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from napari_cryoml.objectives._contrast import ContrastObjective, ProjectionHead, projected
from napari_cryoml.objectives._crop_objective import CropBatch
from napari_cryoml.objectives._objective import Loss
from napari_cryoml.objectives._precision import full_precision
from napari_cryoml.objectives._share import whole

if TYPE_CHECKING:
    from napari_cryoml.models import Classifier
    from napari_cryoml.objectives._simclr_config import SimCLR


class SimCLRObjective(ContrastObjective):
    """The normalised cross entropy between two variations of each crop of a batch.

    Parameters
    ----------
    network : Classifier
    config : SimCLR
        The options.

    References
    ----------
    Chen et al. 2020, arXiv:2002.05709, equation 1 and algorithm 1.
    """

    def __init__(self, network: Classifier, config: SimCLR) -> None:
        super().__init__(network)
        self.config = config
        self.head = ProjectionHead(network.latent, config.hidden, config.projection)

    def forward(self, batch: CropBatch) -> Loss:
        """Return the loss of a batch; that of a single crop is 0."""
        vectors = projected(self.network, self.head, torch.cat(batch.views))
        one, other = (whole(view) for view in vectors.chunk(2))
        total = nt_xent(one, other, self.config.temperature)
        return Loss(total, {"contrast": total.detach()})


def nt_xent(one: Tensor, other: Tensor, temperature: float) -> Tensor:
    """Return the mean over all 2b vectors i, whose partner is j, of the cross entropy.

    ::

        -log( exp(z_i·z_j / τ) / sum_{k != i} exp(z_i·z_k / τ) )

    Parameters
    ----------
    one, other : tensors of shape (b, d)
        Unit vectors; row i of both comes from the same crop.
    temperature : float
        τ.

    Returns
    -------
    tensor, a scalar
        In nats; 0 (with a gradient) if b is 1, as there is nobody to be told from.
    """
    b = len(one)
    with full_precision(one.device):
        both = torch.cat([one, other])
        similarity = both @ both.T / temperature
        itself = torch.eye(2 * b, dtype=torch.bool, device=one.device)
        partner = torch.arange(2 * b, device=one.device).roll(b)
        return cross_entropy(similarity.masked_fill(itself, -torch.inf), partner)
