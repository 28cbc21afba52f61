"""What is done to an image before a network sees it."""

from napari_cryoml.preprocess._border import mirrored_index, mirrored_region
from napari_cryoml.preprocess._box_cutting import BoxCutting
from napari_cryoml.preprocess._cell_channels import channel_number, ordered_channels
from napari_cryoml.preprocess._cells_config import CellsConfig
from napari_cryoml.preprocess._crop_rows import pick_id
from napari_cryoml.preprocess._crops import PickCrops
from napari_cryoml.preprocess._crops_config import CropsConfig
from napari_cryoml.preprocess._cut_cells import cut_cells
from napari_cryoml.preprocess._dense_table import dense_table
from napari_cryoml.preprocess._find_cells import find_cells
from napari_cryoml.preprocess._image_cells import ImageCells
from napari_cryoml.preprocess._intensity import percentile_normalise
from napari_cryoml.preprocess._known_ids import known_ids
from napari_cryoml.preprocess._labelled_images import ChannelImage, LabelledImage
from napari_cryoml.preprocess._mixture import ScaledMixture, fit_scaled_mixture
from napari_cryoml.preprocess._preprocessor import PreprocessConfig, Preprocessor
from napari_cryoml.preprocess._rescale import Rescaling, fourier_rescale, working_shape
from napari_cryoml.preprocess._segment_cells import SegmentConfig, segment_cells
from napari_cryoml.preprocess._segment_images import segment_images
from napari_cryoml.preprocess._usable import usable_mask

__all__ = [
    "BoxCutting",
    "CellsConfig",
    "ChannelImage",
    "CropsConfig",
    "ImageCells",
    "LabelledImage",
    "PickCrops",
    "PreprocessConfig",
    "Preprocessor",
    "Rescaling",
    "ScaledMixture",
    "SegmentConfig",
    "channel_number",
    "cut_cells",
    "dense_table",
    "find_cells",
    "fit_scaled_mixture",
    "fourier_rescale",
    "known_ids",
    "mirrored_index",
    "mirrored_region",
    "ordered_channels",
    "percentile_normalise",
    "pick_id",
    "segment_cells",
    "segment_images",
    "usable_mask",
    "working_shape",
]
