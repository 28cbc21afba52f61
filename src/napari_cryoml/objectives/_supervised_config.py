"""supervised: the labels alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from napari_cryoml.objectives._class_loss_config import ClassLossConfig
from napari_cryoml.objectives._crop_objective_config import crop_objectives

if TYPE_CHECKING:
    from napari_cryoml.models import Classifier
    from napari_cryoml.objectives._supervised import SupervisedObjective


@crop_objectives.register("supervised")
class Supervised(ClassLossConfig):
    """Learn from labelled crops alone."""

    uses_unlabelled: ClassVar[bool] = False
    draws_unlabelled: ClassVar[bool] = False

    def build(self, network: Classifier) -> SupervisedObjective:
        """Return the objective around a network."""
        from napari_cryoml.objectives._supervised import SupervisedObjective

        return SupervisedObjective(network, self)
