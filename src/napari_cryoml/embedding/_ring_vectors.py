"""Crops of several channels as amplitudes of angular orders on rings."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_cryoml.features import crop_harmonics

Floats = npt.NDArray[np.float32]


def ring_vectors(pixels: Floats, n_rings: int, n_orders: int, reach: float) -> Floats:
    """Return the amplitudes of standardised crops, each channel by itself.

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
    planes = pixels.reshape(n * n_channels, *shape)
    amplitudes = crop_harmonics(planes, n_rings, n_orders, reach, standardise=True)
    vectors = amplitudes.reshape(n, n_channels * amplitudes.shape[1])
    vectors[~np.isfinite(vectors).all(axis=1)] = np.nan
    return vectors
