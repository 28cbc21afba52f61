"""The cells in the image: their classes as colours, and columns of their layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QTimer

from napari_cryoml._napari._cell_view import OwnLayers, write_features
from napari_cryoml._widgets.cells._columns import columns_of
from napari_cryoml._widgets.cells._desk import Desk
from napari_cryoml._widgets.cells._sources import Sources
from napari_cryoml._widgets.cells._state import CellState
from napari_cryoml._widgets.classes import UNSURE, rgb
from napari_cryoml._widgets.frame import Connections
from napari_cryoml._widgets.jobs import stop_timer
from napari_cryoml.preprocess import dense_table

SETTLE_MS = 60
"""Labels that come closer together than this are painted once."""

WRITE_MS = 400
"""Columns are written once nothing has changed for so long."""

_STEPS = 64

Palette = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint8]


class Showing:
    """Keeps the layers up with what is known of the cells.

    Parameters
    ----------
    desk : Desk
    sources : Sources
    own : OwnLayers
    """

    def __init__(self, desk: Desk, sources: Sources, own: OwnLayers) -> None:
        self._desk = desk
        self._sources = sources
        self._own = own
        self._painting = _timer(SETTLE_MS, self.paint)
        self._writing = _timer(WRITE_MS, self.write)
        self._connections = Connections(
            (desk.replaced, self._on_change),
            (desk.labelled, self._on_change),
            (desk.predicted, self._on_change),
            (desk.rated, self._paint_soon),
        )

    def close(self) -> None:
        """Let go of the desk, and take the colours away."""
        self._connections.close()
        for timer in (self._painting, self._writing):
            stop_timer(timer)
        self._own.close()

    def _on_change(self) -> None:
        self._painting.start()
        self._writing.start()

    def _paint_soon(self) -> None:
        self._painting.start()

    def paint(self) -> None:
        """Colour the cells by their class, or by how sure it is."""
        cells, layer = self._desk.cells, self._sources.layer
        if cells is None or layer is None or cells.numbers_in_image is None:
            self._own.hide_classes()
            return
        painted = paint_of(cells, self._desk)
        if painted is None:
            self._own.hide_classes()
            return
        codes, palette = painted
        table = np.zeros(int(cells.numbers_in_image.max(initial=0)) + 1, np.uint8)
        table[cells.numbers_in_image] = codes
        self._own.show_classes(layer.data, table, palette, layer)

    def write(self) -> None:
        """Write what is known of the cells to the features of their layer."""
        cells, layer = self._desk.cells, self._sources.layer
        if cells is None or layer is None or cells.numbers_in_image is None:
            return
        with self._desk.telling():
            table = dense_table(
                cells.numbers_in_image,
                columns_of(cells),
                image_name=cells.image,
                n_labels=int(np.asarray(layer.data).max()),
            )
            write_features(layer, table)


def paint_of(cells: CellState, desk: Desk) -> tuple[Codes, Palette] | None:
    """Return the colour of each cell as a row of a palette whose first is clear; None for none."""
    if desk.colour_by == "nothing" or not (cells.labelled.any() or cells.fitted is not None):
        return None
    return _by_confidence(cells) if desk.colour_by == "confidence" else _by_class(cells, desk)


def _by_class(cells: CellState, desk: Desk) -> tuple[Codes, Palette]:
    colours = desk.colours()
    place = {name: number for number, name in enumerate(colours, 1)}
    unsure = len(colours) + 1
    verdicts = cells.verdicts(desk.threshold).tolist()
    has_guess = (cells.predicted != "").tolist()
    codes = [
        place.get(name, 0) or (unsure if guess else 0)
        for name, guess in zip(verdicts, has_guess, strict=True)
    ]
    palette = [(0.0, 0.0, 0.0, 0.0), *(_rgba(one) for one in colours.values()), _rgba(UNSURE)]
    return np.array(codes, np.uint8), np.array(palette, np.float32)


def _by_confidence(cells: CellState) -> tuple[Codes, Palette]:
    from napari.utils.colormaps import ensure_colormap

    ramp = np.asarray(ensure_colormap("viridis").map(np.linspace(0, 1, _STEPS)), np.float32)
    values = np.asarray(cells.confidence, np.float64)
    steps = 1 + np.nan_to_num(values) * (_STEPS - 1)
    codes = np.where(np.isfinite(values), steps, 0).astype(np.uint8)
    return codes, np.concatenate([np.zeros((1, 4), np.float32), ramp])


def _rgba(colour: str) -> tuple[float, float, float, float]:
    red, green, blue = rgb(colour)
    return red / 255, green / 255, blue / 255, 1.0


def _timer(interval_ms: int, then: Any) -> QTimer:
    timer = QTimer()
    timer.setSingleShot(True)
    timer.setInterval(interval_ms)
    timer.timeout.connect(then)
    return timer
