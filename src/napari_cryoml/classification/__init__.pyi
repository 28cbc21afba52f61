from ._classifier_file import load_classifier
from ._fitting_crops import fitting_crops
from ._labelled_crops import UNKNOWN, LabelledCrops
from ._network_classifier import NetworkClassifier
from ._network_system import NetworkSystem, PretrainingConfig
from ._network_training import pretrain
from ._predictions import Predictions, classify
from ._pretrained_encoder import PretrainedEncoder
from ._system import CropClassifier, SystemConfig, train
from ._systems import systems

__all__ = [
    "UNKNOWN",
    "CropClassifier",
    "LabelledCrops",
    "NetworkClassifier",
    "NetworkSystem",
    "Predictions",
    "PretrainedEncoder",
    "PretrainingConfig",
    "SystemConfig",
    "classify",
    "fitting_crops",
    "load_classifier",
    "pretrain",
    "systems",
    "train",
]
