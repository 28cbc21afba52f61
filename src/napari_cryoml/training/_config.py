"""How a network is trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from napari_cryoml._registry import Config
from napari_cryoml.data import MissingWedge
from napari_cryoml.training._optimizer_config import OptimizerConfig
from napari_cryoml.training._run_plan import RunPlan

_FEW_LABELS = 50
_SMALL_FIELD = 32**2  # pixels; patches of a larger field take too long


class AugmentationConfig(Config):
    """How crops are varied from one step to the next; every choice keeps a particle a particle."""

    turns: Literal["right angles", "any", "space"] = Field(
        "right angles",
        description="Turn crops in the image plane by multiples of 90 degrees, which keeps the "
        "noise as it is, or by any angle, which resamples it; or crops of tomograms in all "
        "directions (space), after which their missing wedge is cut out again.",
    )
    lowest_tilt: float = Field(
        -60.0, ge=-90, le=0, description="First tilt of the tomograms in degrees (space)."
    )
    highest_tilt: float = Field(
        60.0, ge=0, le=90, description="Last tilt of the tomograms in degrees (space)."
    )
    tilt_axis: Literal["y", "x"] = Field(
        "y", description="Axis of the tomograms that they were tilted about (space)."
    )
    flips: bool = Field(True, description="Mirror crops along each axis at random.")
    scale: float = Field(
        0.0, ge=0, lt=0.5, description="Magnify crops by up to this share, and shrink them alike."
    )
    contrast: float = Field(
        0.1, ge=0, le=1, description="Spread (log scale) of the random contrast of a crop."
    )
    brightness: float = Field(
        0.1, ge=0, le=2, description="Spread of the random offset of a crop, in noise sigmas."
    )

    @model_validator(mode="after")
    def _check_tilts(self) -> AugmentationConfig:
        if self.lowest_tilt >= self.highest_tilt:
            raise ValueError("lowest_tilt must be smaller than highest_tilt")
        return self

    @property
    def wedge(self) -> MissingWedge:
        """What the tomograms have not seen."""
        return MissingWedge(self.lowest_tilt, self.highest_tilt, self.tilt_axis)


class TrainingConfig(Config):
    """Sampling, length and step size of a training run."""

    sampler: Literal["auto", "dense", "patches"] = Field(
        "auto",
        description="Dense crops score many positions in one pass; patches are the published "
        "sampler: one position each, 16 labelled and 240 unlabelled a step. Auto takes patches "
        "below 50 labels, where they do better, if the network's field is small; else dense crops.",
    )
    minutes: float | None = Field(
        2.0, gt=0, description="Stop after this many minutes; none for no limit of time."
    )
    steps: Annotated[int, Field(gt=0)] | Literal["auto"] | None = Field(
        "auto",
        description="Stop after this many steps; none for no limit of steps. Auto takes 150 and 3 "
        "more a label: further steps learn few labels by heart.",
    )
    crop_size: int = Field(
        128, ge=16, description="Edge of a dense crop in working pixels (at least the field)."
    )
    crops: int = Field(8, ge=1, description="Dense crops a step.")
    labelled_share: float = Field(
        0.6, ge=0, le=1, description="Share of the dense crops of a step that hold a label."
    )
    patches: int = Field(256, ge=2, description="Patches a step of the published sampler.")
    labelled_patches: int = Field(
        16, ge=1, description="How many of the patches of a step are labelled."
    )
    label_radius: float = Field(
        0.3,
        gt=0,
        le=1,
        description="Positions this close to a label count as labelled, as a share of the "
        "particle radius.",
    )
    learning_rate: float = Field(
        1e-3, gt=0, description="Step size of AdamW at the start; it falls linearly to 0."
    )
    weight_decay: float = Field(1e-2, ge=0, description="Weight decay of AdamW.")
    validation_share: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="Share of the labels held out to measure the validation AP; none below 25 "
        "labels.",
    )
    validate_every: float = Field(
        15.0, gt=0, description="Seconds of training between two validations."
    )
    patience: int = Field(
        8, ge=1, description="Stop after this many validations without a better AP."
    )
    seed: int = Field(0, ge=0, description="Seed of everything random in the run.")
    augmentation: AugmentationConfig = AugmentationConfig()

    def for_labels(self, n_labels: int, field_pixels: int) -> TrainingConfig:
        """Return these options with what is "auto" decided.

        Parameters
        ----------
        n_labels : int
            Labelled particles.
        field_pixels : int
            Pixels of the network's receptive field: 961 for 31 x 31.
        """
        steps, sampler = self.steps, self.sampler
        if steps == "auto":
            steps = 150 + 3 * n_labels
        if sampler == "auto":
            few, small = n_labels < _FEW_LABELS, field_pixels <= _SMALL_FIELD
            sampler = "patches" if few and small else "dense"
        return self.model_copy(update={"steps": steps, "sampler": sampler})

    def plan(self, steps_per_epoch: int | None = None) -> RunPlan:
        """Return the run of these options; "auto" steps are no limit."""
        optimizer = OptimizerConfig(
            learning_rate=self.learning_rate, weight_decay=self.weight_decay
        )
        return RunPlan(
            minutes=self.minutes,
            steps=self.steps if isinstance(self.steps, int) else None,
            validate_seconds=self.validate_every,
            validate_steps=None,
            patience=self.patience,
            optimizer=optimizer,
            precision="float16 on CUDA",
        )
