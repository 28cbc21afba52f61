"""Pickers without training, to compare with and to start from: all there are."""

from napari_cryoml.picking._baseline import Baseline, BaselineConfig, baselines
from napari_cryoml.picking._blobs import DogConfig, LogConfig
from napari_cryoml.picking._template import TemplateConfig

__all__ = [
    "Baseline",
    "BaselineConfig",
    "DogConfig",
    "LogConfig",
    "TemplateConfig",
    "baselines",
]
