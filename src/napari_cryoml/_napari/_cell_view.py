"""Cells on the canvas: their labels, their classes as colours, clicks, and the camera."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from napari.utils.colormaps import CyclicLabelColormap

from napari_cryoml._napari._cell_channels import CLASSES_ROLE
from napari_cryoml._napari._map_link_mouse import LinkMouse
from napari_cryoml._napari._picker_camera import PickerCamera
from napari_cryoml._napari._picker_layer_book import TAG

FOUND_ROLE = "cells:found"
"""Tag of the layer of cells that we have found."""

FOUND_NAME, CLASSES_NAME = "Cells", "Classes of cells"
_OPACITY = 0.55
_MOST_COLOURS = 255
_CELL_PX = 40.0

Codes = npt.NDArray[np.uint8]
Palette = npt.NDArray[np.floating[Any]]


class OwnLayers:
    """The two Labels layers of ours: made once, found by a tag, and updated in place.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._palette: Palette | None = None

    def _of(self, role: str) -> Any | None:
        return next((one for one in self._viewer.layers if one.metadata.get(TAG) == role), None)

    @property
    def found(self) -> Any | None:
        """The cells that we have found, if the layer is there."""
        return self._of(FOUND_ROLE)

    @property
    def classes(self) -> Any | None:
        """The classes of cells, if the layer is there."""
        return self._of(CLASSES_ROLE)

    def show_found(self, labels: npt.NDArray[np.int32], over: Any) -> Any:
        """Show cells that were found in an image layer, and return their layer."""
        layer = self.found
        if layer is None:
            layer = self._make(FOUND_NAME, FOUND_ROLE, labels, over)
            layer.contour = 2
        else:
            layer.data = labels
            _lay_over(layer, over)
            layer.visible = True
        return layer

    def show_classes(self, labels: Any, codes: Codes, palette: Palette, over: Any) -> None:
        """Colour cells.

        Parameters
        ----------
        labels : array of shape (Y, X)
            Number of each cell.
        codes : array of shape (largest number + 1,), uint8
            Row of `palette` for each number.
        palette : array of shape (k, 4)
            RGBA, 0 to 1; at most 255 rows, the first of them transparent.
        over : napari.layers.Layer
            The layer of these labels, which tells where they lie.
        """
        palette = palette[:_MOST_COLOURS]
        numbers = np.asarray(labels)
        inside = np.minimum(numbers, len(codes) - 1)  # a number beyond is no cell of ours
        painted = np.where(numbers < len(codes), codes[inside], 0).astype(np.uint8)
        layer = self.classes
        if layer is None:
            colours = {"colormap": _colormap(palette), "opacity": _OPACITY}
            layer = self._make(CLASSES_NAME, CLASSES_ROLE, painted, over, **colours)
            self._palette = np.array(palette)
        elif layer.data.shape == painted.shape and layer.data.dtype == painted.dtype:
            layer.data[...] = painted
            layer.refresh()
        else:
            layer.data = painted
        _lay_over(layer, over)
        self._recolour(layer, palette)
        layer.visible = True

    def hide_classes(self) -> None:
        """Hide the colours."""
        if self.classes is not None:
            self.classes.visible = False

    def close(self) -> None:
        """Take the colours away; cells that were found stay: they are the user's now."""
        layer = self.classes
        if layer is not None:
            with suppress(ValueError):
                self._viewer.layers.remove(layer)

    def _recolour(self, layer: Any, palette: Palette) -> None:
        """Take other colours, unless they are the same."""
        if self._palette is None or not np.array_equal(self._palette, palette):
            self._palette = np.array(palette)
            layer.colormap = _colormap(palette)

    def _make(self, name: str, role: str, data: Any, over: Any, **values: Any) -> Any:
        """Add a layer, and leave the one active that was."""
        layers = self._viewer.layers
        selected, active = set(layers.selection), layers.selection.active
        layer = self._viewer.add_labels(
            data, name=name, metadata={TAG: role}, units=_units(over), **values
        )
        _lay_over(layer, over)
        if role == CLASSES_ROLE and selected:
            layers.selection.clear()
            layers.selection.update(selected)
            layers.selection.active = active
        return layer


def _colormap(palette: Palette) -> CyclicLabelColormap:
    """Return a colormap for numbers of rows of a palette, the first of them transparent.

    One that goes round: a direct one of napari compiles for seconds when it is first made.
    """
    return CyclicLabelColormap(colors=np.asarray(palette, np.float32))


def _units(over: Any) -> Any:
    return tuple(over.units[-2:])


