from ._controller import PickerController
from ._show import redraw, show_project
from ._view import PickerView
from ._widget import PickerWidget

__all__ = ["PickerController", "PickerView", "PickerWidget", "redraw", "show_project"]
