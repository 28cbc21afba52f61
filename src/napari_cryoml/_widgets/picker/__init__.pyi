from ._controller import PickerController
from ._view import PickerView
from ._widget import PickerWidget

__all__ = ["PickerController", "PickerView", "PickerWidget"]
