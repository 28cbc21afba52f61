"""Cells as measurements see them: outlined, brought to one scale, smoothed, and in rings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import fft

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

_BACKGROUND = 0.05
"""Share of the smoothed pixels of a crop that lie below what is taken for background."""

_FLAT = 1e-5
"""Deviation of a channel, beside its values, below which it shows nothing."""

_FAINT = 0.05
"""Height above the background, beside the deviation, below which a cell does not stand out."""


@dataclass(frozen=True, eq=False)
class CellFrame:
    """Some cells in the forms that measurements need, each made once.

    Parameters
    ----------
    pixels : array of shape (n, C, (z)yx), float32
        Finite.
    cells : array of shape (n, (z)yx), bool
        Which pixels belong to the cell; one of each crop at least.
    channels : tuple of str
        Their names.
    """

    pixels: Floats
    cells: Bools
    channels: tuple[str, ...]
    _smoothed: dict[float, Floats] = field(default_factory=dict)
    _ordered: dict[float, Floats] = field(default_factory=dict)

    @property
    def ndim(self) -> int:
        """Axes of a crop."""
        return self.cells.ndim - 1

    @property
    def spatial(self) -> tuple[int, ...]:
        """The last axes, those of space."""
        return tuple(range(-self.ndim, 0))

    @cached_property
    def area(self) -> Floats:
        """Pixels of each cell, shape (n,)."""
        return self.cells.sum(axis=self.spatial, dtype=np.float32)

    @cached_property
    def _weights(self) -> Floats:
        return _flat(self.cells)

    @cached_property
    def background(self) -> Floats:
        """Level around the cells, shape (n, C)."""
        smooth = blurred(self.pixels, 2.0, self.ndim)
        rows = smooth.reshape(*smooth.shape[:2], -1)
        place = int(_BACKGROUND * (rows.shape[2] - 1))
        return np.asarray(np.partition(rows, place, axis=2)[:, :, place])

    @cached_property
    def level(self) -> Floats:
        """Mean within the cell, shape (n, C)."""
        return self.mean(self.pixels)

    @cached_property
    def unit(self) -> Floats:
        """What pixels are divided by to be relative, shape (n, C); infinite without any signal.

        The height of the cell above the background; where the cell does not stand out, the
        deviation of the pixels.
        """
        height = self.level - self.background
        size = np.maximum(np.abs(self.level), np.abs(self.background))
        deviation = self.pixels.std(axis=self.spatial)
        unit = np.where(height > np.maximum(_FLAT * size, _FAINT * deviation), height, deviation)
        return np.asarray(np.where(unit > _FLAT * size, unit, np.inf), np.float32)

    @cached_property
    def relative(self) -> Floats:
        """Pixels on a scale of 0 for the background and 1 for the mean of the cell.

        Neither the gain nor the offset of a camera changes them. Outside the cell they are 1, so
        that neighbours say nothing and its border is no step.
        """
        away = (self.pixels - self.over(self.level)) / self.over(self.unit)
        away *= self.cells[:, None]
        away += 1
        return np.asarray(away)

    def smoothed(self, sigma: float) -> Floats:
        """Return the relative pixels under a Gaussian of `sigma` pixels, kept for the next."""
        if not sigma:
            return self.relative
        if sigma not in self._smoothed:
            waves = self.waves.copy()
            self._smoothed[sigma] = 1 + _inverse(_damped(waves, sigma, self.ndim), self.ndim)
        return self._smoothed[sigma]

    @cached_property
    def waves(self) -> Floats:
        """Cosine transform of the relative pixels less 1, shape (n, C, (z)yx)."""
        return _waves_of(self.relative - 1, self.ndim)

    def ordered(self, sigma: float) -> Floats:
        """Return the smoothed pixels of cells by rising value, shape (n, C, pixels).

        Those outside the cell come last and are infinite.
        """
        if sigma not in self._ordered:
            values = self.smoothed(sigma)
            rows = np.where(self.cells[:, None], values, np.inf).reshape(*values.shape[:2], -1)
            self._ordered[sigma] = np.sort(rows, axis=2)
        return self._ordered[sigma]

    def quantile(self, ordered: Floats, share: float) -> Floats:
        """Return the value that a share of the pixels of a cell lies below, shape (n, C).

        Parameters
        ----------
        ordered : array of shape (n, C, pixels)
            See `ordered`.
        share : float
        """
        last = self.area.astype(np.intp) - 1
        place = share * last
        below = np.floor(place).astype(np.intp)
        weight = (place - below).astype(np.float32)[:, None]
        row = np.arange(len(last))
        lower, upper = ordered[row, :, below], ordered[row, :, np.minimum(below + 1, last)]
        return np.asarray((1 - weight) * lower + weight * upper)

    @cached_property
    def centre(self) -> Floats:
        """Middle of each cell in pixels, shape (n, ndim)."""
        grids = np.indices(self.cells.shape[1:], np.float32)
        sums = np.tensordot(self.cells.astype(np.float32), grids, (self.spatial, self.spatial))
        return np.asarray(sums / self.area[:, None])

    @cached_property
    def offsets(self) -> Floats:
        """From the middle of the cell to each pixel, shape (n, ndim, (z)yx)."""
        grids = np.indices(self.cells.shape[1:], np.float32)
        return np.asarray(grids - self.centre.reshape(*self.centre.shape, *[1] * self.ndim))

    @cached_property
    def moments(self) -> Floats:
        """Second moments of each cell about its middle, pixels squared, shape (n, ndim, ndim).

        A twelfth is added along each axis: pixels have a width.
        """
        away = (self.offsets * self.cells[:, None]).reshape(len(self.cells), self.ndim, -1)
        found = away @ away.transpose(0, 2, 1) / self.area[:, None, None]
        return np.asarray(found + np.eye(self.ndim, dtype=np.float32) / 12)

    @cached_property
    def stretched(self) -> Floats:
        """Offsets in which each cell is as wide in all directions: its ellipse has radius 1."""
        values, axes = np.linalg.eigh(self.moments)
        scale = 1 / np.sqrt(values * (self.ndim + 2))
        turn = np.einsum("nik,nk,njk->nij", axes, scale, axes).astype(np.float32)
        flat = self.offsets.reshape(len(self.cells), self.ndim, -1)
        return (turn @ flat).reshape(self.offsets.shape)

    @cached_property
    def radius(self) -> Floats:
        """From 0 in the middle of a cell to 1 on its ellipse, shape (n, (z)yx)."""
        return np.asarray(np.sqrt(np.square(self.stretched).sum(axis=1)))

    @cached_property
    def edge(self) -> Bools:
        """Pixels of the cell with a neighbour outside, shape (n, (z)yx)."""
        inner = self.cells.copy()
        padded = np.pad(self.cells, [(0, 0)] + [(1, 1)] * self.ndim)
        middle = (slice(None), *[slice(1, -1)] * self.ndim)
        for axis in range(1, self.ndim + 1):
            for step in (-1, 1):
                inner &= np.roll(padded, step, axis)[middle]
        return self.cells & ~inner

    def over(self, values: Floats) -> Floats:
        """Return values of shape (n, C) with axes of length 1 for those of space."""
        return values.reshape(*values.shape, *[1] * self.ndim)

    def mean(self, values: Floats, where: Bools | None = None) -> Floats:
        """Return the mean of (n, C, (z)yx) over each cell, or over pixels (n, (z)yx) of it.

        NaN where there are none.
        """
        flat = self._weights if where is None else _flat(where)
        sums = values.reshape(*values.shape[:2], -1) @ flat
        count = flat.sum(axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((sums / count)[:, :, 0], np.float32)


def blurred(pixels: Floats, sigma: float, ndim: int) -> Floats:
    """Return the last `ndim` axes under a Gaussian of `sigma` pixels, mirrored at the border."""
    return _inverse(_damped(_waves_of(pixels, ndim), sigma, ndim), ndim)


def frequencies(shape: Sequence[int]) -> list[Floats]:
    """Return the frequencies of a cosine transform along each axis, cycles a pixel."""
    return [np.asarray(np.arange(side) / (2 * side), np.float32) for side in shape]


def _flat(mask: Bools) -> Floats:
    return mask.reshape(len(mask), -1, 1).astype(np.float32)


def _waves_of(pixels: Floats, ndim: int) -> Floats:
    return np.asarray(fft.dctn(pixels, axes=range(-ndim, 0), norm="ortho"))


def _inverse(waves: Floats, ndim: int) -> Floats:
    return np.asarray(fft.idctn(waves, axes=range(-ndim, 0), norm="ortho", overwrite_x=True))


def _damped(waves: Floats, sigma: float, ndim: int) -> Floats:
    """Multiply waves, in place, by what a Gaussian leaves of them."""
    for axis, wave in enumerate(frequencies(waves.shape[-ndim:])):
        damping = np.exp(-2 * (np.pi * sigma * wave) ** 2)
        waves *= damping.reshape(-1, *[1] * (ndim - axis - 1))
    return waves
