"""Measure how long the Picker's window is away while it trains: ``python benchmarks/gui.py``.

It needs a screen, a virtual one will do (``xvfb-run -a``). Rows go to ``benchmarks/results``, the
table to ``docs/benchmarks.md``.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

# Before napari: their LLVMs clash otherwise.
import torch
import torch._dynamo
from qtpy.QtCore import QTimer

from _record import load, put_into_page, save, table
from _window import pass_time
from napari_cryoml import io
from napari_cryoml.simulate import MicrographConfig, simulate_micrograph

SECTION = "gui"
LIMIT_MS = 100
TICK_MS = 10
CLICK_MS = 1500
N_LABELS = 12
MANY_STEPS = 10**6
N_IMAGES = 3
PATIENCE_S = 300
AFTERWARDS_S = 2

Row = dict[str, Any]


class Ticks:
    """Times between the ticks of a timer on the GUI's thread, and what it worked in them, in ms."""

    def __init__(self) -> None:
        self.passed: list[float] = []
        self.worked: list[float] = []
        self._last = time.perf_counter(), time.thread_time()
        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MS)

    def stop(self) -> None:
        """Count no more."""
        self._timer.stop()
        self._tick()

    def _tick(self) -> None:
        now = time.perf_counter(), time.thread_time()
        self.passed.append(1000 * (now[0] - self._last[0]))
        self.worked.append(1000 * (now[1] - self._last[1]))
        self._last = now


def measure(seconds: float, *, canvas: bool) -> Row:
    """Train for `seconds` while particles are clicked, with the canvas on show or hidden."""
    import napari

    viewer = napari.Viewer()
    viewer.window.resize(1366, 768)
    _, widget = viewer.window.add_plugin_dock_widget("napari-cryoml", "Picker")
    picker = widget.controller
    with tempfile.TemporaryDirectory() as folder:
        truth = _simulate(Path(folder))
        picker.open_paths([Path(folder)])
        _wait(lambda: picker.desk.shown is not None)
        picks = truth[picker.desk.shown]
        picker.labelling.take_drawn(float(picks.diameter))
        layer = picker.layers.layer("labels")
        for position in picks.positions[:N_LABELS]:
            layer.add(position)
        window = viewer.window._qt_viewer.canvas.native  # noqa: SLF001 - napari offers no other
        renderer = _renderer(window)
        if not canvas:
            window.hide()
        training = {"minutes": seconds / 60, "steps": MANY_STEPS, "validate_every": 5.0}
        picker.view.set_options({"training": training, "device": "cpu"})
        pass_time(1)
        ticks, clicks = _train(picker, layer, picks.positions[N_LABELS:])
        widget.controller.teardown()
        viewer.close()
    gaps = np.array(ticks.passed)
    return {
        "canvas": renderer if canvas else "hidden",
        "clicks": clicks,
        "ticks": len(gaps),
        "seconds": float(gaps.sum() / 1000),
        "largest_ms": float(gaps.max()),
        "p99_ms": float(np.percentile(gaps, 99)),
        "median_ms": float(np.median(gaps)),
        "largest_work_ms": max(ticks.worked),
        "over_limit": int((gaps > LIMIT_MS).sum()),
        "load": os.getloadavg()[0],
    }


def _train(picker: Any, layer: Any, positions: np.ndarray) -> tuple[Ticks, int]:
    """Click on Train and label on until some time after the end; return the ticks and clicks."""
    places = iter(positions)
    before = len(layer.data)
    timer = QTimer()
    timer.timeout.connect(lambda: layer.add(next(places)))
    ticks = Ticks()
    picker.view.train.train.click()
    timer.start(CLICK_MS)
    _wait(lambda: not picker.results.jobs.kind)
    timer.stop()
    pass_time(AFTERWARDS_S)
    ticks.stop()
    if picker.session.project.current_model() is None:
        raise RuntimeError(picker.view.message.text())
    return ticks, len(layer.data) - before


def _simulate(folder: Path) -> dict[str, Any]:
    truth = {}
    for seed in range(N_IMAGES):
        micrograph = simulate_micrograph(MicrographConfig(), seed=seed)
        name = f"micrograph_{seed:03d}.mrc"
        io.write_mrc(folder / name, micrograph.image, micrograph.picks.pixel_size)
        truth[name] = micrograph.picks
    return truth


def _renderer(canvas: Any) -> str:
    from vispy import gloo

    canvas.makeCurrent()
    name = str(gloo.gl.glGetParameter(gloo.gl.GL_RENDERER))
    return f"shown, software OpenGL ({name.split()[0]})" if "llvmpipe" in name else name


def _wait(done: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > until:
            raise TimeoutError("the Picker did not get ready in time")
        pass_time(0.02)


def render(rows: list[Row]) -> str:
    """Return one row a way of drawing."""
    header = ["canvas", "training", "clicks", "largest gap", "99th percentile", "median"]
    header += ["most work in a gap"]
    header += [f"ticks over {LIMIT_MS} ms", "load of the machine"]
    body = [
        [
            row["canvas"],
            f"{row['seconds']:.0f} s",
            row["clicks"],
            f"{row['largest_ms']:.0f} ms",
            f"{row['p99_ms']:.0f} ms",
            f"{row['median_ms']:.0f} ms",
            f"{row['largest_work_ms']:.0f} ms",
            f"{row['over_limit']} of {row['ticks']}",
            f"{row['load']:.1f}",
        ]
        for row in rows
    ]
    return table(header, body)


def main() -> None:
    """Measure with the canvas hidden and shown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="of training")
    parser.add_argument("--table", action="store_true", help="only write the kept table again")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if not options.table:
        rows = [measure(options.seconds, canvas=canvas) for canvas in (False, True)]
        sys.stdout.write("\n".join(str(row) for row in rows) + "\n")
        save(SECTION, "python benchmarks/gui.py", rows)
    record = load(SECTION)
    if record is not None:
        put_into_page(SECTION, render(record["rows"]))


if __name__ == "__main__":
    main()
