"""What rings of a crop hold of each angular order."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml.features._angular import angular_harmonics

Floats = npt.NDArray[np.float32]


def crop_harmonics(
    crops: npt.NDArray[np.floating], n_rings: int, n_orders: int, reach: float = 1.0
) -> Floats:
    """Return the amplitude of each angular order on rings around the middle of crops.

    A crop is multiplied with ring profiles times the harmonics of an order (cosine and sine in
    2-D, the spherical harmonics of one degree in 3-D). The norm over the harmonics of an order
    does not change when the crop is turned about its middle; order 0 keeps its sign. White noise
    of variance 1 gives amplitudes of mean square 1, whichever the ring: a ring of more pixels is
    measured better, and counts for more.

    Parameters
    ----------
    crops : array of shape (n, y, x) or (n, z, y, x)
        Their middle is pixel ``size // 2`` along each axis.
    n_rings : int
        Rings (shells in 3-D) from the middle to the border, all of one width; they overlap by
        half of it. The first is the middle itself, and has order 0 alone.
    n_orders : int
        Angular orders (degrees in 3-D) above 0.
    reach : float, default 1
        Radius of the outermost ring, as a share of the largest that fits into the crop.

    Returns
    -------
    array of shape (n, n_rings + n_orders * (n_rings - 1)), float32
        Order by order, from the innermost ring to the outermost.

    References
    ----------
    Kazhdan, Funkhouser and Rusinkiewicz 2003 (Symp. Geometry Processing 156), section 3: the
    energy per degree of spherical functions. Xu et al. 2009 for its use on subtomograms.
    """
    flat = np.asarray(crops, np.float32).reshape(len(crops), math.prod(crops.shape[1:]))
    spacing_px = reach * _largest(crops.shape[1:]) / max(n_rings - 1, 1)
    rings = [
        _ring(crops.shape[1:], round(spacing_px, 6), n_orders if number else 0, number)
        for number in range(n_rings)
    ]
    inner, *others = (ring.amplitudes(flat) for ring in rings)
    orders = range(n_orders + 1 if others else 0)
    by_order = [np.stack([ring[:, order] for ring in others], axis=1) for order in orders]
    return np.concatenate([inner, *by_order], axis=1)


def within_ball(shape: tuple[int, ...], reach: float = 1.0) -> npt.NDArray[np.bool_]:
    """Return which pixels of a crop lie in the disc or ball of `reach`, see `crop_harmonics`."""
    return _distance(shape) <= reach * _largest(shape)


@dataclass(frozen=True, slots=True, eq=False)
class _Ring:
    """The pixels of one ring, and the harmonics on them.

    Parameters
    ----------
    pixels : array of shape (p,)
        Numbers of the pixels in a flat crop.
    basis : array of shape (p, k), float32
        Profile times harmonics, order by order.
    starts : list of int
        The first column of each order.
    """

    pixels: npt.NDArray[np.intp]
    basis: Floats
    starts: list[int]

    def amplitudes(self, flat: Floats) -> Floats:
        """Return the amplitude of each order in flat crops (n, pixels), shape (n, orders)."""
        responses = flat[:, self.pixels] @ self.basis
        power = np.add.reduceat(responses**2, self.starts, axis=1)
        amplitudes = np.sqrt(power)
        amplitudes[:, 0] = responses[:, 0]
        return np.asarray(amplitudes, np.float32)


@functools.lru_cache(maxsize=64)
def _ring(shape: tuple[int, ...], spacing_px: float, n_orders: int, number: int) -> _Ring:
    distance = _distance(shape).ravel()
    profile = np.clip(1 - np.abs(distance / spacing_px - number), 0, None)
    pixels = np.flatnonzero(profile)
    offsets = np.stack([axis.ravel()[pixels] for axis in _offsets(shape)])
    direction = list(offsets / np.maximum(distance[pixels], 1))
    columns: list[npt.NDArray[np.float64]] = []
    starts = []
    for order in range(n_orders + 1):
        starts.append(len(columns))
        columns += _scaled([profile[pixels] * wave for wave in angular_harmonics(direction, order)])
    return _Ring(pixels, np.stack(columns, axis=1).astype(np.float32), starts)


def _scaled(waves: list[npt.NDArray[np.float64]]) -> list[npt.NDArray[np.float64]]:
    """Return filters of one order such that white noise gives a power of 1."""
    length = float(np.sqrt(sum(wave @ wave for wave in waves)))
    return [wave / max(length, 1e-12) for wave in waves]


def _offsets(shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Return the pixels (z)yx from the middle, shape (ndim, *shape)."""
    middle = np.reshape([size // 2 for size in shape], (-1, *[1] * len(shape)))
    return np.asarray(np.indices(shape) - middle, np.float64)


def _distance(shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    return np.asarray(np.sqrt(np.square(_offsets(shape)).sum(axis=0)), np.float64)


def _largest(shape: tuple[int, ...]) -> int:
    """Return the radius of the largest disc or ball around the middle, pixels."""
    return max((min(shape) - 1) // 2, 1)
