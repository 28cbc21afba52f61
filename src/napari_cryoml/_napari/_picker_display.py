"""What of an image goes to the screen, with contrast limits that show particles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import ImageSource

HEAT_COLOURS = "inferno"
"""The heat map's colours, by napari's name."""

MAX_SIDE = 2048
MAX_VOXELS = 2**26

# Everything else napari converts anew each time it draws.
_QUICK_TYPES = frozenset(np.dtype(name) for name in ("u1", "i1", "u2", "i2", "f4"))
_SAMPLED_SLICES = 5
_HEAT_SAMPLE = 2**16


@dataclass(frozen=True, slots=True, eq=False)
class DisplayImage:
    """An image made ready for a layer; cheap to hand to napari.

    Parameters
    ----------
    name : str
    array : array of shape (y, x) or (z, y, x)
        Means of blocks of `binning` pixels along each axis, float32; of most volumes the pixels
        as they lie on disk, read slice by slice.
    binning : int
        Image pixels per displayed pixel.
    shape : tuple of int
        Shape of the image itself, in pixels.
    pixel_size : float or None
        Angstrom per pixel of the image itself.
    contrast_limits : tuple of float
        Darkest and brightest value shown.
    """

    name: str
    array: Any
    binning: int
    shape: tuple[int, ...]
    pixel_size: float | None
    contrast_limits: tuple[float, float]


def prepare_display(image: ImageSource) -> DisplayImage:
    """Return what is shown of `image`.

    A volume in a file that can be read slice by slice is not read here, but for the few slices
    that its contrast is found from. Anything else is read whole: averaging blocks of pixels makes
    low-contrast particles visible and keeps every later step on the GUI's thread short. Values
    that are not numbers become the smallest contrast limit.

    Raises
    ------
    InputError
        If the file has gone or cannot be read.
    """
    stored = _on_disk(image)
    if stored is not None:
        limits = contrast_limits(some_slices(stored))
        return DisplayImage(
            image.name, stored, 1, tuple(image.shape), image.pixel_size or None, limits
        )
    binning = display_binning(image.shape)
    array = _block_mean(image.read(), binning)
    limits = contrast_limits(array)
    bad = ~np.isfinite(array)
    if bad.any():
        array[bad] = limits[0]
    return DisplayImage(
        image.name, array, binning, tuple(image.shape), image.pixel_size or None, limits
    )


def _on_disk(image: ImageSource) -> Any | None:
    """Return the pixels of a volume as they are stored, if slices of them are drawn at once."""
    load = getattr(image, "lazy_array", None)
    if len(image.shape) == 2 or load is None or max(image.shape[-2:]) > MAX_SIDE:
        return None
    stored = load()
    # Chunks are decompressed at every slice: better once, as far as memory allows.
    mapped = isinstance(stored, np.ndarray) or np.prod(image.shape, dtype=float) > MAX_VOXELS
    return stored if mapped and draws_quickly(stored) else None


def draws_quickly(pixels: Any) -> bool:
    """Tell whether napari draws the type of these pixels without converting them each time."""
    return np.dtype(pixels.dtype) in _QUICK_TYPES


def some_slices(pixels: Any) -> npt.NDArray[Any]:
    """Return some slices of a volume side by side, so that a large one is not read as a whole."""
    if pixels.ndim == 2:
        return np.asarray(pixels)
    depth = pixels.shape[0]
    n_slices = min(_SAMPLED_SLICES, depth)
    # Not the first and the last: they are often empty, or full of artefacts.
    sections = (np.arange(n_slices) + 0.5) * depth / n_slices
    return np.concatenate([np.asarray(pixels[int(z)]) for z in sections])


def display_binning(shape: tuple[int, ...]) -> int:
    """Return by how much an image of `shape` pixels is binned for the screen."""
    binning = max(1, -(-max(shape[-2:]) // MAX_SIDE))
    while np.prod([side // binning for side in shape], dtype=np.float64) > MAX_VOXELS:
        binning += 1
    return binning


def contrast_limits(array: npt.NDArray[Any]) -> tuple[float, float]:
    """Return the 0.5 and 99.5 percentiles of a sample of `array`, never equal."""
    step = max(1, max(array.shape) // 512)
    sample = array[(slice(None, None, step),) * array.ndim]
    sample = sample[np.isfinite(sample)]
    if sample.size == 0:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(sample, (0.5, 99.5)))
    return (low, high) if high > low else (low, low + max(1.0, abs(low)))


def heat_limits(values: npt.NDArray[np.float32]) -> tuple[float, float]:
    """Return the contrast limits of a heat map: its median is black, its best peaks are bright.

    They are those of a sample: a volume has millions of points, and its limits are looked for at
    each click.
    """
    step = max(1, math.ceil((values.size / _HEAT_SAMPLE) ** (1 / values.ndim)))
    sample = values[(slice(None, None, step),) * values.ndim]
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(sample, (50, 99.8)))
    return (low, high) if high > low else (low, low + 1.0)


def widen(limits: tuple[float, float]) -> tuple[float, float]:
    """Return a range of contrast three times as wide as `limits`."""
    spread = limits[1] - limits[0]
    return limits[0] - spread, limits[1] + spread


def _block_mean(array: npt.NDArray[np.float32], binning: int) -> npt.NDArray[np.float32]:
    if binning == 1:
        return np.array(array, dtype=np.float32)
    kept = [side // binning for side in array.shape]
    whole = array[tuple(slice(0, n * binning) for n in kept)]
    blocks = whole.reshape([size for n in kept for size in (n, binning)])
    return blocks.mean(axis=tuple(range(1, 2 * array.ndim, 2)), dtype=np.float32)
