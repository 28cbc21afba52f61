"""Fluorescence images as layers, one a channel."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._napari._image_layers import KEY, LayerData
from napari_cryoml.io import CellImage

_COLOURS = ("green", "magenta", "cyan", "yellow", "red", "blue")
_CONTRAST_PERCENT = (1.0, 99.8)
_SAMPLE_STEP_PX = 512  # of every side, at most this many pixels tell the contrast


def cell_image_layers(image: CellImage) -> list[LayerData]:
    """Return one Image layer a channel, coloured and added to each other.

    Parameters
    ----------
    image : CellImage
        Of one channel or several; the pixels stay on disk where they can.
    """
    pixels = image.pixels()
    return [_layer(image, np.asarray(pixels[number]), number) for number in range(image.shape[0])]


def _layer(image: CellImage, channel: npt.NDArray[Any], number: int) -> LayerData:
    pixel = image.pixel_size or 1.0
    label = image.channels[number] if image.channels else f"channel {number}"
    attributes = {
        "name": f"{label} · {image.name}" if image.shape[0] > 1 else image.name,
        "scale": (pixel, pixel),
        "units": ("angstrom" if image.pixel_size else "pixel",) * 2,
        "axis_labels": ("y", "x"),
        "colormap": _COLOURS[number % len(_COLOURS)] if image.shape[0] > 1 else "gray",
        "blending": "additive",
        "contrast_limits": _contrast(channel),
        "rgb": False,
        "multiscale": False,
        "metadata": {
            KEY: {
                "image": image.name,
                "path": str(image.paths[number if len(image.paths) > 1 else 0]),
                "pixel_size": image.pixel_size,
                "channel": label,
            }
        },
    }
    return channel, attributes, "image"


def _contrast(channel: npt.NDArray[Any]) -> tuple[float, float]:
    """Return limits that leave out the darkest and the brightest pixels."""
    rows, columns = (max(length // _SAMPLE_STEP_PX, 1) for length in channel.shape)
    sample = channel[::rows, ::columns]
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return 0.0, 1.0
    low, high = (float(one) for one in np.percentile(sample, _CONTRAST_PERCENT))
    return (low, high) if high > low else (low, low + 1.0)
