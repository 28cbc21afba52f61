from ._config import AugmentationConfig, TrainingConfig
from ._crop_augmentation import augment_crops
from ._crop_augmentation_config import CropAugmentationConfig
from ._crop_config import CropTrainingConfig
from ._crop_normalisation import Normalisation, normalised, standardised
from ._crop_pairs import CropPairs
from ._crop_sampler import CropSampler
from ._crop_store import CropStore
from ._device import choose_device, describe_device
from ._devices_config import DevicesConfig
from ._events import TrainingEvent
from ._fit import Measured, fit
from ._labels import IGNORED, LabelledImage, paint_labels
from ._optimizer_config import OptimizerConfig
from ._precision import autocast, autocast_dtype, lay_out
from ._run_plan import ChosenPrecision
from ._sampling import DenseCrops, DetectionBatch, PatchSampler, Sampler
from ._seat import is_started_outside
from ._state import TrainingState
from ._team import leads, present_team
from ._together import on_devices

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
    "DevicesConfig",
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
    "is_started_outside",
    "lay_out",
    "leads",
    "normalised",
    "on_devices",
    "paint_labels",
    "present_team",
    "standardised",
]
