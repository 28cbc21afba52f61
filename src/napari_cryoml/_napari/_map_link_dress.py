"""Colours and columns of a Points layer of the user's, lent and given back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from napari.layers import LayerLock

from napari_cryoml._napari._map_link_rows import Painted


class LayerDress:
    """What a Points layer looks like by itself, and while a map paints it.

    Parameters
    ----------
    layer : napari.layers.Points
    """

    def __init__(self, layer: Any) -> None:
        self._layer = layer
        self._borders = np.array(layer.border_color, np.float32)
        self._faces = np.array(layer.face_color, np.float32)
        self._own_columns = [str(name) for name in layer.features]
        self._columns: list[str] = []
        # Deleting a Points layer right after a change can crash the canvas: napari asks first.
        self._lock, layer.locked = layer.locked, LayerLock.DELETION

    @property
    def own_ids(self) -> npt.NDArray[Any] | None:
        """The ids that the user keeps in the features (`id`), shape (n,), if there are any."""
        return self._layer.features["id"].to_numpy() if "id" in self._own_columns else None

    def put_on(self, painted: Painted, here: npt.NDArray[np.bool_]) -> None:
        """Paint the points that are `here`, a mask; the others look as they do by themselves."""
        borders, faces = self._borders.copy(), self._faces.copy()
        if painted.colours is not None:
            known = here & ~np.isnan(painted.colours[:, 0])
            borders[known] = painted.colours[known]
            # Rings stay rings.
            filled = known & (faces[:, 3] > 0)
            faces[filled] = painted.colours[filled]
        if painted.shown is not None:
            hidden = here & ~painted.shown
            # napari's own `shown` counts only where an axis is sliced; and it is the user's.
            borders[hidden] = faces[hidden] = 0
        self._show(borders, faces)
        self._write(dict(painted.columns or {}))

    def take_off(self) -> None:
        """Give back what the layer looks like by itself; columns stay."""
        self._layer.locked = self._lock
        self._show(self._borders, self._faces)

    def follow(self, event: Any) -> None:
        """Keep in step with points that came or went."""
        indices = [int(index) for index in event.data_indices]
        n_points = len(self._layer.data)
        if str(event.action.value) == "removed" and len(self._borders) - len(indices) == n_points:
            kept = np.delete(np.arange(len(self._borders)), indices)
        else:
            kept = np.arange(min(len(self._borders), n_points))
        n_new = n_points - len(kept)
        self._borders = _grown(self._borders[kept], self._layer.border_color, n_new)
        self._faces = _grown(self._faces[kept], self._layer.face_color, n_new)

    def _show(self, borders: npt.NDArray[np.float32], faces: npt.NDArray[np.float32]) -> None:
        layer = self._layer
        if not len(layer.data):
            return
        # napari draws a whole layer again at each assignment.
        if not np.allclose(layer.border_color, borders):
            layer.border_color = borders
        if not np.allclose(layer.face_color, faces):
            layer.face_color = faces

    def _write(self, columns: dict[str, Any]) -> None:
        # What the user keeps under one of these names is left alone.
        table = pd.DataFrame(self._layer.features)
        new = {name: values for name, values in columns.items() if name not in self._own_columns}
        kept = [name for name in table if name not in self._columns or name in new]
        wanted = table[kept].assign(**new)
        self._columns = [*new]
        if not wanted.equals(table):
            self._layer.features = wanted


def _grown(
    known: npt.NDArray[np.float32], drawn: npt.NDArray[Any], n_new: int
) -> npt.NDArray[np.float32]:
    new = np.asarray(drawn, np.float32)[len(drawn) - n_new :] if n_new else known[:0]
    return np.concatenate([known, new])
