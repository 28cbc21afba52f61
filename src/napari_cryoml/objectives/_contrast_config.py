"""What the options of the objectives that compare two variations of each crop share."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from napari_cryoml.objectives._crop_objective_config import CropObjectiveConfig


class ContrastConfig(CropObjectiveConfig):
    """The options of a self-supervised objective."""

    uses_labels: ClassVar[bool] = False

    projection: int = Field(
        128,
        ge=2,
        description="Length of the unit vectors that are compared; 128 in the papers. They are "
        "made from the network's own vectors for the training alone.",
    )
    hidden: int = Field(
        256, ge=1, description="Units of the hidden layer between the two, where there is one."
    )
