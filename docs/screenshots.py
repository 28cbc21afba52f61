"""Make the pictures of the documentation from simulated micrographs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Before napari: their LLVMs clash otherwise.
import torch
import torch._dynamo
from PIL import Image
from qtpy.QtWidgets import QApplication

from napari_cryoml import io
from napari_cryoml._widgets.picker import redraw
from napari_cryoml.data import Picks
from napari_cryoml.simulate import MicrographConfig, simulate_micrograph

IMAGES = Path(__file__).parent / "images"
N_LABELS = 12
TRAINING_MINUTES = 0.7
VALIDATE_EVERY_S = 8.0
PATIENCE_S = 300


def main() -> None:
    """Open, label, train and pick; take a picture of each step."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        truth = simulate(Path(folder), n=3)
        take_pictures(Path(folder), truth)


def simulate(folder: Path, n: int) -> dict[str, Picks]:
    """Write micrographs and return where their particles are."""
    truth = {}
    for seed in range(n):
        micrograph = simulate_micrograph(MicrographConfig(), seed=seed)
        name = f"micrograph_{seed:03d}.mrc"
        io.write_mrc(folder / name, micrograph.image, micrograph.picks.pixel_size)
        truth[name] = micrograph.picks
    return truth


def take_pictures(folder: Path, truth: dict[str, Picks]) -> None:
    """Drive the Picker as a user does."""
    import napari

    viewer = napari.Viewer()
    viewer.window.resize(1366, 768)
    _, widget = viewer.window.add_plugin_dock_widget("napari-cryoml", "Picker")
    picker = widget.controller
    picture(viewer, "picker-empty")
    picker.open_paths([folder])
    wait(lambda: picker.desk.shown is not None)
    picks = truth[picker.desk.shown]
    picker.labelling.take_drawn(float(picks.diameter))
    for position in picks.positions[:N_LABELS]:
        picker.layers.layer("labels").add(position)
    picture(viewer, "picker-labels")
    training = {"minutes": TRAINING_MINUTES, "validate_every": VALIDATE_EVERY_S}
    picker.view.set_options({"training": training})
    picker.results.train()
    wait(lambda: len(picker.view.train.curve.validations) > 1 or not picker.busy)
    picture(viewer, "picker-training")
    wait(lambda: not picker.busy)
    picker.results.pick_all()
    wait(lambda: not picker.busy)
    for theme in ("dark", "light"):
        viewer.theme = theme
        picture(viewer, f"picker-{theme}")
    viewer.close()


def wait(done: Callable[[], bool]) -> None:
    """Keep the window alive until `done`."""
    until = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > until:
            raise TimeoutError("the Picker did not get ready in time")
        QApplication.processEvents()
        time.sleep(0.01)


def picture(viewer: Any, name: str) -> None:
    """Write what the window shows, in few colours to keep the file small."""
    redraw()
    shot = viewer.window.screenshot(canvas_only=False, flash=False)
    few = Image.fromarray(shot[..., :3]).quantize(192, method=Image.Quantize.MAXCOVERAGE, kmeans=3)
    few.save(IMAGES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
