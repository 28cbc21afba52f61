"""Loops over the pixels of cells that NumPy has no words for; compiled once."""

from __future__ import annotations

import functools

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def co_occurrence(
    levels: npt.NDArray[np.int8], offsets: npt.NDArray[np.intp], n_levels: int, reach: int
) -> Floats:
    """Return how often two grey levels lie at some offsets from each other.

    Parameters
    ----------
    levels : array of shape (n, C, (z)yx), int8
        From 0 to `n_levels` - 1; -1 for pixels that do not count.
    offsets : array of shape (k, ndim), intp
        All are counted together, in both directions.
    n_levels : int
    reach : int
        Largest step of an offset along any axis, pixels.

    Returns
    -------
    array of shape (n, C, n_levels, n_levels), float32
        Shares of all pairs; 0 where there is no pair.
    """
    ndim = offsets.shape[1]
    padded = np.pad(levels, [(0, 0)] * 2 + [(reach, reach)] * ndim, constant_values=-1)
    shape = padded.shape[2:]
    strides = np.array([int(np.prod(shape[axis + 1 :])) for axis in range(ndim)], np.intp)
    rows = np.ascontiguousarray(padded.reshape(-1, int(np.prod(shape))))
    counts = _pairs(rows, offsets @ strides, n_levels).astype(np.float32)
    counts += counts.transpose(0, 2, 1)
    total = np.maximum(counts.sum(axis=(1, 2), keepdims=True), 1)
    return (counts / total).reshape(*levels.shape[:2], n_levels, n_levels)


def binary_patterns(values: Floats, cells: npt.NDArray[np.bool_], radius: int) -> Floats:
    """Return the shares of rotation-invariant uniform local binary patterns (riu2).

    Parameters
    ----------
    values : array of shape (n, C, y, x), float32
    cells : array of shape (n, y, x), bool
        Pixels that count; those nearer than `radius` to the border of the crop do not.
    radius : int
        Distance of the eight neighbours, pixels; those between the axes lie at the nearest pixel.

    Returns
    -------
    array of shape (n, C, 10), float32
        Of uniform patterns with 0 to 8 neighbours not darker than the middle, and of all others.

    References
    ----------
    Ojala, Pietikainen and Maenpaa 2002 (IEEE PAMI 24:971), equations 8 to 10.
    """
    turns = np.arange(8) * np.pi / 4
    ring = np.rint(radius * np.stack([np.sin(turns), np.cos(turns)], axis=1)).astype(np.intp)
    steps = ring[:, 0] * values.shape[3] + ring[:, 1]
    given = np.ascontiguousarray(values)
    counts = _patterns(given, cells, steps, _kinds_of_patterns(), radius).astype(np.float32)
    return counts / np.maximum(counts.sum(axis=2, keepdims=True), 1)


def ring_sums(
    rings: npt.NDArray[np.int8],
    signal: Floats,
    values: Floats,
    turns: Floats,
    n_rings: int,
    n_orders: int,
) -> Floats:
    """Return sums over the rings of cells.

    Parameters
    ----------
    rings : array of shape (n, (z)yx), int8
        Ring of each pixel; -1 for none.
    signal, values : array of shape (n, C, (z)yx), float32
    turns : array of shape (n, 2, (z)yx), float32
        Cosine and sine of the angle of each pixel.
    n_rings, n_orders : int

    Returns
    -------
    array of shape (n, C, n_rings, 4 + 2 * n_orders), float32
        Pixels; the sum of the signal; sums of the values and of their squares; sums of the values
        less 1 times the cosine and the sine of each order.
    """
    n, n_channels = values.shape[:2]
    size = int(np.prod(rings.shape[1:]))
    found = _rings(
        np.ascontiguousarray(rings.reshape(n, size)),
        np.ascontiguousarray(signal.reshape(n, n_channels, size)),
        np.ascontiguousarray(values.reshape(n, n_channels, size)),
        np.ascontiguousarray(turns.reshape(n, 2, size)),
        n_rings,
        n_orders,
    )
    return np.asarray(found, np.float32)


@functools.cache
def _kinds_of_patterns() -> npt.NDArray[np.int8]:
    """Return the kind of each pattern of eight bits: how many are set, or 9 if not uniform."""
    bits = np.arange(256)[:, None] >> np.arange(8) & 1
    changes = (bits != np.roll(bits, 1, axis=1)).sum(axis=1)
    return np.where(changes <= 2, bits.sum(axis=1), 9).astype(np.int8)


@numba.njit(cache=True, nogil=True)
def _rings(rings, signal, values, turns, n_rings, n_orders):  # type: ignore[no-untyped-def]
    n, n_channels, size = values.shape
    sums = np.zeros((n, n_channels, n_rings, 4 + 2 * n_orders))
    for row in range(n):
        for place in range(size):
            ring = rings[row, place]
            if ring < 0:
                continue
            cosine, sine = turns[row, 0, place], turns[row, 1, place]
            for channel in range(n_channels):
                value, into = values[row, channel, place], sums[row, channel, ring]
                into[0] += 1
                into[1] += signal[row, channel, place]
                into[2] += value
                into[3] += value * value
                real, imaginary = value - 1, np.float32(0)
                for order in range(n_orders):
                    real, imaginary = (
                        real * cosine - imaginary * sine,
                        real * sine + imaginary * cosine,
                    )
                    into[4 + 2 * order] += real
                    into[5 + 2 * order] += imaginary
    return sums


@numba.njit(cache=True, nogil=True)
def _pairs(rows, steps, n_levels):  # type: ignore[no-untyped-def]
    n, size = rows.shape
    counts = np.zeros((n, n_levels, n_levels), np.int32)
    for row in range(n):
        for step in steps:
            for place in range(max(0, -step), min(size, size - step)):
                first = rows[row, place]
                if first < 0:
                    continue
                second = rows[row, place + step]
                if second >= 0:
                    counts[row, first, second] += 1
    return counts


@numba.njit(cache=True, nogil=True)
def _patterns(values, cells, steps, kinds, radius):  # type: ignore[no-untyped-def]
    n, n_channels, height, width = values.shape
    counts = np.zeros((n, n_channels, 10), np.int32)
    for row in range(n):
        for channel in range(n_channels):
            image = values[row, channel].ravel()
            found = counts[row, channel]
            for y in range(radius, height - radius):
                for x in range(radius, width - radius):
                    if not cells[row, y, x]:
                        continue
                    place = y * width + x
                    middle, code = image[place], 0
                    for k in range(8):
                        code |= (image[place + steps[k]] >= middle) << k
                    found[kinds[code]] += 1
    return counts
