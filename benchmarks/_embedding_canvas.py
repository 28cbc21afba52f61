"""The map of the explorer on the screen: a frame of panning, a frame of recolouring, a lasso.

The widget has no screen and no graphics card: Qt paints into memory, as it does before it shows.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QApplication

from _record import table
from napari_cryoml._widgets.embedding._canvas import EmbeddingCanvas
from napari_cryoml.embedding.drawing import lasso_mask

SIZES = (100_000, 1_000_000)
WIDTH, HEIGHT = 700, 600

_N_FRAMES = 40
_N_GROUPS = 40
_N_CORNERS = 200
_TARGET_MS = {100_000: 30.0, 1_000_000: 60.0}
_LASSO_TARGET_MS = {100_000: 30.0, 1_000_000: 100.0}
_NO_TARGET = ("another layout",)

Row = dict[str, Any]


def canvas() -> Iterator[Row]:
    """Measure every size: median and worst of 40 times, from the call to the painted picture."""
    application = QApplication.instance() or QApplication([])
    for n in SIZES:
        yield from _measure(n)
    application.processEvents()


def canvas_table(rows: Sequence[Row]) -> str:
    """Return the table for the documentation."""
    header = ["Points", "What", "Median (ms)", "Worst (ms)", "Target (ms)"]
    cells = [
        [
            f"{r['points']:,}",
            r["what"],
            f"{r['median_ms']:.0f}",
            f"{r['worst_ms']:.0f}",
            "–" if r["target_ms"] is None else f"{r['target_ms']:.0f}",
        ]
        for r in rows
    ]
    return table(header, cells)


def _measure(n: int) -> Iterator[Row]:
    rng = np.random.default_rng(0)
    positions, groups = _clusters(n, rng)
    widget = EmbeddingCanvas()
    widget.resize(WIDTH, HEIGHT)
    widget.set_layout(positions)
    names = [f"group {k}" for k in range(_N_GROUPS)]
    widget.set_codes(groups, names)
    others = rng.permutation(_N_GROUPS)[groups]
    scores = rng.normal(size=n).astype(np.float32)
    chosen = groups < _N_GROUPS // 4
    outline = _outline(rng) * np.ptp(positions, axis=0) * 0.3 + np.median(positions, axis=0)
    zoom = widget.scene.view.zoomed(8)
    whole = widget.scene.view
    layouts = [positions, positions + np.float32(0.1)]

    def show(view: Any) -> None:
        widget.scene.move(view)
        widget.update()

    acts: dict[str, Callable[[int], object]] = {
        "pan": lambda i: show(whole.panned(7.0 * (i + 1), 3.0)),
        "pan, zoomed in 8 times": lambda i: show(zoom.panned(7.0 * (i + 1), 3.0)),
        "recolour by group": lambda i: widget.set_codes((groups, others)[i % 2], names),
        "recolour by score": lambda i: widget.set_values(scores, limits=(-2.0, 2.0 + i)),
        "show a selection": lambda i: widget.set_selection((chosen, ~chosen)[i % 2]),
        "another layout": lambda i: widget.set_layout(layouts[i % 2]),
    }
    for what, act in acts.items():
        if what.startswith("recolour by group") or what == "another layout":
            widget.set_selection(None)
        show(whole)
        seconds = [_seconds(lambda i=i, act=act: (act(i), _painted(widget))) for i in _frames()]
        yield _row(n, what, seconds, None if what in _NO_TARGET else _TARGET_MS[n])
    seconds = [_seconds(lambda: lasso_mask(positions, outline)) for _ in _frames()]
    yield _row(n, f"lasso of {_N_CORNERS} corners", seconds, _LASSO_TARGET_MS[n])


def _frames() -> range:
    return range(_N_FRAMES)


def _painted(widget: EmbeddingCanvas) -> QImage:
    image = QImage(WIDTH, HEIGHT, QImage.Format.Format_ARGB32_Premultiplied)
    widget.render(image)
    return image


def _seconds(act: Callable[[], object]) -> float:
    gc.disable()
    start = time.perf_counter()
    act()
    spent = time.perf_counter() - start
    gc.enable()
    return spent


def _row(n: int, what: str, seconds: Sequence[float], target_ms: float | None) -> Row:
    return {
        "points": n,
        "what": what,
        "median_ms": 1e3 * float(np.median(seconds)),
        "worst_ms": 1e3 * max(seconds),
        "target_ms": target_ms,
    }


def _clusters(
    n: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.intp]]:
    """Return points in bent clusters of many sizes, in no order, and their groups."""
    shares = rng.dirichlet(np.ones(_N_GROUPS) * 2)
    groups = rng.choice(_N_GROUPS, n, p=shares)
    centres = rng.normal(size=(_N_GROUPS, 2)) * 6
    shapes = rng.normal(size=(_N_GROUPS, 2, 2)) * 0.5
    spread = rng.normal(size=(n, 2))
    spread[:, 1] += 0.35 * spread[:, 0] ** 2
    positions = centres[groups] + np.einsum("nij,nj->ni", shapes[groups], spread)
    return positions.astype(np.float32), groups


def _outline(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return a star of many corners around 0, about 1 in radius."""
    angles = np.linspace(0, 2 * np.pi, _N_CORNERS, endpoint=False)
    radii = 1 + 0.3 * np.sin(7 * angles) + 0.05 * rng.normal(size=_N_CORNERS)
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)
