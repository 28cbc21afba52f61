"""Images of files as layers, read when they are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._napari._picker_display import contrast_limits, draws_quickly, some_slices
from napari_cryoml.io import FileImage

KEY = "napari_cryoml"
"""Under this key of a layer's metadata lies what we know about it."""

LayerData = tuple[Any, dict[str, Any], str]


@dataclass(frozen=True, slots=True, eq=False)
class ImageStack:
    """Images of one shape as an array of one axis more; slicing reads what it needs.

    Parameters
    ----------
    images : sequence of FileImage
        All of one shape.
    """

    images: Sequence[FileImage]

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, y, x) or (n, z, y, x)."""
        return (len(self.images), *self.images[0].shape)

    @property
    def ndim(self) -> int:
        """Number of axes, that of the images counted."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[np.float32]:
        """Float32, whatever the files hold."""
        return np.dtype(np.float32)

    @property
    def size(self) -> int:
        """Number of pixels."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, key: Any) -> npt.NDArray[np.float32]:
        first, *rest = key if isinstance(key, tuple) else (key,)
        if first is Ellipsis:
            first, rest = slice(None), [Ellipsis, *rest]
        if isinstance(first, slice):
            chosen = [image.read()[tuple(rest)] for image in self.images[first]]
            return np.stack(chosen) if chosen else np.empty((0, *self.shape[1:]), np.float32)
        return np.asarray(self.images[int(first)].read()[tuple(rest)])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.asarray(self[:], dtype=dtype)


def image_layers(images: Sequence[FileImage]) -> list[LayerData]:
    """Return one layer an image; images of one stack file make one layer together.

    Pixels of volumes stay on disk; those of a 2-D image are read, as float32.
    """
    layers = []
    for image in images:
        if image.index is None:
            layers.append(_layer(image))
        elif image.index == 0:
            layers.append(stack_layer([i for i in images if i.path == image.path], image.path.name))
    return layers


def stack_layer(images: Sequence[FileImage], name: str) -> LayerData:
    """Return images of one shape as one layer with a slider."""
    first = images[0]
    attributes = {
        **_common(first, leading=("image",)),
        "name": name,
        "contrast_limits": contrast_limits(first.read()),
        "metadata": {
            KEY: {
                "images": [image.name for image in images],
                "paths": [str(image.path) for image in images],
                "pixel_size": first.pixel_size,
            }
        },
    }
    return ImageStack(images), attributes, "image"


def _layer(image: FileImage) -> LayerData:
    pixels = _pixels(image)
    attributes = {
        **_common(image),
        "name": image.name,
        "contrast_limits": contrast_limits(some_slices(pixels)),
        "metadata": {
            KEY: {
                "image": image.name,
                "path": str(image.path),
                "pixel_size": image.pixel_size,
            }
        },
    }
    return pixels, attributes, "image"


def _pixels(image: FileImage) -> Any:
    if len(image.shape) == 2:
        return image.read()
    stored = image.lazy_array()
    return stored if draws_quickly(stored) else image.read()


def _common(image: FileImage, leading: tuple[str, ...] = ()) -> dict[str, Any]:
    ndim = len(image.shape)
    pixel = image.pixel_size or 1.0
    unit = "angstrom" if image.pixel_size else "pixel"
    return {
        "scale": (1.0,) * len(leading) + (pixel,) * ndim,
        "units": ("pixel",) * len(leading) + (unit,) * ndim,
        "axis_labels": leading + ("z", "y", "x")[-ndim:],
        "projection_mode": "none",  # the Picker thickens slices, for points alone
        "rgb": False,
        "multiscale": False,
    }
