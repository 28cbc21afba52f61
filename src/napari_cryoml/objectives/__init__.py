"""What is minimised; imports without torch."""

from napari_cryoml.objectives._ge_binomial import GEBinomial
from napari_cryoml.objectives._ge_kl import GEKL
from napari_cryoml.objectives._nnpu import NNPU
from napari_cryoml.objectives._objective import (
    Loss,
    Objective,
    ObjectiveConfig,
    objectives,
)
from napari_cryoml.objectives._pn import PN
from napari_cryoml.objectives._prior import class_prior, labelled_fraction, pixels_in_ball
from napari_cryoml.objectives._reconstruction import reconstruction_loss, reconstruction_weight

__all__ = [
    "GEKL",
    "NNPU",
    "PN",
    "GEBinomial",
    "Loss",
    "Objective",
    "ObjectiveConfig",
    "class_prior",
    "labelled_fraction",
    "objectives",
    "pixels_in_ball",
    "reconstruction_loss",
    "reconstruction_weight",
]
