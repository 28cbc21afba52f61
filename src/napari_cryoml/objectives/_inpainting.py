"""Paired Cell Inpainting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from napari_cryoml._errors import InputError
from napari_cryoml.objectives._crop_objective import CropBatch, CropObjective
from napari_cryoml.objectives._objective import Loss
from napari_cryoml.objectives._precision import at_least_single
from napari_cryoml.objectives._share import whole_mean

if TYPE_CHECKING:
    from napari_cryoml.models import Classifier
    from napari_cryoml.objectives._inpainting_config import Inpainting


class InpaintingObjective(CropObjective):
    """Mean squared error of a cell's protein, drawn from its markers and another cell.

    ::

        mean_{i, x} (p_target(x) - drawn(source, markers of target)(x))²

    The first view of a batch is the source, the second the target: another cell of the same
    protein. The source's position, shape and neighbours do not help to draw the target's protein;
    where in a cell the protein lies does. Without markers only what cells have in common is drawn.

    Parameters
    ----------
    network : Classifier
        Encodes the source. After `paired_inpainting`, the rest of the published encoder follows;
        of any other network the feature map is taken as it is.
    config : Inpainting
        The options.

    Raises
    ------
    InputError
        If the crops have no channel of the number asked for.

    References
    ----------
    Lu et al. 2019, PLoS Computational Biology 15:e1007348, equation 1.
    """

    n_views = 2

    def __init__(self, network: Classifier, config: Inpainting) -> None:
        from napari_cryoml.models import InpaintingDecoder

        super().__init__(network)
        self.config = config
        if config.protein >= network.n_channels:
            raise InputError(
                f"Channel {config.protein} was to be drawn, but the crops have "
                f"{network.n_channels}, numbered from 0: name another (objective_options.protein)."
            )
        self.rest, channels, width = _rest_of(network, config)
        self.decoder = InpaintingDecoder(channels, network.n_channels - 1, network.shape, width)

    def forward(self, batch: CropBatch) -> Loss:
        """Return the loss of a batch."""
        source, target = batch.views
        drawn = at_least_single(self._drawn(source, target))
        error = whole_mean((drawn - self._protein(target)).square().mean(), len(target))
        return Loss(error, {"inpainting": error.detach()})

    def reconstruct(self, crops: Tensor) -> Tensor:
        """Return crops (b, C, *shape) with the protein drawn from the very cell."""
        drawn, at = self._drawn(crops, crops).to(crops.dtype), self.config.protein
        return torch.cat([crops[:, :at], drawn, crops[:, at + 1 :]], dim=1)

    def _drawn(self, source: Tensor, target: Tensor) -> Tensor:
        at = self.config.protein
        markers = torch.cat([target[:, :at], target[:, at + 1 :]], dim=1)
        image: Tensor = self.decoder(self.rest(self.network.feature_map(source)), markers)
        return image

    def _protein(self, crops: Tensor) -> Tensor:
        return crops[:, self.config.protein : self.config.protein + 1]


def _rest_of(network: Classifier, config: Inpainting) -> tuple[nn.Module, int, float]:
    """Return what follows the feature map, its channels, and the width of the decoder."""
    from napari_cryoml.models import InpaintingEncoder

    if not isinstance(network, InpaintingEncoder):
        return nn.Identity(), network.map_shape[0], config.width
    return network.further_layers(), network.encoded_channels, network.width