def _lay_over(layer: Any, over: Any) -> None:
    """Give a layer of two axes the place of the last two of another one."""
    for name in ("scale", "translate"):
        wanted = np.asarray(getattr(over, name), float)[-2:]
        if not np.array_equal(getattr(layer, name), wanted):
            setattr(layer, name, wanted)


def write_features(layer: Any, table: dict[str, npt.NDArray[Any]]) -> None:
    """Write columns into the features of a Labels layer, row i for label i; others stay.

    Parameters
    ----------
    layer : napari.layers.Labels
    table : mapping of str to array of shape (n,)
        As `preprocess.dense_table` makes it.
    """
    known = layer.features
    frame = pd.DataFrame(table)
    if len(known) == len(frame):
        kept = [name for name in known.columns if name not in frame.columns]
        frame = pd.concat([frame, known[kept].reset_index(drop=True)], axis=1)
    layer.features = frame


def known_columns(
    layer: Any, numbers: npt.NDArray[Any], leave_out: Callable[[str], bool]
) -> dict[str, npt.NDArray[Any]]:
    """Return what the features of a Labels layer say of some labels, as their protein.

    Parameters
    ----------
    layer : napari.layers.Labels
    numbers : array of shape (n,), int
        Labels.
    leave_out : callable
        Takes the name of a column and tells whether it is passed over.

    Returns
    -------
    dict of str to array of shape (n,)
        Rows are found by the column ``label`` or ``index``, or else row i is label i. Nothing
        where neither is so.
    """
    table = layer.features
    by = next((name for name in ("label", "index") if name in table.columns), None)
    if by is not None:
        table = table.drop_duplicates(by).set_index(by)
    elif len(table) <= int(np.max(numbers, initial=0)):
        return {}
    found = table.reindex(numbers)
    return {
        str(name): _plain(found[name])
        for name in found.columns
        if str(name) not in ("label", "index") and not leave_out(str(name))
    }


def _plain(column: pd.Series) -> npt.NDArray[Any]:
    """Return a column as numbers or texts, "" where there is none."""
    if column.dtype.kind in "biuf":
        return column.to_numpy()
    return column.fillna("").astype(str).to_numpy().astype(np.str_)


class CellView:
    """Clicks on the cells of a Labels layer, and the way of the camera to them.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    """

    def __init__(self, viewer: Any) -> None:
        self._layer: Any | None = None
        self._viewer = viewer
        self._camera = PickerCamera(viewer, self)
        self.mouse = LinkMouse(viewer, self._number_at)
        """Says `clicked` and `hovered` with the number of a cell in place of a row."""

    def close(self) -> None:
        """Let go of the viewer."""
        self.mouse.close()
        self._layer = None

    def watch(self, layer: Any | None) -> None:
        """Listen for clicks on the cells of this layer, or of none."""
        self._layer = layer

    @property
    def layer(self) -> Any | None:
        """The layer of the cells, if it is still there."""
        return self._layer if self._layer in self._viewer.layers else None

    @property
    def diameter_world(self) -> float:
        """What is to be seen of a cell's surroundings, in the viewer's world."""
        return _CELL_PX * (1.0 if self._layer is None else abs(float(self._layer.scale[-1])))

    def to_world(self, position: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the place in the viewer's world of a pixel yx."""
        layer = self.layer
        if layer is None:
            return np.asarray(position, np.float64)
        return np.asarray(layer.data_to_world(np.asarray(position, float)), np.float64)

    def look_at(self, position: npt.ArrayLike, number: int = 0) -> None:
        """Bring a cell to the middle of the canvas, and make its number the selected one."""
        layer = self.layer
        if layer is None:
            return
        self._camera.look_at(position)
        if number:
            layer.selected_label = number

    def let_click(self) -> None:
        """Have the layer take clicks as clicks, not as strokes of a brush."""
        layer = self.layer
        if layer is not None and str(layer.mode) != "pan_zoom":
            layer.mode = "pan_zoom"

    def _number_at(self, position: npt.NDArray[np.float64]) -> int:
        """Return the number of the cell at a place in the world; -1 for none."""
        layer = self.layer
        if layer is None or (not layer.visible and not self._is_seen()):
            return -1
        place = np.asarray(layer.world_to_data(position[-layer.ndim :]))
        pixel = np.floor(place + 0.5).astype(int)
        if (pixel < 0).any() or (pixel >= layer.data.shape).any():
            return -1
        return int(np.asarray(layer.data[tuple(pixel)])) or -1

    def _is_seen(self) -> bool:
        """Whether the cells are seen by the colours of their classes alone."""
        return any(
            one.visible for one in self._viewer.layers if one.metadata.get(TAG) == CLASSES_ROLE
        )
