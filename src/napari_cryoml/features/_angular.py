"""Real angular harmonics of directions: cosines and sines in 2-D, spherical harmonics in 3-D."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]

_STEP = 2e-3
_BLOCK = 64.0


def angular_harmonics(direction: Sequence[npt.ArrayLike], order: int) -> list[Floats]:
    """Return an orthogonal basis of the harmonics of one order, over directions.

    The sum of the squares of the basis does not depend on the direction, so the norm of a vector
    of responses to it does not change when an image is turned.

    Parameters
    ----------
    direction : sequence of ndim arrays
        Components (z)yx of unit vectors; they are broadcast against each other.
    order : int
        Angular order m in 2-D, degree l in 3-D.

    Returns
    -------
    list of arrays
        1 for order 0, else 2 in 2-D and ``2 * order + 1`` in 3-D.
    """
    parts = [np.asarray(part, np.float64) for part in direction]
    if order == 0:
        return [np.ones(np.broadcast_shapes(*(part.shape for part in parts)))]
    if len(parts) == 2:
        angle = order * np.arctan2(*parts)
        return [np.cos(angle), np.sin(angle)]
    z, y, x = np.broadcast_arrays(*parts)
    polar, azimuth = np.arccos(np.clip(z, -1, 1)), np.arctan2(y, x)
    scale = np.sqrt(4 * np.pi / (2 * order + 1))
    real: list[Floats] = []
    for m in range(order + 1):
        legendre = np.asarray(special.sph_legendre_p(order, m, polar))[0]
        wave = legendre * (scale if m == 0 else np.sqrt(2) * scale)
        real += [wave] if m == 0 else [wave * np.cos(m * azimuth), wave * np.sin(m * azimuth)]
    return real


def radial_transform(
    profile: Floats, radius: Floats, frequency: Floats, order: int, ndim: int
) -> Floats:
    """Return the Fourier transform of a radial profile times a harmonic, along a ray.

    The transform of ``g(r) Y(direction)`` is ``(-i)^order H(k) Y(direction of k)`` with
    ``H(k) = 2 pi int g(r) J_m(2 pi k r) r dr`` in 2-D and
    ``H(k) = 4 pi int g(r) j_l(2 pi k r) r^2 dr`` in 3-D; H is returned.

    Parameters
    ----------
    profile : array of shape (n,)
        g at `radius`.
    radius : array of shape (n,)
        Evenly spaced, pixels.
    frequency : array of shape (k,)
        Cycles per pixel.
    order : int
    ndim : {2, 3}

    Returns
    -------
    array of shape (k,)
    """
    phase = 2 * np.pi * np.outer(frequency, radius)
    wave = _wave(phase, order, ndim)
    shell = 2 * (ndim - 1) * np.pi * radius ** (ndim - 1) * (radius[1] - radius[0])
    return np.asarray(wave @ (profile * shell), np.float64)


def _wave(phase: Floats, order: int, ndim: int) -> Floats:
    """Return Bessel functions, read from a table where that is quicker."""
    table = _wave_table(order, ndim, int(np.ceil(phase.max() / _BLOCK)))
    at = phase / _STEP
    below = at.astype(np.intp)
    return np.asarray(table[below] + (at - below) * (table[below + 1] - table[below]))


@functools.lru_cache(maxsize=32)
def _wave_table(order: int, ndim: int, n_blocks: int) -> Floats:
    """Return a Bessel function so finely that straight lines between are off by 1e-6 at most."""
    phase = np.arange(0, n_blocks * _BLOCK + 2 * _STEP, _STEP)
    return np.asarray(special.jv(order, phase) if ndim == 2 else special.spherical_jn(order, phase))
