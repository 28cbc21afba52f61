"""Fourier cropping to a working grid, and positions there and back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

from napari_cryoml._errors import InputError


@dataclass(frozen=True, slots=True)
class Rescaling:
    """The step between an image and its working grid; pixel 0 lies on pixel 0.

    The ratio is that of the two shapes, not the factor that was asked for: a grid has a whole
    number of pixels, and the difference grows to many pixels at the far edge.

    Parameters
    ----------
    shape_in, shape_out : tuple of int
        Shapes (z)yx of the image and of the working grid.
    """

    shape_in: tuple[int, ...]
    shape_out: tuple[int, ...]

    @property
    def scale(self) -> npt.NDArray[np.float64]:
        """Image pixels per working pixel, shape (ndim,)."""
        return np.asarray(self.shape_in, np.float64) / np.asarray(self.shape_out, np.float64)

    def forward(self, positions: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return working pixels of image pixels, both (z)yx of shape (n, ndim)."""
        return np.asarray(np.asarray(positions, np.float64) / self.scale, np.float64)

    def inverse(self, positions: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return image pixels of working pixels, both (z)yx of shape (n, ndim)."""
        return np.asarray(np.asarray(positions, np.float64) * self.scale, np.float64)


def working_shape(
    shape: Sequence[int], diameter: float, working_diameter: float
) -> tuple[int, ...]:
    """Return the grid on which a particle of `diameter` pixels is `working_diameter` wide.

    Parameters
    ----------
    shape : sequence of int
        Shape (z)yx of the image, pixels.
    diameter : float
        Particle diameter in pixels of the image.
    working_diameter : float
        Particle diameter wanted, in working pixels. An image is never enlarged: where the
        particle is smaller than this, the working grid is the image's own.

    Returns
    -------
    tuple of int
        One pixel or more an axis, rounded to the nearest whole number.

    Raises
    ------
    InputError
        If the diameter is not positive, or larger than the image.
    """
    if not 0 < diameter <= max(shape):
        raise InputError(
            f"The particle diameter must lie between 0 and {max(shape)} pixels, the size of the "
            f"image; {diameter:g} was given: check the diameter and the pixel size."
        )
    factor = max(diameter / working_diameter, 1.0)
    return tuple(max(round(size / factor), 1) for size in shape)


def fourier_rescale(
    image: npt.NDArray[np.floating], shape_out: Sequence[int]
) -> npt.NDArray[np.float32]:
    """Return `image` on a coarser grid over the same field of view, free of aliasing.

    The Fourier coefficients that the new grid can hold are kept and the rest is dropped. Where
    the new length of an axis is even, the two coefficients that fall on its Nyquist frequency
    are added, which is what sampling the low-passed image gives.

    Parameters
    ----------
    image : array of shape (y, x) or (z, y, x)
        Finite values.
    shape_out : sequence of int
        New shape; an axis that would grow keeps its length instead.

    Returns
    -------
    array of float32
        Same mean intensity as `image`.
    """
    shape = tuple(min(new, old) for new, old in zip(shape_out, image.shape, strict=True))
    # Single precision is enough for the contrast only once the (large) mean has gone.
    mean = float(np.mean(image, dtype=np.float64))
    values = np.subtract(image, mean, dtype=np.float32)
    if shape == image.shape:
        return np.asarray(values + np.float32(mean), np.float32)
    workers = max((os.cpu_count() or 2) - 1, 1)
    coefficients = _crop_half(fft.rfft(values, axis=-1, workers=workers), values, shape[-1])
    for axis in range(image.ndim - 1):
        spectrum = fft.fft(coefficients, axis=axis, overwrite_x=True, workers=workers)
        coefficients = _crop_axis(spectrum, axis, shape[axis])
    coarse = fft.irfftn(coefficients, s=shape, overwrite_x=True, workers=workers)
    ratio = np.prod(shape, dtype=np.float64) / image.size
    return np.asarray(coarse * np.float32(ratio) + np.float32(mean), np.float32)


def _crop_half(
    half_spectrum: npt.NDArray[np.complexfloating], values: npt.NDArray[np.float32], size: int
) -> npt.NDArray[np.complexfloating]:
    """Keep what a last axis of `size` pixels holds of a one-sided spectrum."""
    kept = half_spectrum[..., : size // 2 + 1].copy()
    if size % 2 == 0 and size < values.shape[-1]:
        kept[..., -1] *= 2  # the mirrored coefficient is the conjugate; irfft keeps the real part
    return kept


def _crop_axis(
    spectrum: npt.NDArray[np.complexfloating], axis: int, size: int
) -> npt.NDArray[np.complexfloating]:
    """Keep what an axis of `size` pixels holds of a two-sided spectrum."""
    old = spectrum.shape[axis]
    if size == old:
        return spectrum
    rows = np.moveaxis(spectrum, axis, 0)
    positive = (size + 1) // 2
    kept = np.concatenate([rows[:positive], rows[old - size // 2 :]])
    if size % 2 == 0:
        kept[positive] += rows[positive]
    return np.moveaxis(kept, 0, axis)
