"""Values that travel between the rooms of the house: numpy only, frozen."""

from napari_cryoml.data._annotations import NEGATIVE, POSITIVE, UNLABELLED, Annotations
from napari_cryoml.data._cell_split import CellSplit, split_cells
from napari_cryoml.data._crops import ArrayCrops, Crops
from napari_cryoml.data._embedding import Embedding
from napari_cryoml.data._images import ArrayImage, ImageSource
from napari_cryoml.data._naming import Coverage, map_names, naming_scheme
from napari_cryoml.data._picks import Picks, PicksTable
from napari_cryoml.data._places import CropPlaces
from napari_cryoml.data._score_maps import ScoreMap
from napari_cryoml.data._standard import Standard
from napari_cryoml.data._wedge import MissingWedge, grid_frequencies

__all__ = [
    "NEGATIVE",
    "POSITIVE",
    "UNLABELLED",
    "Annotations",
    "ArrayCrops",
    "ArrayImage",
    "CellSplit",
    "Coverage",
    "CropPlaces",
    "Crops",
    "Embedding",
    "ImageSource",
    "MissingWedge",
    "Picks",
    "PicksTable",
    "ScoreMap",
    "Standard",
    "grid_frequencies",
    "map_names",
    "naming_scheme",
    "split_cells",
]
