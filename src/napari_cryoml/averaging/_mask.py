"""A disc or ball with a soft edge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

DEFAULT_SHARE = 0.8
"""Diameter of the mask as a share of the shortest side, where no diameter is given."""
_EDGE_SHARE = 0.1
_LEAST_EDGE = 2.0


def centre_of(shape: Sequence[int]) -> npt.NDArray[np.float64]:
    """Return the pixel (z)yx that counts as the centre of a crop: half of each side, rounded down.

    It is the one that a Fourier transform leaves in place.
    """
    return np.array([size // 2 for size in shape], np.float64)


def soft_mask(shape: Sequence[int], diameter: float | None = None) -> npt.NDArray[np.float32]:
    """Return weights that are 1 inside a disc or ball and fall to 0 by half a cosine.

    Parameters
    ----------
    shape : sequence of int
        Sides (z)yx in pixels.
    diameter : float, optional
        At which the weight is one half, pixels; `DEFAULT_SHARE` of the shortest side by default.
        No edge reaches beyond the shortest side.

    Returns
    -------
    array of float32, of `shape`
    """
    shortest = min(shape)
    edge = max(_EDGE_SHARE * shortest, _LEAST_EDGE)
    diameter = DEFAULT_SHARE * shortest if diameter is None else diameter
    radius = min(diameter / 2, (shortest - edge) / 2)
    offsets = np.indices(shape) - centre_of(shape).reshape(-1, *[1] * len(shape))
    distance = np.sqrt(np.sum(np.square(offsets), axis=0))
    depth = np.clip((radius - distance) / edge + 0.5, 0, 1)
    return np.asarray((1 - np.cos(np.pi * depth)) / 2, np.float32)
