"""One loop for all objectives, the samplers that feed it, and where it runs.

Importing the Configs needs no torch; the rest is imported from here on first use.
"""

from typing import TYPE_CHECKING, Any

from napari_cryoml.training._config import AugmentationConfig, TrainingConfig
from napari_cryoml.training._labels import IGNORED, UNLABELLED, LabelledImage, paint_labels

if TYPE_CHECKING:
    from napari_cryoml.training._device import choose_device, describe_device
    from napari_cryoml.training._fit import TrainingEvent, fit
    from napari_cryoml.training._sampling import DenseCrops, DetectionBatch, PatchSampler, Sampler
    from napari_cryoml.training._state import TrainingState

_LAZY = {
    "DenseCrops": "_sampling",
    "DetectionBatch": "_sampling",
    "PatchSampler": "_sampling",
    "Sampler": "_sampling",
    "TrainingEvent": "_fit",
    "TrainingState": "_state",
    "choose_device": "_device",
    "describe_device": "_device",
    "fit": "_fit",
}

__all__ = [
    "IGNORED",
    "UNLABELLED",
    "AugmentationConfig",
    "DenseCrops",
    "DetectionBatch",
    "LabelledImage",
    "PatchSampler",
    "Sampler",
    "TrainingConfig",
    "TrainingEvent",
    "TrainingState",
    "choose_device",
    "describe_device",
    "fit",
    "paint_labels",
]


def __getattr__(name: str) -> Any:
    """Import what needs torch when it is first asked for (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
