"""A viewer with the Picker and a project open in it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QApplication

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.picker._controller import PickerController

WINDOW = (1366, 768)
_PATIENCE_S = 60.0
_REDRAW_S = 1.0


def show_project(project: Path, screenshot: Path | None = None) -> Any:
    """Open napari with the Picker and a project in it.

    Parameters
    ----------
    project : Path
        A project file.
    screenshot : Path, optional
        Where to write a picture of the window.

    Returns
    -------
    napari.Viewer
        Call `napari.run` to leave it to the user.

    Raises
    ------
    InputError
        If the project cannot be shown, in the Picker's own words.
    """
    import napari

    viewer = napari.Viewer()
    viewer.window.resize(*WINDOW)
    _, widget = viewer.window.add_plugin_dock_widget("napari-cryoml", "Picker")
    controller: PickerController = widget.controller
    controller.open_paths([Path(project)])
    until = time.monotonic() + _PATIENCE_S
    while controller.desk.shown is None or controller.reading:
        given_up = controller.view.message.is_error and not controller.reading
        if given_up or time.monotonic() > until:
            raise InputError(controller.view.message.text() or f"{project} could not be shown.")
        QApplication.processEvents()
        time.sleep(0.01)
    if screenshot is not None:
        redraw()
        viewer.window.screenshot(str(screenshot), canvas_only=False, flash=False)
    return viewer


def redraw(seconds: float = _REDRAW_S) -> None:
    """Give Qt and OpenGL time to draw what has changed."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.01)
