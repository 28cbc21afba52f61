"""Pick a simulated tomogram, classify its particles in the Classify dock, and take pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from napari_cryoml import io
from napari_cryoml.simulate import TomogramConfig, procedural_maps, simulate_tomogram

NAMES = ("ribosome", "proteasome", "chaperone")
CLICKS, N_LABELS = 12, 5
DIAMETER_PX = 22.0
EPOCHS = 80
WIDE_PX = 720


def classify_pictures(
    viewer: Any,
    folder: Path,
    picture: Callable[[Any, str], None],
    wait: Callable[[Callable[[], bool]], None],
) -> None:
    """Click particles of a tomogram, give five of each kind their class, train, look, average.

    Parameters
    ----------
    viewer : napari.Viewer
        Without docks.
    folder : Path
        Empty; the tomogram is written into it.
    picture : callable
        Takes the viewer and the name of a picture.
    wait : callable
        Keeps the window alive until something is so.
    """
    made = tomogram(folder)
    picker = viewer.window.add_plugin_dock_widget("napari-cryoml", "Picker")[1].controller
    pick(picker, folder, made.picks.positions, wait)
    picture(viewer, "tomogram-picked")
    dock, widget = viewer.window.add_plugin_dock_widget("napari-cryoml", "Classify")
    classify = widget.controller
    picture(viewer, "classify-empty")
    classify.sources.cut()
    wait(lambda: classify.desk.state is not None and not classify.busy)
    label(classify, made.picks)
    wait(lambda: classify.desk.state.fitted is not None and not classify.busy)
    classify.view.show_tab("Result")
    for theme in ("light", "dark"):
        viewer.theme = theme
        picture(viewer, f"classify-{theme}")
    window = dock.window()
    window.resizeDocks([dock], [WIDE_PX], window_axis())
    train(classify, wait)
    picture(viewer, "classify-trained")
    look(classify, wait)
    picture(viewer, "classify-look")
    average(classify, wait)
    picture(viewer, "classify-average")
    classify.teardown()
    picker.teardown()


def window_axis() -> Any:
    """Return the direction in which docks lie beside the canvas."""
    from qtpy.QtCore import Qt

    return Qt.Orientation.Horizontal


def tomogram(folder: Path) -> Any:
    """Write a tomogram of three kinds of particles, and return it with the truth."""
    config = TomogramConfig(
        shape=(64, 256, 256), n_particles=110, snr=0.4, box=32, pixel_size=10.0, dark=True
    )
    maps = procedural_maps(len(NAMES), config.box, config.pixel_size, seed=4)
    made = simulate_tomogram(maps, config, seed=0, name="tomogram.mrc")
    io.write_mrc(folder / "tomogram.mrc", made.image, made.pixel_size)
    return made


def pick(
    picker: Any, folder: Path, truth: np.ndarray, wait: Callable[[Callable[[], bool]], None]
) -> None:
    """Click on particles until the picks are those of the whole tomogram."""
    picker.open_paths([folder])
    wait(lambda: picker.desk.shown is not None)
    picker.labelling.take_drawn(DIAMETER_PX)
    inside = (truth > DIAMETER_PX / 2) & (truth < np.array([64, 256, 256]) - DIAMETER_PX / 2)
    for position in truth[inside.all(axis=1)][:CLICKS]:
        picker.layers.layer("labels").add(position)
        wait(lambda: picker.live.waiting)
        wait(lambda: not picker.live.waiting)
    picker.pick_all()
    wait(lambda: not picker.busy)


def label(classify: Any, truth: Any) -> None:
    """Add the classes, and give a few crops of each theirs."""
    for name in NAMES:
        classify.labelling.add()
        classify.labelling.rename(classify.desk.current, name)
    crops = classify.desk.state.crops
    gaps = np.linalg.norm(crops.positions[:, None] - truth.positions, axis=2)
    kinds = truth.columns["class"][gaps.argmin(axis=1)]
    near = gaps.min(axis=1) < DIAMETER_PX / 4
    for digit, kind in enumerate(np.unique(truth.columns["class"]), 1):
        for row in np.flatnonzero(near & (kinds == kind))[:N_LABELS]:
            classify.labelling.give_digit(int(row), digit)


def train(classify: Any, wait: Callable[[Callable[[], bool]], None]) -> None:
    """Train a network for a moment."""
    from napari_cryoml.classification import systems

    view = classify.view
    view.train.show_system("contrastive")
    classify.training.choose("contrastive")
    short = systems.create("contrastive", epochs=EPOCHS, minutes=1.0)
    view.train.config = lambda: short.model_copy(update={"pretraining": type(short.pretraining)()})
    view.show_tab("Train")
    classify.training.train_or_stop()
    wait(lambda: classify.desk.state.fitted.system.name == "contrastive" and not classify.busy)


def look(classify: Any, wait: Callable[[Callable[[], bool]], None]) -> None:
    """Look at one crop, and at what speaks for its class in the tomogram."""
    classify.view.show_tab("Look")
    classify.looking.look(0)
    wait(lambda: classify.view.look.viewer.isEnabled() and not classify.busy)
    classify.looking.toggle_in_viewer()
    wait(lambda: not classify.busy)


def average(classify: Any, wait: Callable[[Callable[[], bool]], None]) -> None:
    """Average the first class."""
    classify.looking.toggle_in_viewer()
    classify.view.show_tab("Average")
    box = classify.view.average.of_class
    box.setCurrentIndex(box.findData(NAMES[1]))
    classify.averaging.run_or_stop()
    wait(lambda: classify.averaging.running)
    wait(lambda: not classify.averaging.running and not classify.busy)
