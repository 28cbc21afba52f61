"""What napari opens from its Plugins menu."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import QEvent, QSize
from qtpy.QtWidgets import QApplication, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_cryoml._widgets.picker._advanced import DEVICES
from napari_cryoml._widgets.picker._controller import PickerController
from napari_cryoml._widgets.picker._view import PickerView
from napari_cryoml.models import detectors
from napari_cryoml.objectives import objectives
from napari_cryoml.picking import PickerConfig

if TYPE_CHECKING:
    import napari

SET_ELSEWHERE = ("diameter", "ndim")


class OpenPickers:
    """The Pickers that are open, one a viewer."""

    opened = Signal(object, object)
    """(viewer, controller: PickerController) A Picker was opened."""

    closed = Signal(object)
    """(controller: PickerController) A Picker is about to close; `open_picker` says so already."""

    def __init__(self) -> None:
        self._found: weakref.WeakValueDictionary[int, PickerController] = (
            weakref.WeakValueDictionary()
        )

    def of(self, viewer: object) -> PickerController | None:
        """Return the Picker of a viewer, or None."""
        return self._found.get(id(_bare(viewer)))

    def add(self, viewer: object, controller: PickerController) -> None:
        """Take note of a Picker that was opened."""
        self._found[id(viewer)] = controller
        self.opened.emit(viewer, controller)

    def remove(self, controller: PickerController) -> None:
        """Forget a Picker that is about to close."""
        known = [key for key, one in self._found.items() if one is controller]
        for key in known:
            del self._found[key]
        if known:
            self.closed.emit(controller)


pickers = OpenPickers()
"""All Pickers that are open, and signals about them."""


def open_picker(viewer: object) -> PickerController | None:
    """Return the Picker that is open in a viewer, or None."""
    return pickers.of(viewer)


def _bare(viewer: Any) -> Any:
    # napari hands out a proxy whose layers are proxies too, never the same object twice.
    return getattr(viewer, "__wrapped__", viewer)


class PickerWidget(QWidget):
    """The Picker's dock. A second one in the same window says that the first is open.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._had_parent = False
        self._teardown: Callable[..., None] | None = None
        self.controller: PickerController | None = None
        # Without a widget that expands, napari gives half of the dock to empty space.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        viewer = _bare(viewer)
        if open_picker(viewer) is not None:
            note = QLabel("The Picker is open in this window already: look for its tab.")
            note.setWordWrap(True)
            layout.addWidget(note)
            return
        choices = {"model": list(detectors), "objective": list(objectives), "device": DEVICES}
        view = PickerView(PickerConfig, choices, SET_ELSEWHERE)
        layout.addWidget(view)
        controller = PickerController(viewer, view)
        self.controller = controller
        self._forget_with(controller)
        pickers.add(viewer, controller)

    def _forget_with(self, controller: PickerController) -> None:
        application = QApplication.instance()

        def teardown(*_: object) -> None:
            pickers.remove(controller)
            controller.teardown()
            if application is not None:
                with suppress(TypeError, RuntimeError):
                    application.aboutToQuit.disconnect(teardown)

        self._teardown = teardown
        self.destroyed.connect(teardown)
        if application is not None:
            application.aboutToQuit.connect(teardown)

    def sizeHint(self) -> QSize:
        """Return a size that leaves room for the image on a small screen."""
        return QSize(320, 640)

    def event(self, event: QEvent) -> bool:
        """Notice that the dock was closed: napari then takes the widget out of it."""
        if event.type() == QEvent.Type.ParentChange:
            if self._had_parent and self.parent() is None and self._teardown is not None:
                self._teardown()
            self._had_parent = self.parent() is not None
        return bool(super().event(event))
