"""What objectives that compare variations of crops share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn.functional import normalize

from napari_cryoml.objectives._crop_objective import CropObjective
from napari_cryoml.objectives._precision import at_least_single

if TYPE_CHECKING:
    from napari_cryoml.models import Classifier


class ProjectionHead(nn.Sequential):
    """A dense layer, ReLU and a dense layer, thrown away after pretraining.

    Parameters
    ----------
    n_in, hidden, n_out : int

    References
    ----------
    Chen et al. 2020, arXiv:2002.05709, section 2.1: z = W2 ReLU(W1 h).
    """

    def __init__(self, n_in: int, hidden: int, n_out: int) -> None:
        super().__init__(nn.Linear(n_in, hidden), nn.ReLU(), nn.Linear(hidden, n_out))


class ContrastObjective(CropObjective):
    """An objective that wants two variations of each crop, and no labels."""

    n_views = 2

    def described(self, crops: Tensor) -> Tensor:
        """Return what the network makes of crops without its weights."""
        return self.network.described(crops)


def projected(network: Classifier, head: nn.Module, crops: Tensor) -> Tensor:
    """Return the unit vectors of crops (b, 1, *shape) that are compared.

    Parameters
    ----------
    network : Classifier
        Its vectors are taken, before the layer to the classes.
    head : nn.Module
        From the network's vectors to (b, projection).
    crops : tensor of shape (b, 1, *shape)

    Returns
    -------
    tensor of shape (b, projection)
        Of length 1, float32 or better.
    """
    vectors = network.vectors(network.feature_map(crops))
    return normalize(at_least_single(head(vectors)), dim=1)
