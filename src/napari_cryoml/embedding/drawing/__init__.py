"""Pictures of maps: points, densities, clouds and figures, and what lies within an outline."""

from napari_cryoml.embedding.drawing._categories import category_codes
from napari_cryoml.embedding.drawing._clouds import CLOUD_OPACITY, Cloud, category_clouds
from napari_cryoml.embedding.drawing._figure import FORMATS, write_figure
from napari_cryoml.embedding.drawing._group_clouds import GroupClouds, group_clouds
from napari_cryoml.embedding.drawing._lasso import lasso_mask, rectangle_mask
from napari_cryoml.embedding.drawing._page import write_page
from napari_cryoml.embedding.drawing._palettes import (
    PLAIN,
    SELECTED,
    categorical,
    sequential,
    shades,
    unlabelled,
    value_limits,
)
from napari_cryoml.embedding.drawing._raster import PointRaster
from napari_cryoml.embedding.drawing._standard_groups import standard_groups
from napari_cryoml.embedding.drawing._terms import place_terms
from napari_cryoml.embedding.drawing._view import MapView

__all__ = [
    "CLOUD_OPACITY",
    "FORMATS",
    "PLAIN",
    "SELECTED",
    "Cloud",
    "GroupClouds",
    "MapView",
    "PointRaster",
    "categorical",
    "category_clouds",
    "category_codes",
    "group_clouds",
    "lasso_mask",
    "place_terms",
    "rectangle_mask",
    "sequential",
    "shades",
    "standard_groups",
    "unlabelled",
    "value_limits",
    "write_figure",
    "write_page",
]
