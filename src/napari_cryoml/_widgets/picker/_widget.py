"""What napari opens from its Plugins menu."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_cryoml._widgets.frame import OpenDocks, PluginDock
from napari_cryoml._widgets.picker._advanced import DEVICES
from napari_cryoml._widgets.picker._controller import PickerController
from napari_cryoml._widgets.picker._view import PickerView
from napari_cryoml.models import detectors
from napari_cryoml.objectives import objectives
from napari_cryoml.picking import PickerConfig

if TYPE_CHECKING:
    import napari

SET_ELSEWHERE = ("diameter", "ndim")
_WIDTH_PX = 320

pickers: OpenDocks[PickerController] = OpenDocks()
"""All Pickers that are open, and signals about them."""


def open_picker(viewer: object) -> PickerController | None:
    """Return the Picker that is open in a viewer, or None."""
    return pickers.of(viewer)


class PickerWidget(PluginDock[PickerController]):
    """The Picker's dock.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer, "Picker", pickers, _make, _WIDTH_PX)


def _make(viewer: Any) -> tuple[PickerView, PickerController]:
    choices = {"model": list(detectors), "objective": list(objectives), "device": DEVICES}
    view = PickerView(PickerConfig, choices, SET_ELSEWHERE)
    return view, PickerController(viewer, view)
