"""contrastive: our own system of a network."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from napari_cryoml.classification._network_system import NetworkSystem, PretrainingConfig
from napari_cryoml.classification._published_systems import again
from napari_cryoml.classification._system import systems
from napari_cryoml.training import CropAugmentationConfig, CropTrainingConfig, OptimizerConfig

# What turns leave alone need not be learnt: a few variations of each crop, for the wedge, noise
# and shift, are enough, and are described once.
_FULL = CropAugmentationConfig(kind="full", copies=6, shift=0.05, noise=0.3)


@systems.register("contrastive")
class ContrastiveSystem(NetworkSystem):
    """A network that no turn changes tells all crops apart, then learns from labels.

    Turned in all directions, with the missing wedge cut out again, a crop is to be told from the
    others of its batch (Chen et al. 2020). Then all layers learn gently from labels, on crops that
    are varied the same way, and the last one is fitted to labels and to crops without.
    """

    network: str = again("network", "harmonic")
    objective_options: dict[str, Any] = Field(
        default_factory=lambda: {"label_smoothing": 0.1},
        description=NetworkSystem.model_fields["objective_options"].description,
    )
    last_layer: Literal["trained", "fitted"] = again("last_layer", "fitted")
    least_steps: int = again("least_steps", 300)
    pretraining: PretrainingConfig = PretrainingConfig(
        objective="simclr",
        objective_options={"temperature": 0.3},
        least_steps=1500,
        training=CropTrainingConfig(
            epochs=20,
            batch=64,
            optimizer=OptimizerConfig(
                learning_rate=1e-3, weight_decay=1e-2, schedule="cosine", warm_up=50
            ),
            validation_share=0,
            augmentation=_FULL,
        ),
    )
    training: CropTrainingConfig = CropTrainingConfig(
        epochs=20,
        batch=32,
        optimizer=OptimizerConfig(
            learning_rate=3e-4, weight_decay=5e-2, schedule="cosine", warm_up=20
        ),
        validation_share=0,
        balanced=True,
        augmentation=_FULL,
    )
