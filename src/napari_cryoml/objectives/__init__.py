"""What is minimised.

The Configs import without torch; `CropBatch` and `CropObjective` bring torch when they are asked
for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_cryoml.objectives._autoencoding_config import Autoencoding
from napari_cryoml.objectives._crop_objective_config import (
    CropObjectiveConfig,
    crop_objectives,
)
from napari_cryoml.objectives._ge_binomial import GEBinomial
from napari_cryoml.objectives._ge_kl import GEKL
from napari_cryoml.objectives._inpainting_config import Inpainting
from napari_cryoml.objectives._m2_config import M2
from napari_cryoml.objectives._moco_config import MoCo
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
from napari_cryoml.objectives._self_training_config import SelfTraining
from napari_cryoml.objectives._simclr_config import SimCLR
from napari_cryoml.objectives._supervised_config import Supervised
from napari_cryoml.objectives._swav_config import SwAV

if TYPE_CHECKING:
    from napari_cryoml.objectives._crop_objective import CropBatch, CropObjective
    from napari_cryoml.objectives._share import (
        Share,
        place_in_whole,
        sharing,
        whole,
        whole_mean,
    )

__all__ = [
    "GEKL",
    "M2",
    "NNPU",
    "PN",
    "Autoencoding",
    "CropBatch",
    "CropObjective",
    "CropObjectiveConfig",
    "GEBinomial",
    "Inpainting",
    "Loss",
    "MoCo",
    "Objective",
    "ObjectiveConfig",
    "SelfTraining",
    "Share",
    "SimCLR",
    "Supervised",
    "SwAV",
    "class_prior",
    "crop_objectives",
    "labelled_fraction",
    "objectives",
    "pixels_in_ball",
    "place_in_whole",
    "reconstruction_loss",
    "reconstruction_weight",
    "sharing",
    "whole",
    "whole_mean",
]

_NEED_TORCH = {
    "CropBatch": "_crop_objective",
    "CropObjective": "_crop_objective",
    "Share": "_share",
    "place_in_whole": "_share",
    "sharing": "_share",
    "whole": "_share",
    "whole_mean": "_share",
}


def __getattr__(name: str) -> Any:
    if name not in _NEED_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_NEED_TORCH[name]}"), name)
