"""contrastive: our own system of a network."""

from __future__ import annotations

from typing import Literal

from napari_cryoml.classification._network_system import NetworkSystem, PretrainingConfig
from napari_cryoml.classification._published_systems import again
from napari_cryoml.classification._system import systems
from napari_cryoml.training import CropAugmentationConfig, CropTrainingConfig, OptimizerConfig

_FULL = CropAugmentationConfig(kind="full")


@systems.register("contrastive")
class ContrastiveSystem(NetworkSystem):
    """A quick network that tells crops apart in all orientations, then learns from labels.

    Turned in all directions, with the missing wedge cut out again, a crop is to be told from the
    others of its batch (Chen et al. 2020). Then all layers learn from labels, on crops that are
    varied the same way.
    """

    network: str = again("network", "compact")
    keep: Literal["last", "accuracy", "loss"] = again("keep", "last")
    least_steps: int = again("least_steps", 400)
    pretraining: PretrainingConfig = PretrainingConfig(
        objective="simclr",
        least_steps=500,
        training=CropTrainingConfig(
            epochs=30,
            batch=64,
            optimizer=OptimizerConfig(
                learning_rate=1e-3, weight_decay=1e-2, schedule="cosine", warm_up=50
            ),
            validation_share=0,
            augmentation=_FULL,
        ),
    )
    training: CropTrainingConfig = CropTrainingConfig(
        epochs=30,
        batch=32,
        optimizer=OptimizerConfig(
            learning_rate=1e-3, weight_decay=1e-2, schedule="cosine", warm_up=20
        ),
        validation_share=0,
        balanced=True,
        augmentation=_FULL,
    )
