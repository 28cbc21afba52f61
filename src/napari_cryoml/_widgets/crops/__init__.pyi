from ._average_curve import THRESHOLDS, CorrelationCurve
from ._average_files import write_average
from ._average_panel import AveragePanel
from ._gallery import ORDERS, CropGallery
from ._gallery_flow import as_qimage
from ._gallery_grid import SIZES, GalleryGrid
from ._gallery_marks import Mark
from ._sections import SectionRow, central_sections

__all__ = [
    "ORDERS",
    "SIZES",
    "THRESHOLDS",
    "AveragePanel",
    "CorrelationCurve",
    "CropGallery",
    "GalleryGrid",
    "Mark",
    "SectionRow",
    "as_qimage",
    "central_sections",
    "write_average",
]
