"""What is done to single intensities: holes mended, outliers clipped, percentiles matched."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError, InputWarning

Image = npt.NDArray[np.float32]

_ENOUGH_FOR_PERCENTILES = 1_000_000


def percentile_normalise(
    image: npt.NDArray[np.floating], low: float = 0.1, high: float = 99.9
) -> Image:
    """Clip `image` to two of its percentiles, then bring it to mean 0 and deviation 1.

    Parameters
    ----------
    image : array of shape (y, x) or (z, y, x)
        Finite values.
    low, high : float, default 0.1 and 99.9
        Percentages; 0 and 100 clip nothing.

    Returns
    -------
    array of float32

    Raises
    ------
    InputError
        If the image holds a single value.
    """
    clipped = clip_percentiles(image, low, high)
    spread = float(np.std(clipped, dtype=np.float64))
    if not spread > 0:  # a few bright pixels on a flat ground: they are all there is
        clipped, spread = np.asarray(image), float(np.std(image, dtype=np.float64))
    if not spread > 0:
        raise InputError("The image holds a single value: there is nothing to normalise.")
    centre = np.float32(np.mean(clipped, dtype=np.float64))
    return np.asarray((clipped - centre) / np.float32(spread), np.float32)


def clip_percentiles(image: npt.NDArray[np.floating], low: float, high: float) -> Image:
    """Return `image` clipped to its `low` and `high` percentile, as float32."""
    if low <= 0 and high >= 100:
        return np.asarray(image, np.float32)
    bottom, top = np.percentile(thin(image), (low, high))
    return np.asarray(np.clip(image, np.float32(bottom), np.float32(top)), np.float32)


def without_hot_pixels(image: Image) -> Image:
    """Return `image` with single absurd values drawn in.

    Whatever lies further outside the central 99.8 % of the values than these are wide is set to
    that bound: Fourier cropping would smear a hot pixel over its neighbourhood. Gold and ice stay
    as they are.
    """
    bottom, top = np.percentile(thin(image), (0.1, 99.9))
    reach = top - bottom
    low, high = np.float32(bottom - reach), np.float32(top + reach)
    if not reach > 0 or (image.min() >= low and image.max() <= high):
        return image
    return np.asarray(np.clip(image, low, high))


def mend(image: Image, name: str) -> Image:
    """Return `image` without NaN and infinity.

    Raises
    ------
    InputError
        If it holds a single finite value, or none.

    Warns
    -----
    InputWarning
        If pixels that are not finite were set to the median of the others.
    """
    finite = np.isfinite(image)
    n_bad = image.size - int(np.count_nonzero(finite))
    good = image if n_bad == 0 else image[finite]
    if good.size == 0 or float(good.min()) == float(good.max()):
        found = "no finite pixel" if good.size == 0 else f"{good.flat[0]:g} in every pixel"
        raise InputError(
            f"{name} holds {found}, so there is nothing to see in it: leave it out, or check the "
            "file."
        )
    if n_bad == 0:
        return image
    warnings.warn(
        f"{name} has {n_bad} pixels that are not finite; they were set to the median.",
        InputWarning,
        stacklevel=2,
    )
    return np.where(finite, image, np.float32(np.median(good)))


def thin(image: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Return about a million values of `image`, evenly spread: enough for percentiles."""
    step = max(image.size // _ENOUGH_FOR_PERCENTILES, 1)
    # A step that shares a factor with the row length would look at a few columns alone.
    while step > 1 and np.gcd(step, image.shape[-1]) > 1:
        step += 1
    return image.ravel()[::step]
