"""What the options of the objectives with a cross entropy of crops share."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from napari_cryoml.objectives._crop_objective_config import CropObjectiveConfig


class ClassLossConfig(CropObjectiveConfig):
    """The options of an objective in which labels enter by a cross entropy."""

    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of a label that is spread evenly over all classes (Szegedy et al. "
        "2016).",
    )
    class_weights: Literal["none", "balanced"] = Field(
        "none",
        description="Let every labelled crop count the same, or every class: balanced weighs a "
        "crop by the inverse of how many of its class were seen.",
    )
