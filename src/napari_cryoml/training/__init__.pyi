from ._config import AugmentationConfig, TrainingConfig
from ._crop_augmentation import augment_crops
from ._crop_augmentation_config import CropAugmentationConfig
from ._crop_config import CropTrainingConfig
from ._crop_normalisation import Normalisation, normalised, standardised
from ._crop_pairs import CropPairs
from ._crop_sampler import CropSampler
from ._crop_store import CropStore
from ._device import choose_device, describe_device
from ._events import TrainingEvent
from ._fit import Measured, fit
from ._labels import IGNORED, LabelledImage, paint_labels
from ._optimizer_config import OptimizerConfig
from ._precision import autocast, autocast_dtype, lay_out
from ._run_plan import ChosenPrecision
from ._sampling import DenseCrops, DetectionBatch, PatchSampler, Sampler
from ._state import TrainingState

__all__ = [
    "IGNORED",
    "AugmentationConfig",
    "ChosenPrecision",
    "CropAugmentationConfig",
    "CropPairs",
    "CropSampler",
    "CropStore",
    "CropTrainingConfig",
    "DenseCrops",
    "DetectionBatch",
    "LabelledImage",
    "Measured",
    "Normalisation",
    "OptimizerConfig",
    "PatchSampler",
    "Sampler",
    "TrainingConfig",
    "TrainingEvent",
    "TrainingState",
    "augment_crops",
    "autocast",
    "autocast_dtype",
    "choose_device",
    "describe_device",
    "fit",
    "lay_out",
    "normalised",
    "paint_labels",
    "standardised",
]
