"""Cut boxes out of images: at fractions of a pixel, beyond the border, smoothed, reduced."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from napari_cryoml.preprocess._border import mean_beyond, mirrored_region
from napari_cryoml.preprocess._rescale import _crop_axis, _crop_half

Boxes: TypeAlias = npt.NDArray[np.float32]
Border: TypeAlias = Literal["mirror", "mean", "drop"]

_SHIFT_MARGIN = 4  # pixels that keep what wraps around out of the box
_SIGMAS = 3  # reach of a Gaussian


@dataclass(frozen=True, slots=True)
class BoxCutting:
    """How a box is cut out of an image.

    Parameters
    ----------
    sub_voxel : bool, default False
        Move each box by the fraction of a pixel that its pick lies off the nearest pixel.
    border : {"mirror", "mean", "drop"}
        What lies beyond the border of the image: its mirror image, or the mean of the rest of the
        box; or boxes that leave the image are left out.
    smooth_px : float, default 0
        Sigma of a Gaussian in pixels of the image; 0 for none.
    invert : bool, default False
        Turn dark into bright.
    """

    sub_voxel: bool = False
    border: Border = "mirror"
    smooth_px: float = 0.0
    invert: bool = False

    @property
    def margin(self) -> int:
        """Pixels around a box that are read with it, for the filters."""
        shift = _SHIFT_MARGIN if self.sub_voxel else 0
        return max(shift, ceil(_SIGMAS * self.smooth_px))

    def boxes(self, pixels: Any, positions: npt.NDArray[np.float64], box: int, size: int) -> Boxes:
        """Return the boxes around some positions.

        Parameters
        ----------
        pixels : array of shape (y, x) or (z, y, x)
            Or what is sliced like one; regions alone are asked for.
        positions : array of shape (k, ndim)
            Pixel (z)yx.
        box, size : int
            Side in pixels of the image, and once it is reduced.

        Returns
        -------
        array of shape (k, size, size) or (k, size, size, size), float32
        """
        starts, margin = box_starts(positions, box), self.margin
        extent = box + 2 * margin
        boxes = np.empty((len(starts), *[extent] * positions.shape[1]), np.float32)
        for place, start in zip(boxes, starts - margin, strict=True):
            place[...] = self._region(pixels, start, extent)
        boxes = _mended(boxes)
        if margin:
            fractions = (
                positions - starts - box // 2 if self.sub_voxel else np.zeros_like(positions)
            )
            inner = (slice(margin, margin + box),) * positions.shape[1]
            filtered = [self._filtered(b, f)[inner] for b, f in zip(boxes, fractions, strict=True)]
            boxes = np.stack(filtered) if filtered else boxes[(slice(None), *inner)]
        boxes = _reduced(boxes, size)
        return -boxes if self.invert else boxes

    def _region(self, pixels: Any, start: npt.NDArray[np.intp], extent: int) -> Boxes:
        """Return the box that begins at a pixel; one beyond the border is slower."""
        if (start >= 0).all() and (start + extent <= pixels.shape).all():
            return pixels[tuple(slice(int(first), int(first) + extent) for first in start)]
        region = mirrored_region(pixels, start, (extent,) * len(start))
        return mean_beyond(region, start, pixels.shape) if self.border == "mean" else region

    def _filtered(self, box: Boxes, fraction: npt.NDArray[np.float64]) -> Boxes:
        """Return a box with its pick in the middle of a pixel, and smoothed.

        Both are factors in Fourier space. Only the contrast is transformed: single precision would
        lose it beside a large mean.
        """
        mean = np.float32(box.mean(dtype=np.float64))
        length = box.shape[-1]
        coefficients = fft.rfftn(box - mean)
        if fraction.any():
            coefficients = ndimage.fourier_shift(coefficients, -fraction, n=length)
        if self.smooth_px:
            coefficients = ndimage.fourier_gaussian(coefficients, self.smooth_px, n=length)
        return np.asarray(fft.irfftn(coefficients, s=box.shape) + mean, np.float32)


def box_starts(positions: npt.NDArray[np.float64], box: int) -> npt.NDArray[np.intp]:
    """Return the first pixel of each box: that at ``box // 2`` is the one nearest to the pick."""
    return np.floor(positions + 0.5).astype(np.intp) - box // 2


def _mended(boxes: Boxes) -> Boxes:
    """Replace what is not finite in a box by the median of the rest."""
    finite = np.isfinite(boxes)
    axes = tuple(range(1, boxes.ndim))
    for row in np.flatnonzero(~finite.all(axis=axes) & finite.any(axis=axes)):
        boxes[row][~finite[row]] = np.median(boxes[row][finite[row]])
    return boxes


def _reduced(boxes: Boxes, size: int) -> Boxes:
    """Return boxes of shape (k, *box) with `size` pixels a side, as `fourier_rescale` does it."""
    if size == boxes.shape[-1]:
        return boxes
    axes = tuple(range(1, boxes.ndim))
    # Single precision is enough for the contrast only once the (large) mean has gone.
    means = boxes.mean(axis=axes, keepdims=True, dtype=np.float64).astype(np.float32)
    values = boxes - means
    coefficients = _crop_half(fft.rfft(values, axis=-1), values, size)
    for axis in axes[:-1]:
        coefficients = _crop_axis(fft.fft(coefficients, axis=axis), axis, size)
    small = fft.irfftn(coefficients, s=(size,) * len(axes), axes=axes)
    ratio = np.float32((size / boxes.shape[-1]) ** len(axes))
    return np.asarray(small * ratio + means, np.float32)
