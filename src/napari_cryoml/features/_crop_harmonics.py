"""What rings of a crop hold of each angular order."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml.features._angular import angular_harmonics

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

_MOST_DEVIATIONS = 6.0
_MOST_CLIPS = 8
_FLAT = 1e-6


def crop_harmonics(
    crops: npt.NDArray[np.floating],
    n_rings: int,
    n_orders: int,
    reach: float = 1.0,
    *,
    standardise: bool = False,
    across: int = 0,
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
        Rings (shells in 3-D) from the middle outwards, all of one width; they overlap by half of
        it. The first is the middle itself, and has order 0 alone; of the last there is the inner
        half.
    n_orders : int
        Angular orders (degrees in 3-D) above 0.
    reach : float, default 1
        Radius of the outermost ring, as a share of the largest that fits into the crop. Pixels
        beyond it do not count.
    standardise : bool, default False
        Bring each crop to mean 0 and deviation 1 within the outermost ring first. What lies
        above 6 deviations is clipped and the rest is standardised again, until there is no more
        of it: one hot pixel would hide everything else. A crop of a single value becomes 0.
    across : int, default 0
        With how many rings further out each ring is compared: the sum over the harmonics of an
        order of the products of their coefficients, divided by the root of the product of their
        amplitudes, does not change by a turn either. The noise of two rings that do not overlap
        has products of mean 0, where it always adds to an amplitude.

    Returns
    -------
    array of shape (n, n_rings + n_orders * (n_rings - 1 + pairs)), float32
        Order by order, from the innermost ring to the outermost; then, pair by pair of rings
        beyond the middle, orders 1 and above. NaN for a crop that is not finite within the
        outermost ring.

    References
    ----------
    Kazhdan, Funkhouser and Rusinkiewicz 2003 (Symp. Geometry Processing 156), section 3: the
    energy per degree of spherical functions. Xu et al. 2009 for its use on subtomograms.
    """
    rings = crop_rings(crops.shape[1:], n_rings, n_orders, reach)
    flat = np.asarray(crops, np.float32).reshape(len(crops), math.prod(crops.shape[1:]))
    pixels = flat[:, rings.pixels]
    if standardise:
        _standardise(pixels)
    responses = [ring.responses(pixels) for ring in rings.rings]
    pairs = zip(rings.rings, responses, strict=True)
    inner, *others = (ring.amplitudes(found) for ring, found in pairs)
    orders = range(n_orders + 1 if others else 0)
    by_order = [np.stack([ring[:, order] for ring in others], axis=1) for order in orders]
    beside = _products(rings.rings[1:], responses[1:], others, across)
    amplitudes = np.concatenate([inner, *by_order, *beside], axis=1)
    amplitudes[~np.isfinite(pixels).all(axis=1)] = np.nan
    return amplitudes


def _products(
    rings: tuple[RingHarmonics, ...], responses: list[Floats], amplitudes: list[Floats], across: int
) -> list[Floats]:
    """Return the products of each pair of near rings, orders 1 and above, as amplitudes."""
    found = []
    for inner, ring in enumerate(rings):
        for outer in range(inner + 1, min(inner + across + 1, len(rings))):
            product = responses[inner] * responses[outer]
            sums = np.add.reduceat(product, ring.starts, axis=1)[:, 1:]
            size = np.sqrt(amplitudes[inner][:, 1:] * amplitudes[outer][:, 1:])
            found.append(np.asarray(sums / np.maximum(size, _FLAT), np.float32))
    return found


def _standardise(pixels: Floats) -> None:
    """Bring each row to mean 0 and deviation 1 without its hot pixels, in place."""
    _scale(pixels)
    for _ in range(_MOST_CLIPS):
        highest = np.maximum(pixels.max(axis=1), -pixels.min(axis=1))
        hot = np.flatnonzero(highest > _MOST_DEVIATIONS)
        if not len(hot):
            break
        clipped = np.clip(pixels[hot], -_MOST_DEVIATIONS, _MOST_DEVIATIONS)
        _scale(clipped)
        pixels[hot] = clipped


