"""autoencoding: labels and reconstructions together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from napari_cryoml.objectives._class_loss_config import ClassLossConfig
from napari_cryoml.objectives._crop_objective_config import crop_objectives

if TYPE_CHECKING:
    from napari_cryoml.models import Classifier
    from napari_cryoml.objectives._autoencoding import AutoencodingObjective


@crop_objectives.register("autoencoding")
class Autoencoding(ClassLossConfig):
    """Learn classes from labelled crops and to reconstruct from all (Liu et al. 2019)."""

    alpha: float = Field(
        1.0, ge=0, description="Weight of the squared error of reconstructions; 1 in the paper."
    )
    beta: float = Field(
        1.0,
        ge=0,
        description="Weight of the cross entropy of labelled crops; 1 in the paper, 0 for an "
        "autoencoder without classes, with which the cascaded training begins.",
    )
    code: int = Field(
        128, ge=1, description="Numbers that a reconstruction is drawn from; 128 in the paper."
    )
    activity: float = Field(
        1e-4,
        ge=0,
        description="Weight of the sum of the code's absolute values, which keeps it sparse; "
        "0.0001 in the authors' code.",
    )

    def build(self, network: Classifier) -> AutoencodingObjective:
        """Return the objective, with a new decoder, around a network."""
        from napari_cryoml.objectives._autoencoding import AutoencodingObjective

        return AutoencodingObjective(network, self)
