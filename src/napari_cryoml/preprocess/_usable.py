"""Where an image shows something: not its padding, not the borders that were repeated."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_cryoml._errors import InputError
from napari_cryoml.preprocess._rescale import Rescaling

Image = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]
Box = list[tuple[int, int]]  # the first and the last usable pixel along each axis

_REPEATED = 0.25  # of the usual change between neighbours; after a JPEG, repeats are below 0.1
_LEAST_PLANES = 3
_THIN_STRIP = 0.05  # of an axis
_POINTS_A_PLANE = 256
_POINTS_A_DIAMETER = 7
_BLOCK_POINTS = 5


def usable_mask(
    image: Image, diameter_px: float, step: Rescaling | None = None, *, margin: float = 0.25
) -> Mask:
    """Return where a particle may be centred.

    Two things are found and left out. Bands along a side whose planes (rows and columns in 2-D)
    repeat their neighbours: padding, and borders filled by repeating the outermost pixels; a thin
    strip beyond such a band goes with it. And flat blocks of any outline, as the corners of a
    frame that was turned.

    Give the image as it lies on disk, with the step to the grid the mask is wanted on. There,
    repeated pixels are equal but for the rounding of a JPEG. On a working grid they are not:
    Fourier cropping rings at the edge of a band and where the two ends of an axis meet, most
    where the padding is much darker than the ice.

    Parameters
    ----------
    image : array of shape (y, x) or (z, y, x)
        Pixels that are not finite count as padding.
    diameter_px : float
        Particle diameter in pixels of `image`.
    step : Rescaling, optional
        From `image` to the grid of the mask; by default the mask lies on the pixels of `image`.
    margin : float, default 0.25
        Diameters that a centre must keep from the border of what is usable. No axis loses more
        than half of its usable length by this.

    Returns
    -------
    array of bool
        Of shape `step.shape_out`: True where the image shows something. All False for an image of
        a single value.

    Raises
    ------
    InputError
        If `step` does not start at this image, the diameter is not positive, or the margin is
        negative.
    """
    step = Rescaling(image.shape, image.shape) if step is None else step
    _check(image, diameter_px, step, margin)
    changes = [_change_between_planes(image, axis) for axis in range(image.ndim)]
    # More than half of an axis may be padding, and then the median change would be none.
    usual = [float(np.percentile(change, 75)) if change.size else 0.0 for change in changes]
    if not max(usual) > 0:
        return np.zeros(step.shape_out, bool)
    box = [
        _between_bands(change <= _REPEATED * typical)
        for change, typical in zip(changes, usual, strict=True)
    ]
    mask = _inside(box, diameter_px * margin, step)
    blocks, stride_px = _flat_blocks(image, usual, box, diameter_px, step)
    if blocks.any():
        mask &= _away_from(blocks, stride_px, box, diameter_px * margin, step)
    return mask


def _check(image: Image, diameter_px: float, step: Rescaling, margin: float) -> None:
    if tuple(step.shape_in) != image.shape:
        raise InputError(
            f"The step to the grid of the mask starts at an image of shape {step.shape_in}; "
            f"one of shape {image.shape} was given."
        )
    if not diameter_px > 0 or not margin >= 0:
        raise InputError(
            "A diameter above 0 pixels and a margin of 0 diameters or more were expected; "
            f"{diameter_px:g} and {margin:g} were given."
        )


def _change_between_planes(image: Image, axis: int) -> npt.NDArray[np.float64]:
    """Return the mean absolute difference of each plane across an axis to the next, shape (n-1,).

    Of each plane, some hundred evenly spread points are looked at.
    """
    others = image.ndim - 1
    points_an_axis = max(round(_POINTS_A_PLANE ** (1 / others)), 1) if others else 1
    thinned = tuple(
        slice(None) if other == axis else slice(None, None, max(size // points_an_axis, 1))
        for other, size in enumerate(image.shape)
    )
    planes = _without_holes(np.moveaxis(image[thinned], axis, 0)).reshape(image.shape[axis], -1)
    return np.asarray(np.abs(np.diff(planes, axis=0)).mean(axis=1, dtype=np.float64))


def _without_holes(values: Image) -> Image:
    """Return the values as signed floats; what is not finite becomes 0, as padding often is."""
    return np.nan_to_num(np.asarray(values, np.float32), nan=0.0, posinf=0.0, neginf=0.0)


def _between_bands(repeats: Mask) -> tuple[int, int]:
    """Return the first and the last plane of an axis that lie in no band at its ends."""
    return _band(repeats), len(repeats) - _band(repeats[::-1])


def _band(repeats: Mask) -> int:
    """Return how many planes from the first one on are a band.

    A band ends with a run of planes that repeat the one before. What lies outside may hold a
    strip that does not, wrapped around from the other side, say: it is thin.
    """
    if len(repeats) < _LEAST_PLANES:
        return 0
    runs = ndimage.binary_opening(repeats, np.ones(_LEAST_PLANES - 1, bool))
    n_repeat = np.cumsum(runs)
    n_other = np.arange(1, len(runs) + 1) - n_repeat
    thin = n_other <= np.minimum(n_repeat, _THIN_STRIP * len(runs))
    ends = np.flatnonzero(runs & thin)
    return int(ends[-1]) + 1 if ends.size else 0


def _inside(box: Box, margin_px: float, step: Rescaling) -> Mask:
    mask = np.ones(step.shape_out, bool)
    for axis, (low, high) in enumerate(box):
        keep_px = min(margin_px, max(high - low, 0) / 4)
        places_px = np.arange(step.shape_out[axis]) * step.scale[axis]
        usable = (places_px >= low + keep_px) & (places_px <= high - keep_px)
        mask &= usable.reshape([-1 if other == axis else 1 for other in range(mask.ndim)])
    return mask


def _flat_blocks(
    image: Image, usual: list[float], box: Box, diameter_px: float, step: Rescaling
) -> tuple[Mask, npt.NDArray[np.float64]]:
    """Return solid blocks of the box without contrast, on a coarse grid, and its stride.

    The stride is in image pixels. A block is about as wide as a particle, or wider: the inside of
    a gold bead may be flat too.
    """
    stride_px = np.maximum(step.scale, diameter_px / _POINTS_A_DIAMETER)
    grid = [
        np.minimum(np.rint(np.arange(low, high + 1, stride)).astype(np.intp), max(size - 2, 0))
        for (low, high), size, stride in zip(box, image.shape, stride_px, strict=True)
    ]
    here = _without_holes(image[np.ix_(*grid)])
    flat = np.ones(here.shape, bool)
    for axis, typical in enumerate(usual):
        if image.shape[axis] > 1:
            moved = [index + (other == axis) for other, index in enumerate(grid)]
            change = np.abs(_without_holes(image[np.ix_(*moved)]) - here)
            flat &= change <= _REPEATED * typical
    return _solid(flat), stride_px


def _solid(flat: Mask) -> Mask:
    """Return what is left of a mask when parts thinner than a block have gone."""
    core = ndimage.minimum_filter(flat, _BLOCK_POINTS, mode="nearest")
    if not core.any():
        return np.asarray(core, bool)
    return np.asarray(ndimage.maximum_filter(core, _BLOCK_POINTS, mode="nearest"), bool)


def _away_from(
    blocks: Mask, stride_px: npt.NDArray[np.float64], box: Box, margin_px: float, step: Rescaling
) -> Mask:
    """Return what keeps a margin from the blocks, on the grid of the mask."""
    far = ndimage.distance_transform_edt(~blocks, sampling=list(stride_px)) > margin_px
    nearest = []
    for axis, size in enumerate(blocks.shape):
        places_px = np.arange(step.shape_out[axis]) * step.scale[axis] - box[axis][0]
        rows = np.rint(places_px / stride_px[axis]).astype(np.intp)
        nearest.append(np.clip(rows, 0, size - 1))
    return np.asarray(far[np.ix_(*nearest)], bool)