def _scale(pixels: Floats) -> None:
    with np.errstate(invalid="ignore"):
        mean = pixels.mean(axis=1, dtype=np.float64, keepdims=True)
        pixels -= mean.astype(np.float32)
        power = np.einsum("np,np->n", pixels, pixels)[:, None] / pixels.shape[1]
        deviation = np.sqrt(power)
        pixels /= np.where(deviation <= _FLAT * np.abs(mean), np.inf, deviation)


@dataclass(frozen=True, slots=True, eq=False)
class RingHarmonics:
    """One ring, and the harmonics on it.

    Parameters
    ----------
    part : slice
        Its pixels among those of all rings.
    basis : array of shape (p, k), float32
        Profile times harmonics, order by order.
    starts : list of int
        The first column of each order.
    """

    part: slice
    basis: Floats
    starts: list[int]

    def responses(self, pixels: Floats) -> Floats:
        """Return the coefficient of each harmonic in rows of pixels, shape (n, k)."""
        return pixels[:, self.part] @ self.basis

    def amplitudes(self, responses: Floats) -> Floats:
        """Return the amplitude of each order in what `responses` gave, shape (n, orders)."""
        amplitudes = np.sqrt(np.add.reduceat(responses**2, self.starts, axis=1))
        amplitudes[:, 0] = responses[:, 0]
        return np.asarray(amplitudes, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class CropRings:
    """All rings of crops of one shape.

    Parameters
    ----------
    pixels : array of shape (p,)
        Numbers of the pixels in a flat crop, from the middle outwards.
    rings : tuple of RingHarmonics
    """

    pixels: npt.NDArray[np.intp]
    rings: tuple[RingHarmonics, ...]


def crop_rings(shape: Sequence[int], n_rings: int, n_orders: int, reach: float = 1.0) -> CropRings:
    """Return the rings of crops of one shape, with the harmonics on each.

    They are kept for the shapes that were asked for last.

    Parameters
    ----------
    shape : sequence of int
        Shape (z)yx of the crops.
    n_rings, n_orders, reach
        See `crop_harmonics`.
    """
    return _rings(tuple(shape), n_rings, n_orders, round(reach, 4))


@functools.lru_cache(maxsize=6)
def _rings(shape: tuple[int, ...], n_rings: int, n_orders: int, reach: float) -> CropRings:
    offsets = np.indices(shape).reshape(len(shape), math.prod(shape)).astype(np.float64)
    offsets -= np.reshape([size // 2 for size in shape], (-1, 1))
    distance = np.linalg.norm(offsets, axis=0)
    radius = reach * max((min(shape) - 1) // 2, 1)
    pixels = np.argsort(distance, kind="stable")
    pixels = pixels[: np.searchsorted(distance[pixels], radius, side="right")]
    spacing = radius / max(n_rings - 1, 1)
    places, steps = offsets[:, pixels], distance[pixels] / spacing
    rings = [_ring(places, steps, number, n_orders if number else 0) for number in range(n_rings)]
    return CropRings(pixels, tuple(rings))


def _ring(offsets: Doubles, steps: Doubles, number: int, n_orders: int) -> RingHarmonics:
    """Return one ring of pixels at `offsets` (ndim, p), `steps` ring widths from the middle."""
    part = slice(*np.searchsorted(steps, [number - 1, number + 1]))
    profile = 1 - np.abs(steps[part] - number)
    length = np.linalg.norm(offsets[:, part], axis=0)
    direction = list(offsets[:, part] / np.maximum(length, 1))
    columns: list[Doubles] = []
    starts = []
    for order in range(n_orders + 1):
        starts.append(len(columns))
        columns += _scaled([profile * wave for wave in angular_harmonics(direction, order)])
    return RingHarmonics(part, np.stack(columns, axis=1).astype(np.float32), starts)


def _scaled(waves: list[Doubles]) -> list[Doubles]:
    """Return filters of one order such that white noise gives a power of 1."""
    length = float(np.sqrt(sum(wave @ wave for wave in waves)))
    return [wave / max(length, 1e-12) for wave in waves]
