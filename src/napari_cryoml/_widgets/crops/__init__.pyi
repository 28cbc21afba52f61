from ._average_curve import THRESHOLDS, CorrelationCurve
from ._average_panel import AveragePanel
from ._gallery import ORDERS, CropGallery
from ._gallery_flow import as_qimage
from ._gallery_grid import SIZES, GalleryGrid
from ._gallery_marks import Mark

__all__ = [
    "ORDERS",
    "SIZES",
    "THRESHOLDS",
    "AveragePanel",
    "CorrelationCurve",
    "CropGallery",
    "GalleryGrid",
    "Mark",
    "as_qimage",
]
