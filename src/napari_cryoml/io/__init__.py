"""Between files and data: the only place where axis order, units and flips are mended."""

from napari_cryoml.io._image_files import IMAGE_SUFFIXES, FileImage, open_image
from napari_cryoml.io._image_sets import open_images
from napari_cryoml.io._mrc import write_mrc

__all__ = ["IMAGE_SUFFIXES", "FileImage", "open_image", "open_images", "write_mrc"]
