"""Make the pictures of the documentation from simulated micrographs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

# Before napari: their LLVMs clash otherwise.
import torch
import torch._dynamo
from PIL import Image
from qtpy.QtWidgets import QApplication
from screenshots_cells import cells_pictures
from screenshots_classify import classify_pictures
from screenshots_explorer import explorer_pictures

from napari_cryoml import io
from napari_cryoml._widgets.picker import redraw
from napari_cryoml.data import NEGATIVE, Picks
from napari_cryoml.simulate import MicrographConfig, simulate_micrograph

IMAGES = Path(__file__).parent / "images"
FIRST_LABELS, N_LABELS, N_CORRECTIONS = 3, 30, 4
TRAINING_MINUTES = 0.7
VALIDATE_EVERY_S = 8.0
PATIENCE_S = 300
SETTLE_S = 3.0


def main() -> None:
    """Open, label, pick live, correct, certify and train; take a picture of each step."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        truth = simulate(Path(folder), n=3)
        take_pictures(Path(folder), truth)
    with tempfile.TemporaryDirectory() as folder:
        take_pictures_of_classes(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        take_pictures_of_cells(Path(folder))


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
    positions = whole(truth[picker.desk.shown])
    picker.labelling.take_drawn(float(truth[picker.desk.shown].diameter))
    label(picker, positions[:FIRST_LABELS])
    picture(viewer, "picker-labels")
    picker.questions.ask()
    wait(lambda: picker.view.question.isVisible() and not picker.busy)
    picker.questions.answer("skip")  # the second place scores higher, which is seen more easily
    wait(lambda: picker.desk.shown in picker.view.question.text and not picker.busy)
    wait(lambda: not picker.live.waiting)
    picture(viewer, "picker-question")
    picker.questions.answer("stop")
    go_to(picker, next(iter(truth)))
    label(picker, positions[FIRST_LABELS:N_LABELS])
    correct(picker, truth[picker.desk.shown])
    picker.pick_all()
    wait(lambda: not picker.busy)
    certify(viewer, picker, truth)
    go_to(picker, next(iter(truth)))
    for theme in ("light", "dark"):
        viewer.theme = theme
        picture(viewer, f"picker-{theme}")
    train(viewer, picker)
    explorer_pictures(viewer, picker, truth, picture, wait)
    widget.controller.teardown()
    viewer.close()


def take_pictures_of_classes(folder: Path) -> None:
    """Drive the Classify dock as a user does."""
    import napari

    viewer = napari.Viewer()
    viewer.window.resize(1366, 768)
    classify_pictures(viewer, folder, picture, wait)
    viewer.close()


def take_pictures_of_cells(folder: Path) -> None:
    """Drive the Cells dock as a user does."""
    import napari

    viewer = napari.Viewer()
    viewer.window.resize(1366, 768)
    cells_pictures(viewer, folder, picture, wait)
    viewer.close()


def whole(particles: Picks) -> np.ndarray:
    """Return the positions of the particles that do not touch the border."""
    reach = float(particles.diameter)
    last = MicrographConfig().shape[0] - 1
    inside = (particles.positions > reach) & (particles.positions < last - reach)
    return particles.positions[inside.all(axis=1)]


def go_to(picker: Any, name: str) -> None:
    """Show an image, with its picks."""
    picker.choose(name)
    wait(lambda: picker.desk.shown == name and not picker.busy and not picker.live.waiting)


def label(picker: Any, positions: np.ndarray) -> None:
    """Click on particles, one after the other, each once the picks of the one before are there."""
    for position in positions:
        picker.layers.layer("labels").add(position)
        wait(lambda: picker.live.waiting)
        wait(lambda: not picker.live.waiting)


def correct(picker: Any, particles: Picks) -> None:
    """Mark some picks that are none."""
    picks = picker.layers.layer("picks").data
    gaps = np.linalg.norm(picks[:, None] - particles.positions, axis=-1).min(axis=1)
    for wrong in picks[gaps > particles.diameter / 2][:N_CORRECTIONS]:
        picker.layers.label_at(wrong, NEGATIVE)
        wait(lambda: picker.live.waiting)
        wait(lambda: not picker.live.waiting)


def train(viewer: Any, picker: Any) -> None:
    """Train a network for a short time."""
    training = {"minutes": TRAINING_MINUTES, "validate_every": VALIDATE_EVERY_S}
    picker.view.set_options({"training": training})
    picker.train()
    wait(lambda: not picker.busy)
    picture(viewer, "picker-training")


def certify(viewer: Any, picker: Any, truth: dict[str, Picks]) -> None:
    """Review the picks at the threshold that is proposed, by the truth."""
    picker.questions.certify()
    question, review = picker.view.question, picker.questions.review
    wait(lambda: review.is_open)
    while review.is_open:
        wait(lambda: picker.desk.shown in question.text and not picker.busy)
        particles = truth[picker.desk.shown]
        place = picker.layers.to_image(viewer.scene.camera.center)
        gap = np.linalg.norm(particles.positions - place, axis=1).min()
        review.answer("yes" if gap <= particles.diameter / 2 else "no")
    wait(lambda: not picker.busy)


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
    redraw(SETTLE_S)
    shot = viewer.window.screenshot(canvas_only=False, flash=False)
    few = Image.fromarray(shot[..., :3]).quantize(192, method=Image.Quantize.MAXCOVERAGE, kmeans=3)
    few.save(IMAGES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
