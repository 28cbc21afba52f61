from ._average import ClassAverage, class_average
from ._correlation import ShellCorrelation, shell_correlation

__all__ = ["ClassAverage", "ShellCorrelation", "class_average", "shell_correlation"]
