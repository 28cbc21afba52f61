from ._classifier_file import load_classifier
from ._fitting_crops import fitting_crops
from ._labelled_crops import UNKNOWN, LabelledCrops
from ._predictions import Predictions, classify
from ._system import CropClassifier, SystemConfig
from ._systems import systems

__all__ = [
    "UNKNOWN",
    "CropClassifier",
    "LabelledCrops",
    "Predictions",
    "SystemConfig",
    "classify",
    "fitting_crops",
    "load_classifier",
    "systems",
]
