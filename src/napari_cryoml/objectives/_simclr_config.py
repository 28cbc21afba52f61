"""simclr: two variations of a crop find each other in the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from napari_cryoml.objectives._contrast_config import ContrastConfig
from napari_cryoml.objectives._crop_objective_config import crop_objectives

if TYPE_CHECKING:
    from napari_cryoml.models import Classifier
    from napari_cryoml.objectives._simclr import SimCLRObjective


@crop_objectives.register("simclr")
class SimCLR(ContrastConfig):
    """Tell two variations of a crop from the others of the batch (Chen et al. 2020)."""

    temperature: float = Field(
        0.1,
        gt=0,
        description="By which similarities, -1 to 1, are divided; 0.1 in the paper. Lower ones "
        "attend to the most similar crops.",
    )

    def build(self, network: Classifier) -> SimCLRObjective:
        """Return the objective, with a new projection head, around a network."""
        from napari_cryoml.objectives._simclr import SimCLRObjective

        return SimCLRObjective(network, self)
