from ._config import AugmentationConfig, TrainingConfig
from ._device import choose_device, describe_device
from ._events import TrainingEvent
from ._fit import fit
from ._labels import IGNORED, LabelledImage, paint_labels
from ._sampling import DenseCrops, DetectionBatch, PatchSampler, Sampler
from ._state import TrainingState

__all__ = [
    "IGNORED",
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
