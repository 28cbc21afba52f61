from ._align import align_crops
from ._align_config import AlignConfig
from ._average import ClassAverage, average_crops, class_average
from ._config import AverageConfig
from ._correlation import GOLD_STANDARD, HALF, ShellCorrelation, shell_correlation
from ._messages import AverageRequest, Thumbnails, ThumbnailsRequest
from ._rigid import Alignment, RigidPoses
from ._rotations import (
    degrees_between,
    even_rotations,
    nearby_rotations,
    point_group,
    rotations_apart,
)
from ._service import CropService
from ._thumbnails import thumbnails

__all__ = [
    "GOLD_STANDARD",
    "HALF",
    "AlignConfig",
    "Alignment",
    "AverageConfig",
    "AverageRequest",
    "ClassAverage",
    "CropService",
    "RigidPoses",
    "ShellCorrelation",
    "Thumbnails",
    "ThumbnailsRequest",
    "align_crops",
    "average_crops",
    "class_average",
    "degrees_between",
    "even_rotations",
    "nearby_rotations",
    "point_group",
    "rotations_apart",
    "shell_correlation",
    "thumbnails",
]
