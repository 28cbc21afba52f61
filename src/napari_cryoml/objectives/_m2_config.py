"""m2: a generative model in which the class is one of the causes of a crop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from napari_cryoml.objectives._class_loss_config import ClassLossConfig
from napari_cryoml.objectives._crop_objective_config import crop_objectives

if TYPE_CHECKING:
    from napari_cryoml.models import Classifier
    from napari_cryoml.objectives._m2 import M2Objective


@crop_objectives.register("m2")
class M2(ClassLossConfig):
    """Learn how classes and styles make crops, labelled or not (Kingma et al. 2014)."""

    alpha: float = Field(
        0.1,
        ge=0,
        description="Weight of the cross entropy of labelled crops, as a share of the number of "
        "crops; the paper's α is 0.1 N.",
    )
    hidden: int = Field(
        500, ge=1, description="Softplus units between crop, class and style; 500 in the paper."
    )
    latent: int = Field(
        50, ge=1, description="Numbers that say how crops of a class differ; 50 in the paper."
    )

    def build(self, network: Classifier) -> M2Objective:
        """Return the objective, with a new generative model, around a network."""
        from napari_cryoml.objectives._m2 import M2Objective

        return M2Objective(network, self)
