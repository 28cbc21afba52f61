"""The joint loss of the autoencoding classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from napari_cryoml.objectives._class_loss import ClassLoss
from napari_cryoml.objectives._crop_objective import CropBatch, CropObjective
from napari_cryoml.objectives._objective import Loss
from napari_cryoml.objectives._precision import at_least_single
from napari_cryoml.objectives._share import whole, whole_mean

if TYPE_CHECKING:
    from napari_cryoml.models import Classifier
    from napari_cryoml.objectives._autoencoding_config import Autoencoding


class AutoencodingObjective(CropObjective):
    """Squared error of all reconstructions plus cross entropy of the labelled crops.

    ::

        α mean_i mean_x (X_i(x) - X̂_i(x))² + β mean_{labelled} CE + λ mean_i sum_j |code_ij|

    The decoder draws X̂ from the network's feature map by way of a short code; the classes come
    from the feature map too, past the code. The cross entropy is averaged over the labelled
    crops of the batch, so that β means the same whatever share of them has labels; they all
    pass through the classifying layers, which gives batch norm the statistics of all.

    Parameters
    ----------
    network : Classifier
    config : Autoencoding
        The options; λ is `activity`.

    References
    ----------
    Liu et al. 2019, BMVC, section 3.3, equations 1 to 3 and algorithm 1.
    """

    def __init__(self, network: Classifier, config: Autoencoding) -> None:
        from napari_cryoml.models import CropDecoder

        super().__init__(network)
        self.config = config
        self.class_loss = ClassLoss(network.n_classes, config)
        self.decoder = CropDecoder(
            network.map_shape, network.shape, code=config.code, n_channels=network.n_channels
        )

    def forward(self, batch: CropBatch) -> Loss:
        """Return the loss of a batch."""
        crops, config = batch.views[0], self.config
        feature_map = self.network.feature_map(crops)
        drawn, code = self.decoder(feature_map)
        error = whole_mean((at_least_single(drawn) - crops).square().mean(), len(crops))
        activity = whole_mean(at_least_single(code).abs().sum(1).mean(), len(crops))
        total = config.alpha * error + config.activity * activity
        terms = {"reconstruction": error.detach(), "activity": activity.detach()}
        if config.beta:
            classes = self._class_error(feature_map, batch.labels)
            total = total + config.beta * classes
            terms["classes"] = classes.detach()
        return Loss(total, terms)

    def _class_error(self, feature_map: Tensor, labels: Tensor) -> Tensor:
        scores = self.network.head(self.network.vectors(feature_map))
        error: Tensor = self.class_loss(whole(at_least_single(scores)), whole(labels))
        return error

    def reconstruct(self, crops: Tensor) -> Tensor:
        """Return crops (b, C, *shape) as the decoder draws them."""
        drawn: Tensor = self.decoder(self.network.feature_map(crops))[0]
        return drawn
