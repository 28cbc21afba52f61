"""A quick segmentation of cells: bright pieces of a marker, taken apart where they touch."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import ndimage

from napari_cryoml._errors import InputError
from napari_cryoml._registry import Config

Image = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]

_SMOOTH_DISTANCE_PX = 1.0
_DARKEST_PERCENT, _BRIGHT_PERCENT = 0.5, 99.0
_UNIT_WITHOUT_NOISE = 0.05  # of the range between them, above a background of one level


class SegmentConfig(Config):
    """How cells are found in the marker channel."""

    smooth: float = Field(
        1.0, ge=0, description="Sigma in pixels of the Gaussian that smooths the marker first."
    )
    flatten: float = Field(
        0.0,
        ge=0,
        description="Sigma in pixels of a wide Gaussian that is taken off as uneven light, several "
        "cells wide; 0 for none.",
    )
    threshold: float = Field(
        1.0,
        gt=0,
        description="Times Otsu's threshold of the logarithm, counted from the darkest level: "
        "lower makes cells larger and finds dim ones.",
    )
    split: Literal["distance", "intensity", "none"] = Field(
        "distance",
        description="What takes touching cells apart: the distance to the background (round "
        "cells), the intensity of the marker (nuclei with bright middles), or nothing.",
    )
    spacing: int | None = Field(
        None,
        ge=1,
        description="Least distance in pixels between the middles of two touching cells; none for "
        "the radius of the usual cell in the image.",
    )
    smallest: int = Field(
        50, ge=1, description="Area in pixels below which a piece is no cell and is left out."
    )
    drop_border: bool = Field(
        False, description="Leave out cells that touch the border of the image."
    )


def segment_cells(marker: npt.ArrayLike, config: SegmentConfig | None = None) -> Labels:
    """Find cells in an image of a marker.

    The image is smoothed and cut at Otsu's threshold of its logarithm; holes are filled, and a
    watershed takes touching cells apart.

    Parameters
    ----------
    marker : array of shape (Y, X)
        Bright where cells are.
    config : SegmentConfig, optional

    Returns
    -------
    array of shape (Y, X), int32
        0 for the background, cells numbered from 1 without gaps. Where the image is of one value,
        there are none.

    Raises
    ------
    InputError
        If the image has other axes, holds no numbers, or no finite pixel.

    References
    ----------
    Otsu, IEEE Transactions on Systems, Man and Cybernetics 9, 62-66 (1979).
    """
    config = config or SegmentConfig()
    smooth = _smoothed(_checked(marker), config)
    bright = _bright(smooth, config.threshold)
    labels = _split(bright, smooth, config)
    return _kept(labels, config)


def _checked(marker: npt.ArrayLike) -> Image:
    """Return the image without pixels that are not finite."""
    image = np.asarray(marker)
    if image.ndim != 2 or image.dtype.kind not in "biuf" or not image.size:
        raise InputError(
            "Cells are found in one channel of axes (Y, X), numbers; an array of shape "
            f"{image.shape} and type {image.dtype} was given: choose the marker channel."
        )
    pixels = image.astype(np.float32)
    finite = np.isfinite(pixels)
    if not finite.any():
        raise InputError("The marker channel has no finite pixel: choose another one.")
    if not finite.all():
        pixels[~finite] = np.median(pixels[finite])
    return pixels


def _smoothed(image: Image, config: SegmentConfig) -> Image:
    smooth = ndimage.gaussian_filter(image, config.smooth) if config.smooth else image
    if config.flatten:
        smooth = smooth - ndimage.gaussian_filter(smooth, config.flatten)
    return np.asarray(smooth, np.float32)


def _bright(smooth: Image, factor: float) -> npt.NDArray[np.bool_]:
    from skimage.filters import threshold_otsu  # loads many modules

    low, unit = _levels(smooth)
    if not unit > 0:
        return np.zeros(smooth.shape, bool)
    scaled = np.log1p(np.maximum(smooth - low, 0) / unit)
    level = low + factor * unit * np.expm1(float(threshold_otsu(scaled)))
    return np.asarray(ndimage.binary_fill_holes(smooth > level), bool)


def _levels(smooth: Image) -> tuple[float, float]:
    """Return the darkest level, and how far the background lies above it; 0 for even images.

    In the logarithm of the distance in this unit, a few cells that are far brighter than the rest
    do not draw the threshold up to theirs.
    """
    levels = np.percentile(smooth, (_DARKEST_PERCENT, 50, _BRIGHT_PERCENT, 100))
    low, middle, bright, high = (float(one) for one in levels)
    if middle > low:
        return low, middle - low
    return low, _UNIT_WITHOUT_NOISE * ((bright if bright > low else high) - low)


def _split(bright: npt.NDArray[np.bool_], smooth: Image, config: SegmentConfig) -> Labels:
    """Return the connected pieces, those with several middles taken apart."""
    pieces, n = ndimage.label(bright)
    if config.split == "none" or not n:
        return np.asarray(pieces, np.int32)
    from skimage.segmentation import watershed

    distance = ndimage.distance_transform_edt(bright)
    spacing = config.spacing or _usual_radius(distance, pieces, config.smallest)
    height: Any = smooth
    if config.split == "distance":
        height = ndimage.gaussian_filter(distance, _SMOOTH_DISTANCE_PX)
    seeds = _seeds(height, pieces, n, spacing)
    return np.asarray(watershed(-height, seeds, mask=bright), np.int32)


def _usual_radius(distance: Any, pieces: Any, smallest: int) -> int:
    """Return the median radius of the pieces that are no specks, pixels."""
    areas = np.bincount(pieces.ravel())
    numbers = 1 + np.flatnonzero(areas[1:] >= smallest)
    if not len(numbers):
        return 1
    return max(round(float(np.median(ndimage.maximum(distance, pieces, numbers)))), 1)


def _seeds(height: Any, pieces: Any, n: int, spacing: int) -> npt.NDArray[np.int32]:
    """Return the middles of cells, numbered: peaks of a height, one at least a piece."""
    from skimage.feature import peak_local_max

    peaks = peak_local_max(height, min_distance=spacing, labels=pieces, exclude_border=False)
    bare = np.setdiff1d(np.arange(1, n + 1), pieces[tuple(peaks.T)])
    highest = ndimage.maximum_position(height, pieces, bare) if len(bare) else []
    peaks = np.concatenate([peaks, np.asarray(highest, np.intp).reshape(-1, 2)])
    seeds = np.zeros(pieces.shape, np.int32)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return seeds


def _kept(labels: Labels, config: SegmentConfig) -> Labels:
    """Return the labels without small pieces, and cells at the border if asked, renumbered."""
    areas = np.bincount(labels.ravel())
    keep = areas >= config.smallest
    if config.drop_border:
        for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
            keep[edge] = False
    keep[0] = False
    numbers = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    return numbers[labels]
