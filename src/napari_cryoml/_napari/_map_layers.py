"""The link between a map and any Points layer that lies over an Image layer."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.layers import Image, Points

from napari_cryoml import io
from napari_cryoml._errors import InputError
from napari_cryoml._napari._image_layers import KEY
from napari_cryoml._napari._map_link import LinkState, PickSource
from napari_cryoml._napari._map_link_dress import LayerDress
from napari_cryoml._napari._map_link_mouse import LinkMouse
from napari_cryoml._napari._picker_camera import PickerCamera
from napari_cryoml._napari._points_layers import layer_pixel_size
from napari_cryoml.data import UNLABELLED, ArrayImage, ImageSource, Picks, PicksTable
from napari_cryoml.project import Edit

LOST = "The layer {!r} was deleted: the map goes on without it."
_MEANT = ("image", "score", "id")
_LEAST_PX = 1.0


class LayerLink(LinkState):
    """Shows rows of a map among the points of a layer; a `MapLink`.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    points, image : napari.layers.Points, napari.layers.Image
        From `layer_pairs`.
    """

    can_label = False

    def __init__(self, viewer: Any, points: Any, image: Any) -> None:
        super().__init__()
        self._viewer, self._points, self._image = viewer, points, image
        self._there = self._open = True
        self._camera = PickerCamera(viewer, self)
        self._mouse = LinkMouse(viewer, self._row_at)
        self._mouse.hovered.connect(self._on_hover)
        self._mouse.clicked.connect(self._on_click)
        self._dress = LayerDress(points)
        points.events.data.connect(self._on_data)
        viewer.layers.events.removed.connect(self._on_removed)
        viewer.layers.events.inserted.connect(self._on_inserted)

    def close(self) -> None:
        """Give back the usual colours, and let go of the layer; once. Its new columns stay."""
        if not self._open:
            return
        self._open = False
        self._mouse.close()
        self._points.events.data.disconnect(self._on_data)
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self._viewer.layers.events.inserted.disconnect(self._on_inserted)
        if self._there:
            self._dress.take_off()

    @property
    def title(self) -> str:
        """Name of the layer."""
        return str(self._points.name)

    @property
    def images(self) -> list[str]:
        """Name of the image."""
        return [image_name(self._image)] if self._there else []

    @property
    def shown(self) -> str | None:
        """Name of the image."""
        return image_name(self._image) if self._there else None

    @property
    def ndim(self) -> int:
        """Number of axes of the image, 2 or 3."""
        return int(self._points.ndim)

    @property
    def n_picks(self) -> int:
        """Number of points, on the image or not."""
        return len(self._points.data) if self._there else 0

    @property
    def diameter_px(self) -> float:
        """Size of the points in pixels of the image."""
        return max(_diameter_px(self._points, self._image), _LEAST_PX)

    @property
    def diameter_world(self) -> float:
        """Size of the points in the viewer's world."""
        return self.diameter_px * abs(float(self._image.scale[-1]))

    def to_world(self, position: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the place in the viewer's world of an image pixel (z)yx."""
        return np.asarray(self._image.data_to_world(np.asarray(position, np.float64)))

    def picks_source(self) -> PickSource:
        """Return the points and the image below them.

        Raises
        ------
        InputError
            If there are no points on the image, or the image has colours.
        """
        return layer_source(self._points, self._image)

    def look_at(self, image: str, position: npt.ArrayLike) -> None:
        """Bring a pixel (z)yx of the image to the middle; places of other images are passed by."""
        if image == self.shown:
            self._camera.look_at(position)

    def label(self, rows: npt.ArrayLike, label: int) -> Edit | None:
        """Refuse: a layer takes no labels.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError("Labels go to the Picker: open these images there. Classes can be given.")

    def labels(self) -> npt.NDArray[np.int8]:
        """Return `UNLABELLED` for each row, shape (n,)."""
        return np.full(len(self._need_places()), UNLABELLED, np.int8)

    def _redraw(self) -> None:
        if not (self._there and self._open):
            return
        positions, here = _places(self._points, self._image)
        painted = self._painter(image_name(self._image), positions, self._dress.own_ids)
        self._dress.put_on(painted, here)

    def _row_at(self, world: npt.NDArray[np.float64]) -> int:
        places, image = self._painter.places, self.shown
        if places is None or image is None or places.ndim != self.ndim:
            return -1
        position = self._image.world_to_data(world)
        return int(places.at(image, position, self.diameter_px / 2)[0])

    def _on_data(self, event: Any) -> None:
        if str(event.action.value) not in ("added", "removed", "changed"):
            return
        self._dress.follow(event)
        self._redraw()
        self.changed.emit()

    def _on_removed(self, event: Any) -> None:
        if event.value in (self._points, self._image):
            self._there = False
            self.lost.emit(LOST.format(event.value.name))
            self.changed.emit()

    def _on_inserted(self, event: Any) -> None:
        layers = self._viewer.layers
        if not self._there and self._points in layers and self._image in layers:
            self._there = True
            self._redraw()
            self.changed.emit()

    def _on_hover(self, row: int) -> None:
        self.hovered.emit(row)

    def _on_click(self, row: int, mode: str) -> None:
        self.clicked.emit(row, mode)


def layer_pairs(viewer: Any) -> list[tuple[Any, Any]]:
    """Return each Points layer of the user's with the Image layer that lies below it, as pairs.

    Layers of the Picker are left out, and points that have no image of as many axes below them.
    """
    pairs = []
    for points in viewer.layers:
        if isinstance(points, Points) and not _is_ours(points) and points.ndim in (2, 3):
            image = _image_below(viewer, points)
            if image is not None:
                pairs.append((points, image))
    return pairs


def _image_below(viewer: Any, points: Any) -> Any | None:
    below = list(viewer.layers)[: viewer.layers.index(points)]
    fitting = [
        layer
        for layer in below
        if isinstance(layer, Image) and layer.ndim == points.ndim and not _is_stack(layer)
    ]
    return fitting[-1] if fitting else None


def _is_ours(layer: Any) -> bool:
    return isinstance(layer.metadata.get(KEY), str)


def _is_stack(image: Any) -> bool:
    """Return whether a layer is one of ours, or its first axis goes through images."""
    known = image.metadata.get(KEY)
    return _is_ours(image) or (isinstance(known, dict) and "images" in known)


def image_name(image: Any) -> str:
    """Return the name of the image in a layer: that of its file where we have opened it."""
    known = image.metadata.get(KEY)
    name = known.get("image") if isinstance(known, dict) else None
    return str(name or image.name)


def layer_source(points: Any, image: Any) -> PickSource:
    """Return the points of a layer and the image below them, as picks and their source.

    Scores come from the features (`score`), and so does everything else that is known of each.

    Raises
    ------
    InputError
        If there are no points on the image, or the image has colours.
    """
    if image.rgb:
        raise InputError(f"The image {image.name!r} has colours: choose one of grey values.")
    name = image_name(image)
    positions, here = _places(points, image)
    here &= np.isfinite(positions).all(axis=1)
    if not here.any():
        raise InputError(f"No point of {points.name!r} lies on {name!r}: add some, or open picks.")
    source = _image_source(image, name)
    rotations = io.rotations_of(points.features) if points.ndim == 3 else None
    taken = _MEANT if rotations is None else (*_MEANT, *io.POSE_COLUMNS)
    columns = {
        str(column): np.asarray(values)[here]
        for column, values in points.features.items()
        if column not in taken
    }
    scores = points.features.get("score")
    diameter_px = max(_diameter_px(points, image), _LEAST_PX)
    picks = Picks(
        name,
        positions[here],
        None if scores is None else np.asarray(scores, np.float32)[here],
        source.pixel_size,
        diameter_px,
        {column: values for column, values in columns.items() if values.ndim == 1},
        None if rotations is None else rotations[here],
    )
    return PickSource((source,), PicksTable.of([picks]), {name: diameter_px})


def _image_source(image: Any, name: str) -> ImageSource:
    data = image.data[0] if image.multiscale else image.data
    known = image.metadata.get(KEY)
    path = known.get("path") if isinstance(known, dict) else None
    if path and Path(path).exists():
        # A file travels to other processes by its name, not by its pixels.
        with suppress(InputError):
            for source in io.open_images([path]):
                if source.name == name and tuple(source.shape) == tuple(data.shape):
                    return source
    attributes = {"units": [str(unit) for unit in image.units], "scale": image.scale}
    return ArrayImage(data, name, layer_pixel_size(attributes))


def _places(points: Any, image: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return the pixel (z)yx of all points in an image, and which of them belong to it."""
    positions = np.asarray(points.data, np.float64)
    matrix, offset = _affine(image)
    inverse = np.linalg.inv(matrix)
    own_matrix, own_offset = _affine(points)
    places = (positions @ own_matrix.T + own_offset - offset) @ inverse.T
    here = np.ones(len(places), bool)
    if "image" in points.features:
        names = points.features["image"].to_numpy()
        if image_name(image) in set(names.tolist()):
            here = names == image_name(image)
    return places, here


def _affine(layer: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the matrix and offset that lead from a layer's data to the world."""
    ndim = layer.ndim
    offset = np.asarray(layer.data_to_world(np.zeros(ndim)))
    columns = [np.asarray(layer.data_to_world(axis)) - offset for axis in np.eye(ndim)]
    return np.stack(columns, axis=1), offset


def _diameter_px(points: Any, image: Any) -> float:
    sizes = np.asarray(points.size, np.float64)
    median = float(np.median(sizes)) if sizes.size else float(points.current_size)
    return median * abs(float(points.scale[-1]) / float(image.scale[-1]))
