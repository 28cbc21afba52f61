from ._classifier_file import load_classifier
from ._default import default_system, fine_tuning, transfer
from ._feature_system import FeatureSystem
from ._fitting_crops import fitting_crops
from ._functional_watch import FunctionalWatch
from ._label_errors import LabelErrors, find_label_errors, label_errors
from ._labelled_crops import UNKNOWN, LabelledCrops
from ._messages import (
    Attention,
    AttentionRequest,
    DoubtRequest,
    FitRequest,
    FittedReply,
    LoadRequest,
    PretrainRequest,
    Reconstructions,
    ReconstructRequest,
    SaveRequest,
    SuggestRequest,
)
from ._network_classifier import NetworkClassifier
from ._network_system import NetworkSystem, PretrainingConfig
from ._network_training import pretrain
from ._next_cells import NextCells, next_to_label
from ._predictions import Predictions, classify
from ._pretrained_encoder import PretrainedEncoder
from ._service import ClassifyService
from ._system import CropClassifier, SystemConfig, train
from ._systems import systems
from ._training_run import TrainingRun
from ._watch import Watch, WatchedVectors

__all__ = [
    "UNKNOWN",
    "Attention",
    "AttentionRequest",
    "ClassifyService",
    "CropClassifier",
    "DoubtRequest",
    "FeatureSystem",
    "FitRequest",
    "FittedReply",
    "FunctionalWatch",
    "LabelErrors",
    "LabelledCrops",
    "LoadRequest",
    "NetworkClassifier",
    "NetworkSystem",
    "NextCells",
    "Predictions",
    "PretrainRequest",
    "PretrainedEncoder",
    "PretrainingConfig",
    "ReconstructRequest",
    "Reconstructions",
    "SaveRequest",
    "SuggestRequest",
    "SystemConfig",
    "TrainingRun",
    "Watch",
    "WatchedVectors",
    "classify",
    "default_system",
    "find_label_errors",
    "fine_tuning",
    "fitting_crops",
    "label_errors",
    "load_classifier",
    "next_to_label",
    "pretrain",
    "systems",
    "train",
    "transfer",
]
