from ._average import ClassAverage, average_crops, class_average
from ._config import AverageConfig
from ._correlation import GOLD_STANDARD, HALF, ShellCorrelation, shell_correlation
from ._messages import AverageRequest, Thumbnails, ThumbnailsRequest
from ._service import CropService
from ._thumbnails import thumbnails

__all__ = [
    "GOLD_STANDARD",
    "HALF",
    "AverageConfig",
    "AverageRequest",
    "ClassAverage",
    "CropService",
    "ShellCorrelation",
    "Thumbnails",
    "ThumbnailsRequest",
    "average_crops",
    "class_average",
    "shell_correlation",
    "thumbnails",
]
