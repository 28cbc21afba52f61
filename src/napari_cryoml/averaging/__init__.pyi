from ._align import align_crops
from ._align_config import AlignConfig
from ._average import ClassAverage, average_crops, class_average
from ._classify import classify_subtomograms
from ._config import AverageConfig
from ._correlation import GOLD_STANDARD, HALF, ShellCorrelation, shell_correlation
from ._em_pca import Components, weighted_components
from ._impute import impute_wedge
from ._masked_correlation import MaskedCorrelation, masked_correlation
from ._messages import AverageRequest, Thumbnails, ThumbnailsRequest
from ._refine import refine
from ._refine_config import RefineConfig
from ._rigid import Alignment, RigidPoses
from ._rotations import (
    degrees_between,
    even_rotations,
    nearby_rotations,
    point_group,
    rotations_apart,
)
from ._service import CropService
from ._subtomogram_average import average_subtomograms
from ._subtomogram_classes import ClassesConfig, ClassesStep, SubtomogramClasses
from ._thumbnails import thumbnails
from ._volume import AverageStep, SubtomogramAverage

__all__ = [
    "GOLD_STANDARD",
    "HALF",
    "AlignConfig",
    "Alignment",
    "AverageConfig",
    "AverageRequest",
    "AverageStep",
    "ClassAverage",
    "ClassesConfig",
    "ClassesStep",
    "Components",
    "CropService",
    "MaskedCorrelation",
    "RefineConfig",
    "RigidPoses",
    "ShellCorrelation",
    "SubtomogramAverage",
    "SubtomogramClasses",
    "Thumbnails",
    "ThumbnailsRequest",
    "align_crops",
    "average_crops",
    "average_subtomograms",
    "class_average",
    "classify_subtomograms",
    "degrees_between",
    "even_rotations",
    "impute_wedge",
    "masked_correlation",
    "nearby_rotations",
    "point_group",
    "refine",
    "rotations_apart",
    "shell_correlation",
    "thumbnails",
    "weighted_components",
]
