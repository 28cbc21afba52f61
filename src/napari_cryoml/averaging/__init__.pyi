from ._average import ClassAverage, average_crops, class_average
from ._config import AverageConfig
from ._correlation import ShellCorrelation, shell_correlation

__all__ = [
    "AverageConfig",
    "ClassAverage",
    "ShellCorrelation",
    "average_crops",
    "class_average",
    "shell_correlation",
]
