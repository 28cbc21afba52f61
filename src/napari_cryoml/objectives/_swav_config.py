"""swav: two variations of a crop fall into the same of many small clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from napari_cryoml.objectives._contrast_config import ContrastConfig
from napari_cryoml.objectives._crop_objective_config import crop_objectives

if TYPE_CHECKING:
    from napari_cryoml.models import Classifier
    from napari_cryoml.objectives._swav import SwAVObjective


@crop_objectives.register("swav")
class SwAV(ContrastConfig):
    """Predict the cluster of one variation of a crop from the other (Caron et al. 2020)."""

    prototypes: Annotated[int, Field(ge=2)] | Literal["auto"] = Field(
        "auto",
        description="Centres of clusters, learnt with the network; auto takes 10 a class, and 100 "
        "if there are no classes. The paper has 3,000 for 1,000 classes.",
    )
    temperature: float = Field(
        0.1, gt=0, description="By which similarities, -1 to 1, are divided; 0.1 in the paper."
    )
    epsilon: float = Field(
        0.05,
        gt=0,
        description="How soft the assignment of crops to prototypes is; 0.05 in the paper.",
    )
    iterations: int = Field(
        3,
        ge=1,
        description="Rounds of Sinkhorn and Knopp's scaling, which spreads crops evenly over the "
        "prototypes; 3 in the paper.",
    )
    frozen_epochs: int = Field(
        1, ge=0, description="Epochs in which the prototypes stay as they are; 1 in the paper."
    )
    queue: int = Field(
        0,
        ge=0,
        description="Earlier crops that are spread over the prototypes beside those of the batch, "
        "which helps where a batch is smaller than their number; 0 for none. The paper takes "
        "3,840 with batches of 256.",
    )
    queue_from: int = Field(
        15, ge=0, description="Epoch from which on earlier crops are kept; 15 in the paper."
    )

    def build(self, network: Classifier) -> SwAVObjective:
        """Return the objective, with new prototypes, around a network."""
        from napari_cryoml.objectives._swav import SwAVObjective

        return SwAVObjective(network, self)

    def n_prototypes(self, n_classes: int) -> int:
        """Return the number of prototypes for a number of classes; one class is none."""
        if self.prototypes != "auto":
            return self.prototypes
        return 10 * n_classes if n_classes > 1 else 100
