"""inpainting: draw the protein of a cell from another cell of that protein."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from napari_cryoml.objectives._crop_objective_config import CropObjectiveConfig, crop_objectives

if TYPE_CHECKING:
    from napari_cryoml.models import Classifier
    from napari_cryoml.objectives._inpainting import InpaintingObjective


@crop_objectives.register("inpainting")
class Inpainting(CropObjectiveConfig):
    """Draw a cell's protein from its markers and another cell of the protein (Lu et al. 2019)."""

    uses_labels: ClassVar[bool] = False

    protein: int = Field(
        0, ge=0, description="Number of the channel that is drawn, from 0; the others are markers."
    )
    same: tuple[str, ...] = Field(
        ("protein", "plate", "image"),
        min_length=1,
        description="Columns in which a cell and the cell that shows its protein agree: the first "
        "always, the others where they are known and such a cell is there.",
    )
    width: float = Field(
        1.0,
        gt=0,
        le=4,
        description="Channels of the decoder as a multiple of those published; that of the "
        "network where this is paired_inpainting.",
    )

    @property
    def paired_by(self) -> tuple[str, ...]:
        """Columns in which the crops that a batch shows together agree."""
        return self.same

    def build(self, network: Classifier) -> InpaintingObjective:
        """Return the objective, with a new decoder, around a network.

        Raises
        ------
        InputError
            If the crops have no channel of that number.
        """
        from napari_cryoml.objectives._inpainting import InpaintingObjective

        return InpaintingObjective(network, self)
