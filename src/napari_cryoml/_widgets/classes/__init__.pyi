from ._answering import Answering
from ._browsing import Browsing, row_text
from ._class_desk import ClassDesk, ClassView
from ._class_gallery import ORDERS, ClassGallery, Show
from ._class_group import ClassGroup
from ._class_list import ClassRow
from ._class_service import classify_service
from ._class_state import ClassState, Rows
from ._class_table import ClassResult, ClassTable
from ._confusion import ConfusionMatrix
from ._fitting import Fitting
from ._halves import lay_out_halves
from ._keeping import Keeping
from ._labelling import Labelling, class_rows
from ._palette import UNSURE, rgb
from ._report_files import write_matrix, write_rows
from ._result_tab import ResultTab
from ._results import Results
from ._system_form import SystemForm
from ._train_tab import TrainTab, shown_as
from ._training import Training
from ._wiring import connect_classes, connect_gallery, connect_results, connect_training

__all__ = [
    "ORDERS",
    "UNSURE",
    "Answering",
    "Browsing",
    "ClassDesk",
    "ClassGallery",
    "ClassGroup",
    "ClassResult",
    "ClassRow",
    "ClassState",
    "ClassTable",
    "ClassView",
    "ConfusionMatrix",
    "Fitting",
    "Keeping",
    "Labelling",
    "ResultTab",
    "Results",
    "Rows",
    "Show",
    "SystemForm",
    "TrainTab",
    "Training",
    "class_rows",
    "classify_service",
    "connect_classes",
    "connect_gallery",
    "connect_results",
    "connect_training",
    "lay_out_halves",
    "rgb",
    "row_text",
    "shown_as",
    "write_matrix",
    "write_rows",
]
