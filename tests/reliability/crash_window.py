"""Click in a real window until killed: ``python crash_window.py PROJECT``; says each label."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch  # before Qt and OpenGL: their LLVMs clash otherwise
import torch._dynamo
from qtpy.QtWidgets import QApplication

torch.set_num_threads(1)


def main(path: Path) -> None:
    """Open the Picker on a project, and label, undo and redo as fast as the window allows."""
    import napari

    viewer = napari.Viewer()
    _, widget = viewer.window.add_plugin_dock_widget("napari-cryoml", "Picker")
    picker = widget.controller
    picker.open_paths([path])
    while picker.desk.shown is None or picker.reading:
        _wait(0.01)
    layer, rng = picker.layers.layer("labels"), np.random.default_rng()
    side = np.array(picker.layers.image.shape) - 1
    for number in range(100_000):
        if number % 5 == 4:
            picker.undo()
            picker.redo()
        else:
            layer.add(rng.uniform(0, side))
        said = " ".join(f"{y!r},{x!r}" for y, x in np.asarray(layer.data)[-1:].tolist())
        print(f"{len(layer.data)} {said}", flush=True)
        _wait(0.005)


def _wait(seconds: float) -> None:
    QApplication.processEvents()
    time.sleep(seconds)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
