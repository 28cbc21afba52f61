"""What is done to an image before a network sees it."""

from napari_cryoml.preprocess._border import mirrored_index, mirrored_region
from napari_cryoml.preprocess._box_cutting import BoxCutting
from napari_cryoml.preprocess._crop_rows import pick_id
from napari_cryoml.preprocess._crops import PickCrops
from napari_cryoml.preprocess._crops_config import CropsConfig
from napari_cryoml.preprocess._intensity import percentile_normalise
from napari_cryoml.preprocess._known_ids import known_ids
from napari_cryoml.preprocess._mixture import ScaledMixture, fit_scaled_mixture
from napari_cryoml.preprocess._preprocessor import PreprocessConfig, Preprocessor
from napari_cryoml.preprocess._rescale import Rescaling, fourier_rescale, working_shape
from napari_cryoml.preprocess._usable import usable_mask

__all__ = [
    "BoxCutting",
    "CropsConfig",
    "PickCrops",
    "PreprocessConfig",
    "Preprocessor",
    "Rescaling",
    "ScaledMixture",
    "fit_scaled_mixture",
    "fourier_rescale",
    "known_ids",
    "mirrored_index",
    "mirrored_region",
    "percentile_normalise",
    "pick_id",
    "usable_mask",
    "working_shape",
]
