"""How a classifier of crops is trained."""

from __future__ import annotations

import math

from pydantic import Field

from napari_cryoml._registry import Config
from napari_cryoml.training._crop_augmentation_config import CropAugmentationConfig
from napari_cryoml.training._optimizer_config import OptimizerConfig
from napari_cryoml.training._run_plan import ChosenPrecision, RunPlan


class CropTrainingConfig(Config):
    """Length, batches, optimiser and variations of a training run on crops."""

    epochs: int = Field(20, ge=1, description="How often all crops are drawn.")
    minutes: float | None = Field(
        None, gt=0, description="Stop after this many minutes at the latest; none for no limit."
    )
    batch: int = Field(64, ge=1, description="Crops a step.")
    optimizer: OptimizerConfig = OptimizerConfig()
    validation_share: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="Share of the labelled crops of each class that no step learns from, to tell "
        "good epochs from bad ones.",
    )
    validate_every_epochs: float = Field(
        1.0, gt=0, description="Epochs of training between two validations."
    )
    patience: int = Field(
        10, ge=1, description="Stop after this many validations without a better one."
    )
    precision: ChosenPrecision = Field(
        "auto",
        description="Numbers that layers compute in: auto takes bfloat16 where the device has it, "
        "which is about three times as quick, else float32.",
    )
    balanced: bool = Field(
        False, description="Draw crops of rare classes more often, so that all come equally often."
    )
    labelled_share: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Least share of labelled crops in each batch, where crops without a label are "
        "drawn too; none for as they come.",
    )
    seed: int = Field(0, ge=0, description="Seed of everything random in the run.")
    augmentation: CropAugmentationConfig = CropAugmentationConfig()

    def plan(self, steps_per_epoch: int | None) -> RunPlan:
        """Return the run of these options.

        Parameters
        ----------
        steps_per_epoch : int or None
            Batches that hold all crops; None counts each batch as an epoch.
        """
        steps = steps_per_epoch or 1
        return RunPlan(
            minutes=self.minutes,
            steps=self.epochs * steps,
            validate_seconds=None,
            validate_steps=max(1, math.ceil(self.validate_every_epochs * steps)),
            patience=self.patience,
            optimizer=self.optimizer,
            precision=self.precision,
        )
