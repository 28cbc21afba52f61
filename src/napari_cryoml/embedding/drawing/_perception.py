"""Colours as people see them, with all cones and without red or green ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[np.float64]

# OKLab: B. Ottosson, "A perceptual color space for image processing" (2020), of linear sRGB.
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)

# Machado, Oliveira and Fernandes, IEEE TVCG 15 (2009) 1291, severity 1, of linear sRGB.
_WITHOUT = {
    "red": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "green": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}


def to_linear(rgb: npt.ArrayLike) -> _Array:
    """Return sRGB of 0..1 as linear light, both of shape (..., 3)."""
    values = np.asarray(rgb, np.float64)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def from_linear(linear: npt.ArrayLike) -> _Array:
    """Return linear light as sRGB of 0..1, clipped; both of shape (..., 3)."""
    values = np.clip(np.asarray(linear, np.float64), 0, 1)
    return np.where(values <= 0.0031308, values * 12.92, 1.055 * values ** (1 / 2.4) - 0.055)


def to_oklab(rgb: npt.ArrayLike) -> _Array:
    """Return lightness 0..1, green-red and blue-yellow of sRGB colours, shape (..., 3)."""
    return np.cbrt(to_linear(rgb) @ _TO_CONES.T) @ _TO_LAB.T


def from_oklab(lab: npt.ArrayLike) -> _Array:
    """Return linear light of OKLab colours, shape (..., 3); below 0 or above 1 out of gamut."""
    cones = (np.asarray(lab, np.float64) @ np.linalg.inv(_TO_LAB).T) ** 3
    return cones @ np.linalg.inv(_TO_CONES).T


def as_seen_without(cone: str, rgb: npt.ArrayLike) -> _Array:
    """Return sRGB colours as somebody without the "red" or the "green" cones sees them."""
    return from_linear(np.clip(to_linear(rgb) @ _WITHOUT[cone].T, 0, 1))
