"""self_training: the labels, and the network's own surest answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from napari_cryoml.objectives._class_loss_config import ClassLossConfig
from napari_cryoml.objectives._crop_objective_config import crop_objectives

if TYPE_CHECKING:
    from napari_cryoml.models import Classifier
    from napari_cryoml.objectives._self_training import SelfTrainingObjective


@crop_objectives.register("self_training")
class SelfTraining(ClassLossConfig):
    """Learn from labelled crops, and from those that the network itself is sure of."""

    draws_unlabelled: ClassVar[bool] = False

    threshold: float = Field(
        0.95,
        gt=0,
        le=1,
        description="Probability from which on an answer counts as a label. Liu et al. 2019 took "
        "0.95 for simulated crops and 0.6 for real ones.",
    )
    warm_up: int = Field(
        1, ge=0, description="Epochs with the labels alone, before the network's answers join."
    )
    per_class: int | None = Field(
        None,
        ge=1,
        description="At most this many answers of each class join, the surest first; none for "
        "all above the threshold, as in the paper.",
    )

    def build(self, network: Classifier) -> SelfTrainingObjective:
        """Return the objective around a network."""
        from napari_cryoml.objectives._self_training import SelfTrainingObjective

        return SelfTrainingObjective(network, self)
