"""What lies beyond the border of an image: its mirror image, or an even grey."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

PixelT = TypeVar("PixelT", bound=np.generic)


def mirrored_index(start: int, stop: int, size: int) -> npt.NDArray[np.intp]:
    """Return the pixels that stand for positions along an axis, those beyond its ends mirrored.

    Any constant would make an edge along the border of an unevenly lit image, and networks see
    particles in edges.

    Parameters
    ----------
    start, stop : int
        First position, and the one after the last; below 0 and beyond `size` too.
    size : int
        Pixels along the axis, 1 or more.

    Returns
    -------
    array of shape (stop - start,)
        Each between 0 and `size` - 1: ... 1 0 | 0 1 2 ... n-1 | n-1 n-2 ...
    """
    folded = np.arange(start, stop, dtype=np.intp) % (2 * size)
    return np.where(folded < size, folded, 2 * size - 1 - folded)


def mirrored_region(
    image: npt.NDArray[PixelT],
    start: Sequence[int] | npt.NDArray[np.int_],
    extent: Sequence[int],
) -> npt.NDArray[PixelT]:
    """Return a region of an image that may reach beyond its border, as a copy.

    Parameters
    ----------
    image : array of shape (y, x) or (z, y, x)
        May be memory-mapped; only the region is read.
    start : sequence of int
        First pixel (z)yx of the region; may be negative.
    extent : sequence of int
        Its size along each axis.
    """
    axes = zip(start, extent, image.shape, strict=True)
    index = [mirrored_index(int(a), int(a) + int(n), size) for a, n, size in axes]
    # The smallest block that holds all of them is read first: a memory map is not read whole.
    low = [int(values.min()) for values in index]
    block = image[tuple(slice(a, int(v.max()) + 1) for a, v in zip(low, index, strict=True))]
    moved: Any = np.ix_(*[values - a for values, a in zip(index, low, strict=True)])
    return np.ascontiguousarray(np.asarray(block)[moved])


def mean_beyond(
    region: npt.NDArray[np.float32],
    start: Sequence[int] | npt.NDArray[np.int_],
    shape: Sequence[int],
) -> npt.NDArray[np.float32]:
    """Return a region whose pixels beyond the border of the image are the mean of the others.

    Parameters
    ----------
    region : array of float32
        As `mirrored_region` gives it.
    start : sequence of int
        Its first pixel (z)yx in the image.
    shape : sequence of int
        Of the image. A region that lies wholly outside stays as it is.
    """
    axes = zip(start, region.shape, shape, strict=True)
    inside = tuple(
        slice(max(-int(a), 0), max(min(int(size) - int(a), n), 0)) for a, n, size in axes
    )
    known = region[inside]
    if not np.isfinite(known).any():
        return region
    filled = np.full_like(region, np.nanmean(known, dtype=np.float64))
    filled[inside] = known
    return filled
