"""paired_inpainting: cells drawn from each other, as published."""

from __future__ import annotations

from typing import ClassVar

from napari_cryoml.classification._network_system import NetworkSystem, PretrainingConfig
from napari_cryoml.classification._published_systems import again
from napari_cryoml.classification._system import systems
from napari_cryoml.training import (
    CropAugmentationConfig,
    CropTrainingConfig,
    Normalisation,
    OptimizerConfig,
)

_MIRRORED = CropAugmentationConfig(kind="cells", turns="none", shift=0.0)
_ADAM = OptimizerConfig(
    kind="adam",
    learning_rate=1e-4,
    betas=(0.5, 0.999),
    weight_decay=0,
    schedule="constant",
    warm_up=0,
    largest_gradient=None,
)


@systems.register("paired_inpainting")
class PairedInpaintingSystem(NetworkSystem):
    """A network that learns to draw a protein from another cell of it, without labels.

    That first stage is the published one: each channel of a crop from 0 to 1, source and target
    mirrored each by itself. The second, a head for labelled classes, is ours.
    """

    published: ClassVar[str] = "Lu et al. 2019, PLoS Computational Biology 15:e1007348"

    network: str = again("network", "paired_inpainting")
    normalisation: Normalisation = again("normalisation", "min_max")
    pretraining: PretrainingConfig = PretrainingConfig(
        objective="inpainting",
        training=CropTrainingConfig(
            epochs=30, batch=64, optimizer=_ADAM, validation_share=0, augmentation=_MIRRORED
        ),
    )
    training: CropTrainingConfig = CropTrainingConfig(
        epochs=30,
        batch=64,
        optimizer=OptimizerConfig(learning_rate=3e-4, schedule="cosine"),
        validation_share=0,
        augmentation=_MIRRORED,
    )
