"""From a mouse click to redrawn picks, in the real dock; needs a screen, a virtual one will do."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

# Before napari: their LLVMs clash otherwise.
import torch
import torch._dynamo
from qtpy.QtWidgets import QApplication

from _record import table
from _window import pass_time
from napari_cryoml import io
from napari_cryoml.data import ArrayImage
from napari_cryoml.picking.live import LiveConfig, live_features
from napari_cryoml.simulate import MicrographConfig, simulate_micrograph

_CONFIG = MicrographConfig(
    shape=(1024, 1024), diameter=14, pixel_size=8.0, n_particles=600, snr=0.3
)
"""Shown on a working image of 1024 x 1024, for the particle is as wide as on the working grid."""

_N_CLICKS = 40
_N_FEATURES = 5
_PATIENCE_S = 120

Row = dict[str, Any]


def click() -> Iterator[Row]:
    """Click particles one after the other, with the canvas hidden and on show."""
    features = _feature_seconds()
    for canvas in (False, True):
        yield _clicks(canvas=canvas) | features


def _feature_seconds() -> Row:
    image = ArrayImage(simulate_micrograph(_CONFIG, seed=1).image, "new")
    config = LiveConfig(diameter=_CONFIG.diameter)
    live_features(image, config)  # libraries are loaded and kernels planned once
    seconds = []
    for _ in range(_N_FEATURES):
        start = time.perf_counter()
        live_features(image, config)
        seconds.append(time.perf_counter() - start)
    return {"features_ms": 1000 * float(np.median(seconds)), "threads": torch.get_num_threads()}


def _clicks(*, canvas: bool) -> Row:
    import napari

    viewer = napari.Viewer()
    viewer.window.resize(1366, 768)
    _, widget = viewer.window.add_plugin_dock_widget("napari-cryoml", "Picker")
    picker = widget.controller
    with tempfile.TemporaryDirectory() as folder:
        micrograph = simulate_micrograph(_CONFIG, seed=0)
        io.write_mrc(Path(folder) / "a.mrc", micrograph.image, _CONFIG.pixel_size)
        picker.open_paths([Path(folder)])
        _wait(lambda: picker.desk.shown is not None)
        picker.labelling.take_drawn(_CONFIG.diameter)
        if not canvas:
            viewer.window._qt_viewer.canvas.native.hide()  # noqa: SLF001 - napari offers no other
        layer = picker.layers.layer("labels")
        milliseconds = []
        for position in micrograph.picks.positions[:_N_CLICKS]:
            start = time.perf_counter()
            layer.add(position)
            _wait(lambda: picker.live.waiting)
            _wait(lambda: not picker.live.waiting)
            QApplication.processEvents()
            milliseconds.append(1000 * (time.perf_counter() - start))
            pass_time(0.3)
        n_picks = len(picker.session.picks(picker.desk.shown))
        widget.controller.teardown()
        viewer.close()
    settled = np.array(milliseconds[3:])
    return {
        "canvas": "shown" if canvas else "hidden",
        "clicks": len(settled),
        "first_ms": milliseconds[0],
        "median_ms": float(np.median(settled)),
        "worst_ms": float(settled.max()),
        "picks": n_picks,
    }


def _wait(done: Callable[[], bool]) -> None:
    until = time.monotonic() + _PATIENCE_S
    while not done():
        if time.monotonic() > until:
            raise TimeoutError("live picking did not answer in time")
        pass_time(0.001)


def click_table(rows: Sequence[Row]) -> str:
    """Return one row a way of drawing."""
    header = ["canvas", "clicks", "median", "worst", "first click", "features of a new image"]
    body = [
        [
            {"shown": "shown, drawn by the processor"}.get(row["canvas"], row["canvas"]),
            row["clicks"],
            f"{row['median_ms']:.0f} ms",
            f"{row['worst_ms']:.0f} ms",
            f"{row['first_ms']:.0f} ms",
            f"{row['features_ms']:.0f} ms ({row['threads']} threads)",
        ]
        for row in rows
    ]
    return table(header, body)
