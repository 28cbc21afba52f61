"""Open images and coordinate files that are dropped onto napari."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import napari
from napari.utils.notifications import show_error

from napari_cryoml._errors import InputError
from napari_cryoml._napari._cell_image_layers import cell_image_layers
from napari_cryoml._napari._image_layers import KEY, LayerData, image_layers, stack_layer
from napari_cryoml._napari._points_layers import points_layers
from napari_cryoml._napari._points_poses import watch_new_points
from napari_cryoml.io import (
    FORMATS,
    CellImage,
    is_image,
    open_images,
    read_cell_image,
    read_picks,
)

ReaderFunction = Callable[[str | list[str]], list[LayerData]]

# Files of these suffixes are often something else; they are ours only if a format knows them.
_SHARED_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".tab", ".json", ".em"})


def get_reader(path: str | list[str]) -> ReaderFunction | None:
    """Return the function that reads `path`, or None if it is not for us.

    Called by napari for files and folders that are dropped, opened in the menu, or named on its
    command line (``napari --plugin napari-cryoml mic.mrc``).

    Parameters
    ----------
    path : str or list of str
        A list is what the user wants as one stack.
    """
    paths = [Path(path)] if isinstance(path, str) else [Path(one) for one in path]
    if paths and all(_is_image(one) for one in paths):
        return _announced(_read_images)
    if paths and all(_is_coordinates(one) for one in paths):
        return _announced(_read_points)
    return None


def _announced(read: Callable[[list[Path]], list[LayerData]]) -> ReaderFunction:
    """Show the sentence of an InputError; napari's own message would hide it in a traceback."""

    def reader(path: str | list[str]) -> list[LayerData]:
        try:
            return read([Path(path)] if isinstance(path, str) else [Path(one) for one in path])
        except InputError as error:
            show_error(str(error))
            raise

    return reader


def _is_image(path: Path) -> bool:
    return is_image(path) or _holds_images(path)


def _holds_images(path: Path) -> bool:
    try:
        return path.is_dir() and any(is_image(one) for one in path.iterdir())
    except OSError:
        return False


def _is_coordinates(path: Path) -> bool:
    suffix = path.suffix.lower()
    known = [f for f in FORMATS.values() if suffix in f.suffixes and f.read is not None]
    if not path.is_file() or suffix not in _SHARED_SUFFIXES:
        return bool(known) and not path.is_dir()
    try:
        return any(entry.recognises is None or entry.recognises(path) for entry in known)
    except (InputError, OSError):
        return False


def _read_images(paths: Sequence[Path]) -> list[LayerData]:
    try:
        images = open_images(paths)
    except InputError:
        channels = _several_channels(paths)
        if channels is None:
            raise
        return cell_image_layers(channels)
    wants_stack = len(paths) > 1 or _holds_images(paths[0])
    one_shape = len({image.shape for image in images}) == 1
    if wants_stack and one_shape and len(images) > 1:
        name = paths[0].name if len(paths) == 1 else f"{images[0].name} ... {images[-1].name}"
        return [stack_layer(images, name)]
    return image_layers(images)


def _several_channels(paths: Sequence[Path]) -> CellImage | None:
    """Return the one image that is opened if it has several channels, as those of cells have."""
    try:
        image = read_cell_image(paths[0]) if len(paths) == 1 else None
    except InputError:
        return None
    return image if image is not None and image.shape[0] > 1 else None


def _read_points(paths: Sequence[Path]) -> list[LayerData]:
    watch_new_points()
    layers = []
    for path in paths:
        layers += points_layers(read_picks(path), path, _images_on_show())
    return layers


def _images_on_show() -> dict[str, float | None]:
    """Return the pixel size of each image that we have opened in the viewer, by name."""
    viewer = napari.current_viewer()
    known: list[Any] = (
        [] if viewer is None else [layer.metadata.get(KEY) for layer in viewer.layers]
    )
    return {
        entry["image"]: entry.get("pixel_size")
        for entry in known
        if isinstance(entry, dict) and "image" in entry
    }
