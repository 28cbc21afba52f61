"""The systems that learn where proteins are in cells, or which protein it is, as published."""

from __future__ import annotations

from typing import Any, ClassVar

from napari_cryoml.classification._network_system import Keep, NetworkSystem
from napari_cryoml.classification._published_systems import again
from napari_cryoml.classification._system import systems
from napari_cryoml.training import (
    CropAugmentationConfig,
    CropTrainingConfig,
    Normalisation,
    OptimizerConfig,
)

_TENTH_OF_ALL = 1 / 9  # of what is left once a tenth is held out

_ADAM = OptimizerConfig(
    kind="adam",
    learning_rate=3e-4,
    weight_decay=0,
    schedule="constant",
    warm_up=0,
    largest_gradient=None,
)
_TRAINING_2022 = CropTrainingConfig(
    epochs=30,
    batch=128,
    optimizer=_ADAM,
    validation_share=_TENTH_OF_ALL,
    patience=10,
    augmentation=CropAugmentationConfig(kind="cells", shift=0),
)


@systems.register("deeploc")
class DeepLocSystem(NetworkSystem):
    """DeepLoc without padding, trained with localisations, for vectors of proteins.

    Of five learning rates that are tried for a few epochs each the best is taken; then three runs
    of 30 epochs are made from different first weights. The epoch of least loss on a tenth of the
    cells is kept, and another tenth is held out.
    """

    published: ClassVar[str] = "Razdaibiedina and Brechalov 2022, MLDD workshop at ICLR"

    network: str = again("network", "deeploc")
    keep: Keep = again("keep", "loss")
    held_out_share: float = again("held_out_share", 0.1)
    learning_rates: tuple[float, ...] = again("learning_rates", (1e-3, 6e-4, 3e-4, 1e-4, 5e-5))
    trial_epochs: int | None = again("trial_epochs", 3)
    seeds: int = again("seeds", 3)
    training: CropTrainingConfig = _TRAINING_2022


@systems.register("deeploc_2017")
class DeepLoc2017System(NetworkSystem):
    """The first DeepLoc, trained with localisations: padded, with batch norm everywhere.

    10,000 steps at a rate that falls by 4 % every 25 steps, on crops that are clipped to
    percentiles, mirrored, turned by right angles and shifted by up to 2 of 64 pixels.
    """

    published: ClassVar[str] = "Kraus et al. 2017, Molecular Systems Biology 13:924"

    network: str = again("network", "deeploc_2017")
    network_options: dict[str, Any] = again("network_options", {"norm_momentum": 0.5})
    normalisation: Normalisation = again("normalisation", "percentile")
    keep: Keep = again("keep", "loss")
    least_steps: int = again("least_steps", 10_000)
    held_out_share: float = again("held_out_share", 0.1)
    training: CropTrainingConfig = CropTrainingConfig(
        epochs=1,
        batch=128,
        optimizer=_ADAM.model_copy(update={"learning_rate": 0.1, "schedule": "staircase"}),
        validation_share=_TENTH_OF_ALL,
        patience=1000,
        augmentation=CropAugmentationConfig(kind="cells", shift=2 / 64),
    )


@systems.register("pifia")
class PIFiASystem(NetworkSystem):
    """Which protein a cell shows: DeepLoc with vectors of 64, which needs no localisations.

    The epoch is kept whose vectors score best where a functional score is watched, and that of
    least loss otherwise.
    """

    published: ClassVar[str] = "PIFiA: Razdaibiedina et al. 2024, Molecular Systems Biology 20:521"
    label_column: ClassVar[str] = "protein"

    network: str = again("network", "deeploc")
    network_options: dict[str, Any] = again(
        "network_options", {"hidden": 128, "latent": 64, "dropout": 0.02}
    )
    keep: Keep = again("keep", "watched")
    held_out_share: float = again("held_out_share", 0.1)
    training: CropTrainingConfig = _TRAINING_2022.model_copy(
        update={"optimizer": _ADAM.model_copy(update={"schedule": "cosine"})}
    )
