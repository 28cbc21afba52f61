"""Crops as amplitudes of angular orders on rings."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_cryoml.features import crop_harmonics, within_ball

Floats = npt.NDArray[np.float32]

_MOST_DEVIATIONS = 6.0
_MOST_CLIPS = 8


def ring_vectors(pixels: Floats, n_rings: int, n_orders: int, reach: float) -> Floats:
    """Return the amplitudes of standardised crops.

    Parameters
    ----------
    pixels : array of shape (n, C, y, x) or (n, C, z, y, x)
    n_rings, n_orders, reach
        See `features.crop_harmonics`.

    Returns
    -------
    array of shape (n, C * k), float32
        NaN for a crop with pixels that are not finite.
    """
    n, n_channels, *shape = pixels.shape
    planes = standardised(pixels.reshape(n * n_channels, *shape), reach)
    amplitudes = crop_harmonics(planes, n_rings, n_orders, reach)
    vectors = amplitudes.reshape(n, n_channels * amplitudes.shape[1])
    vectors[~np.isfinite(vectors).all(axis=1)] = np.nan  # rings without pixels would be 0
    return vectors


def standardised(crops: Floats, reach: float = 1.0) -> Floats:
    """Return crops (n, *shape) of mean 0 and deviation 1 within the disc or ball of `reach`.

    What lies above 6 deviations is clipped and the rest is standardised again, until there is
    no more of it: one hot pixel would hide everything else. A crop of a single value becomes 0;
    one that is not finite, NaN.
    """
    ball = within_ball(crops.shape[1:], reach)
    scaled = _scaled(crops, ball)
    for _ in range(_MOST_CLIPS):
        hot = np.flatnonzero((np.abs(scaled[:, ball]) > _MOST_DEVIATIONS).any(axis=1))
        if not len(hot):
            break
        scaled[hot] = _scaled(np.clip(scaled[hot], -_MOST_DEVIATIONS, _MOST_DEVIATIONS), ball)
    return scaled


def _scaled(crops: Floats, ball: npt.NDArray[np.bool_]) -> Floats:
    inside = crops[:, ball].astype(np.float64)
    each = (-1, *[1] * ball.ndim)
    with np.errstate(invalid="ignore"):
        mean, deviation = inside.mean(axis=1), inside.std(axis=1)
        flat = deviation <= 1e-6 * np.abs(mean)
        scale = np.where(flat, np.inf, deviation)
        return np.asarray((crops - mean.reshape(each)) / scale.reshape(each), np.float32)
