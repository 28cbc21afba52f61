"""The cross entropy of a network's classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from napari_cryoml.objectives._class_loss import ClassLoss
from napari_cryoml.objectives._crop_objective import CropBatch, CropObjective
from napari_cryoml.objectives._objective import Loss
from napari_cryoml.objectives._precision import at_least_single
from napari_cryoml.objectives._share import whole

if TYPE_CHECKING:
    from napari_cryoml.models import Classifier
    from napari_cryoml.objectives._class_loss_config import ClassLossConfig


class SupervisedObjective(CropObjective):
    """Cross entropy of the labelled crops; the others do not even pass through the network.

    Parameters
    ----------
    network : Classifier
    config : ClassLossConfig
        The options.

    References
    ----------
    Xu et al. 2017, Bioinformatics 33:i13, section 2.3; the baseline of Liu et al. 2019,
    BMVC, section 4.2.
    """

    def __init__(self, network: Classifier, config: ClassLossConfig) -> None:
        super().__init__(network)
        self.config = config
        self.class_loss = ClassLoss(network.n_classes, config)

    def forward(self, batch: CropBatch) -> Loss:
        """Return the loss of a batch; 0, with a gradient, if none of it has a label."""
        known = batch.labels >= 0
        scores = at_least_single(self._scores(batch.views[0][known]))
        total = self.class_loss(whole(scores), whole(batch.labels[known]))
        return Loss(total, {"classes": total.detach()})

    def described(self, crops: Tensor) -> Tensor:
        """Return what the network makes of crops without its weights."""
        return self.network.described(crops)

    def _scores(self, crops: Tensor) -> Tensor:
        if not len(crops):  # not every layer takes an empty batch
            return self.network.head.weight.sum() * crops.new_zeros(0, self.network.n_classes)
        scores: Tensor = self.network(crops)
        return scores
