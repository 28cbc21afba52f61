"""Rings and crosses of a Points layer, changed by as little as possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

POSITIVE_COLOUR = "#009E73"
NEGATIVE_COLOUR = "#D55E00"
PICK_COLOUR = "#56B4E9"

_CROSS_SIZE = 0.4
"""Size of a cross as a share of that of a ring."""


@dataclass(frozen=True, slots=True, eq=False)
class Dots:
    """What a Points layer is to hold.

    Parameters
    ----------
    positions : array of shape (n, ndim)
    features : mapping of str to array of shape (n,)
    crosses : array of shape (n,), bool
        Which are crosses; the others are rings.
    ring_colour : str
        As "#RRGGBB"; crosses are in the colour of negatives.
    diameter_px : float
        Of a ring.
    colours : array of shape (n, 4), float32, optional
        RGBA of each ring, 0 to 1; a row of NaN stands for `ring_colour`.
    shown : array of shape (n,), bool, optional
        Which are seen; all by default. The others are there, but transparent.
    """

    positions: npt.NDArray[np.float64]
    features: Mapping[str, npt.NDArray[Any]]
    crosses: npt.NDArray[np.bool_]
    ring_colour: str
    diameter_px: float
    colours: npt.NDArray[np.float32] | None = None
    shown: npt.NDArray[np.bool_] | None = None

    @property
    def sizes(self) -> npt.NDArray[np.float64]:
        """Diameter of each ring and cross."""
        return self.diameter_px * np.where(self.crosses, _CROSS_SIZE, 1.0)

    @property
    def symbols(self) -> npt.NDArray[np.str_]:
        """Name of each symbol."""
        return np.where(self.crosses, "x", "disc")

    @property
    def border_colours(self) -> npt.NDArray[np.float32]:
        """One RGBA row each; arrays are cheaper for napari than names."""
        table = np.array([_rgba(self.ring_colour), _rgba(NEGATIVE_COLOUR)], np.float32)
        colours = np.asarray(table[self.crosses.astype(np.intp)])
        if self.colours is not None:
            painted = ~self.crosses & ~np.isnan(self.colours[:, 0])
            colours[painted] = self.colours[painted]
        if self.shown is not None:
            # napari's own `shown` counts only where an axis is sliced, and costs as much again.
            colours[~self.shown] = 0
        return colours

    @property
    def face_colours(self) -> npt.NDArray[np.float32]:
        """Crosses are filled, rings are not."""
        faces = self.border_colours
        faces[~self.crosses] = 0
        return faces


def show_dots(layer: Any, dots: Dots) -> None:
    """Make `layer` hold `dots`.

    napari computes and draws a whole layer again at each assignment, so that one which changes
    nothing costs as much as one that does: only what differs is assigned.
    """
    if not np.array_equal(layer.data, dots.positions):
        if layer.selected_data:
            layer.selected_data = set()
        layer.data = dots.positions.copy()
    # With the data: napari keeps old rows and fills up new ones by itself.
    if not _same_table(layer.features, dots.features):
        # Of a dictionary napari keeps no categories.
        layer.features = pd.DataFrame(dict(dots.features))
    if not len(dots.positions):
        return
    if not np.allclose(layer.border_color, dots.border_colours):
        layer.border_color = dots.border_colours
    if not np.allclose(layer.face_color, dots.face_colours):
        layer.face_color = dots.face_colours
    if not _same_symbols(layer.symbol, dots.symbols):
        layer.symbol = dots.symbols
    if not np.allclose(layer.size, dots.sizes):
        layer.size = dots.sizes


def _same_symbols(drawn: npt.NDArray[Any], wanted: npt.NDArray[Any]) -> bool:
    # There are two of them; to turn each dot's into text, or to compare it, would take
    # milliseconds.
    kinds = np.fromiter(map(id, drawn.tolist()), np.int64, len(drawn))
    different, first = np.unique(kinds, return_index=True)
    return len(drawn) == len(wanted) and all(
        (wanted[kinds == kind] == str(drawn[at])).all()
        for kind, at in zip(different, first, strict=True)
    )


def _same_table(table: Any, columns: Mapping[str, npt.NDArray[Any]]) -> bool:
    return list(table) == list(columns) and all(
        _same_values(table[name], values) for name, values in columns.items()
    )


def _same_values(known: Any, wanted: Any) -> bool:
    # pandas turns text into a type of its own.
    if (str(known.dtype) == "category") != (str(wanted.dtype) == "category"):
        return False
    drawn, new = np.asarray(known), np.asarray(wanted)
    return np.array_equal(drawn, new, equal_nan=drawn.dtype.kind == new.dtype.kind == "f")


def _rgba(colour: str) -> list[float]:
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] + [1.0]
