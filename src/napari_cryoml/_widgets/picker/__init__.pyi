from ._controller import PickerController
from ._show import redraw, show_project
from ._view import PickerView
from ._widget import PickerWidget, open_picker, pickers

__all__ = [
    "PickerController",
    "PickerView",
    "PickerWidget",
    "open_picker",
    "pickers",
    "redraw",
    "show_project",
]
