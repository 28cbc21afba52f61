"""The systems of the literature, with the settings they were published with."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from napari_cryoml.classification._network_system import (
    Keep,
    NetworkSystem,
    PretrainingConfig,
)
from napari_cryoml.classification._system import systems
from napari_cryoml.training import CropAugmentationConfig, CropTrainingConfig, OptimizerConfig

_XU_2017 = "Xu et al. 2017, Bioinformatics 33:i13"
_CHE_2018 = "Che et al. 2018, Machine Vision and Applications 29:1227"
_LIU_2019 = "Liu et al. 2019, BMVC"
_GUPTA_2022 = "Gupta et al. 2022, Frontiers in Physiology 13:957484"

_AS_IT_IS = CropAugmentationConfig(kind="none")
_PAPER = CropAugmentationConfig(kind="paper")

_DESCENT_2017 = OptimizerConfig(
    kind="sgd",
    learning_rate=0.01,
    momentum=0.9,
    nesterov=True,
    weight_decay=0,
    schedule="inverse_time",
    decay=1e-6,
    warm_up=0,
    largest_gradient=None,
)
_TRAINING_2017 = CropTrainingConfig(
    epochs=20, batch=64, optimizer=_DESCENT_2017, validation_share=0, augmentation=_AS_IT_IS
)

_ADAM_2019 = OptimizerConfig(
    kind="adam",
    learning_rate=1e-4,
    betas=(0.9, 0.99),
    weight_decay=0,
    schedule="constant",
    warm_up=0,
    largest_gradient=None,
)
_TRAINING_2019 = CropTrainingConfig(
    epochs=100,
    batch=64,
    optimizer=_ADAM_2019,
    validation_share=0.1,
    patience=10,
    augmentation=_AS_IT_IS,
)

_ADAM_2022 = OptimizerConfig(
    kind="adam",
    learning_rate=1e-4,
    weight_decay=1e-4,
    schedule="constant",
    warm_up=0,
    largest_gradient=None,
)
_PRETRAINING_2022 = CropTrainingConfig(
    epochs=200, batch=16, optimizer=_ADAM_2022, validation_share=0, augmentation=_PAPER
)
_DESCENT_2022 = OptimizerConfig(
    kind="sgd",
    learning_rate=5e-4,
    momentum=0.9,
    nesterov=False,
    weight_decay=1e-4,
    schedule="cosine",
    warm_up=0,
    largest_gradient=None,
)
_FINE_TUNING_2022 = CropTrainingConfig(
    epochs=50,
    batch=16,
    optimizer=_DESCENT_2022,
    validation_share=0.2,
    patience=50,
    augmentation=_AS_IT_IS,
)


def again(name: str, default: Any) -> Any:
    """Return an option of all systems of networks with another default."""
    return Field(default, description=NetworkSystem.model_fields[name].description)


@systems.register("inception3d")
class Inception3DSystem(NetworkSystem):
    """Inception3D, trained with labels: filters of several widths side by side."""

    published: ClassVar[str] = _XU_2017

    network: str = again("network", "inception3d")
    training: CropTrainingConfig = _TRAINING_2017


@systems.register("dsrf3d")
class DSRF3DSystem(NetworkSystem):
    """DSRF3D, trained with labels: small filters, two by two."""

    published: ClassVar[str] = _XU_2017

    network: str = again("network", "dsrf3d")
    training: CropTrainingConfig = _TRAINING_2017


@systems.register("dsrf3d_v2")
class DSRF3Dv2System(NetworkSystem):
    """DSRF3D-v2, deeper; trained as DSRF3D was, for its own settings are not told."""

    published: ClassVar[str] = _CHE_2018

    network: str = again("network", "dsrf3d_v2")
    training: CropTrainingConfig = _TRAINING_2017


@systems.register("rb3d")
class RB3DSystem(NetworkSystem):
    """RB3D from random weights: what the self-supervised systems are compared with."""

    published: ClassVar[str] = _GUPTA_2022

    network: str = again("network", "rb3d")
    keep: Keep = again("keep", "accuracy")
    training: CropTrainingConfig = _FINE_TUNING_2022


@systems.register("cb3d")
class CB3DSystem(NetworkSystem):
    """CB3D, the largest; trained as DSRF3D was, for its own settings are not told."""

    published: ClassVar[str] = _CHE_2018

    network: str = again("network", "cb3d")
    training: CropTrainingConfig = _TRAINING_2017


class _SelfSupervised2022(NetworkSystem):
    """RB3D that is pretrained on all crops and fine-tuned with labels."""

    published: ClassVar[str] = _GUPTA_2022

    network: str = again("network", "rb3d")
    keep: Keep = again("keep", "accuracy")
    training: CropTrainingConfig = _FINE_TUNING_2022


@systems.register("moco")
class MoCoSystem(_SelfSupervised2022):
    """RB3D pretrained by momentum contrast, then fine-tuned with labels."""

    pretraining: PretrainingConfig = PretrainingConfig(objective="moco", training=_PRETRAINING_2022)


@systems.register("simclr")
class SimCLRSystem(_SelfSupervised2022):
    """RB3D pretrained to tell crops apart, then fine-tuned with labels."""

    # As the paper it cites (Chen et al. 2020): large batches, LARS, a cosine, a rate of
    # 0.3 x batch / 256. The paper on subtomograms tells of MoCo's settings alone.
    pretraining: PretrainingConfig = PretrainingConfig(
        objective="simclr",
        training=CropTrainingConfig(
            epochs=200,
            batch=64,
            optimizer=OptimizerConfig(
                kind="lars", learning_rate=0.075, weight_decay=1e-6, schedule="cosine", warm_up=100
            ),
            validation_share=0,
            augmentation=_PAPER,
        ),
    )


@systems.register("swav")
class SwAVSystem(_SelfSupervised2022):
    """RB3D pretrained to predict clusters of crops, then fine-tuned with labels."""

    # As Caron et al. 2020, for small batches: LARS, a cosine, a rate of 0.6 x batch / 256.
    pretraining: PretrainingConfig = PretrainingConfig(
        objective="swav",
        training=CropTrainingConfig(
            epochs=200,
            batch=64,
            optimizer=OptimizerConfig(
                kind="lars", learning_rate=0.15, weight_decay=1e-6, schedule="cosine", warm_up=100
            ),
            validation_share=0,
            augmentation=_PAPER,
        ),
    )


class _Autoencoder2019(NetworkSystem):
    """The network of the autoencoding classifier and its baselines."""

    published: ClassVar[str] = _LIU_2019

    network: str = again("network", "autoencoder")
    keep: Keep = again("keep", "loss")
    training: CropTrainingConfig = _TRAINING_2019


@systems.register("autoencoding")
class AutoencodingSystem(_Autoencoder2019):
    """Classes from labels and reconstructions of all crops, learnt together."""

    objective: str = again("objective", "autoencoding")


@systems.register("supervised3d")
class Supervised3DSystem(_Autoencoder2019):
    """The classifier of the autoencoding system alone, trained with labels."""


@systems.register("self_training")
class SelfTrainingSystem(_Autoencoder2019):
    """That classifier, which takes its own sure answers for further labels."""

    objective: str = again("objective", "self_training")


@systems.register("cascade")
class CascadeSystem(_Autoencoder2019):
    """That classifier, after its encoder has learnt to reconstruct all crops."""

    pretraining: PretrainingConfig = PretrainingConfig(
        objective="autoencoding",
        objective_options={"beta": 0.0},
        training=_TRAINING_2019.model_copy(update={"validation_share": 0.0}),
    )


@systems.register("m2")
class M2System(NetworkSystem):
    """A generative model with the class as one cause of a crop."""

    published: ClassVar[str] = "Kingma et al. 2014, arXiv:1406.5298; compared in " + _LIU_2019

    network: str = again("network", "flat")
    objective: str = again("objective", "m2")
    keep: Keep = again("keep", "accuracy")
    training: CropTrainingConfig = _TRAINING_2019.model_copy(
        update={"optimizer": _ADAM_2019.model_copy(update={"learning_rate": 3e-4})}
    )
