"""Between files and data: the only place where axis order, units and flips are mended."""

from napari_cryoml.io._cell_images import (
    CellImage,
    open_cell_images,
    read_cell_image,
    read_cell_labels,
)
from napari_cryoml.io._cell_pairs import pair_labels, write_cell_labels
from napari_cryoml.io._cell_places import read_places_table
from napari_cryoml.io._cell_table import read_cell_table
from napari_cryoml.io._cells import CELL_SUFFIXES, read_cells
from napari_cryoml.io._convert import convert_picks, flip_y, scale
from napari_cryoml.io._coordinates import read_picks, write_picks
from napari_cryoml.io._crop_lists import write_crop_list
from napari_cryoml.io._crop_stacks import CROP_SUFFIXES, read_crops
from napari_cryoml.io._crop_writing import stream_crops, write_crops
from napari_cryoml.io._embeddings import EMBEDDING_SUFFIXES, read_embedding, write_embedding
from napari_cryoml.io._formats import FORMATS, Format
from napari_cryoml.io._formats._files import replacing
from napari_cryoml.io._image_files import IMAGE_SUFFIXES, FileImage, is_image, open_image
from napari_cryoml.io._image_sets import images_in, open_images
from napari_cryoml.io._measurement_tables import (
    MEASUREMENT_SUFFIXES,
    check_measurements_path,
    write_measurements,
)
from napari_cryoml.io._mrc import write_mrc
from napari_cryoml.io._names import match_images
from napari_cryoml.io._pose_columns import POSE_COLUMNS, pose_columns, rotations_of
from napari_cryoml.io._records import write_record
from napari_cryoml.io._rescue import save_or_rescue
from napari_cryoml.io._standard_files import NO_EVIDENCE, read_aliases, read_standard
from napari_cryoml.io._standards import STANDARD_FORMATS, StandardFormat

__all__ = [
    "CELL_SUFFIXES",
    "CROP_SUFFIXES",
    "EMBEDDING_SUFFIXES",
    "FORMATS",
    "IMAGE_SUFFIXES",
    "MEASUREMENT_SUFFIXES",
    "NO_EVIDENCE",
    "POSE_COLUMNS",
    "STANDARD_FORMATS",
    "CellImage",
    "FileImage",
    "Format",
    "StandardFormat",
    "check_measurements_path",
    "convert_picks",
    "flip_y",
    "images_in",
    "is_image",
    "match_images",
    "open_cell_images",
    "open_image",
    "open_images",
    "pair_labels",
    "pose_columns",
    "read_aliases",
    "read_cell_image",
    "read_cell_labels",
    "read_cell_table",
    "read_cells",
    "read_crops",
    "read_embedding",
    "read_picks",
    "read_places_table",
    "read_standard",
    "replacing",
    "rotations_of",
    "save_or_rescue",
    "scale",
    "stream_crops",
    "write_cell_labels",
    "write_crop_list",
    "write_crops",
    "write_embedding",
    "write_measurements",
    "write_mrc",
    "write_picks",
    "write_record",
]
