from ._links import NO_IMAGES, SETTLE_MS, Links
from ._pick_crops import crop_service, crops_of_picks, cut
from ._pick_files import file_name, write_classes, write_picks
from ._picker_link import PickerLink
from ._row_classes import RowClasses, factorised
from ._rows_desk import RowsDesk

__all__ = [
    "NO_IMAGES",
    "SETTLE_MS",
    "Links",
    "PickerLink",
    "RowClasses",
    "RowsDesk",
    "crop_service",
    "crops_of_picks",
    "cut",
    "factorised",
    "file_name",
    "write_classes",
    "write_picks",
]
