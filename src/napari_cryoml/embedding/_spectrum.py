"""spectrum: how strong each spatial frequency is in a crop, wherever in it."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import fft

from napari_cryoml.data import Crops
from napari_cryoml.embedding._encoder import CropEncoderConfig, encoders

Floats = npt.NDArray[np.float32]

_Shares = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float64]]
"""Cells, coefficients and weights: which coefficients count in which cell, and how much."""

_USUAL_GRID = {2: 24, 3: 10}


@encoders.register("spectrum")
class SpectrumConfig(CropEncoderConfig):
    """Blind to shifts: the power of each spatial frequency; for the texture of cells."""

    highest: float = Field(
        0.5, gt=0, le=1, description="Highest frequency, as a share of the highest there is."
    )
    grid: int | None = Field(
        None,
        ge=2,
        le=128,
        description="Cells along an axis of the spectrum, over which frequencies are averaged; "
        "none for 24 in 2-D and 10 in 3-D.",
    )
    radial: bool = Field(
        False, description="Average over all directions, which makes it blind to rotations too."
    )

    @property
    def rotation_invariant(self) -> bool:
        """Whether directions are averaged."""
        return self.radial

    def build(self) -> SpectrumEncoder:
        """Return the encoder."""
        return SpectrumEncoder(self)


@dataclass(frozen=True, slots=True)
class SpectrumEncoder:
    """Logarithm of the amplitude of each frequency, averaged on a coarse grid, each channel."""

    config: SpectrumConfig

    def encode(self, crops: Crops, rows: npt.ArrayLike) -> Floats:
        """Return the vectors of some crops; see `CropEncoder.encode`."""
        return log_spectra(crops.read(rows), self.config)


def log_spectra(pixels: Floats, config: SpectrumConfig) -> Floats:
    """Return log(1 + amplitude) of the frequencies of crops, averaged in cells.

    A crop is brought to mean 0 and deviation 1, and amplitudes are scaled such that white noise
    has a mean square of 1. The half of the spectrum that repeats the other is left out.

    Parameters
    ----------
    pixels : array of shape (n, C, y, x) or (n, C, z, y, x)
    config : SpectrumConfig

    Returns
    -------
    array of shape (n, C * k), float32
        k is the number of cells with a frequency: up to ``(2 h + 1)^(ndim - 1) (h + 1)`` with
        ``h = grid // 2``, or ``h + 1`` if they are rings; fewer in small crops. NaN for a crop
        with pixels that are not finite.
    """
    axes = tuple(range(2, pixels.ndim))
    with np.errstate(invalid="ignore"):
        mean = pixels.mean(axis=axes, keepdims=True, dtype=np.float64)
        centred = np.asarray(pixels - mean, np.float32)
        deviation = centred.std(axis=axes, keepdims=True)
        flat = deviation <= 1e-6 * np.abs(mean)
        spectra = np.abs(fft.rfftn(centred / np.where(flat, np.inf, deviation), axes=axes))
    shape = pixels.shape[2:]
    logs = np.log1p(spectra / np.sqrt(np.prod(shape)))
    cells = _cells(shape, config)
    flat_logs = logs.reshape(*logs.shape[:2], math.prod(logs.shape[2:]))
    sums = np.add.reduceat(flat_logs[..., cells.order] * cells.weights, cells.starts, axis=-1)
    means = sums / np.add.reduceat(cells.weights, cells.starts)
    return np.asarray(means.reshape(len(pixels), math.prod(means.shape[1:])), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Which coefficients of a flat half spectrum are averaged together.

    Parameters
    ----------
    order : array of shape (p,)
        Numbers of the coefficients, cell by cell; one may lie in two.
    starts : array of shape (k,)
        Where in `order` each cell begins; a cell without a coefficient does not count, as in
        small crops, which have fewer frequencies than the grid.
    weights : array of shape (p,)
        Twice as much where a coefficient stands for its mirror image too.
    """

    order: npt.NDArray[np.intp]
    starts: npt.NDArray[np.intp]
    weights: Floats


@functools.lru_cache(maxsize=8)
def _cells(shape: tuple[int, ...], config: SpectrumConfig) -> _Cells:
    half = (config.grid or _USUAL_GRID[len(shape)]) // 2
    lines = [*(fft.fftfreq(size) for size in shape[:-1]), fft.rfftfreq(shape[-1])]
    frequencies = np.stack(np.meshgrid(*lines, indexing="ij")).reshape(len(shape), -1)
    limit = config.highest / 2
    if config.radial:
        # Narrower rings than the spectrum is sampled hold a few directions each, not all.
        n_rings = max(min(half, int(limit * min(shape))), 1)
        number, coefficient, weight = _rings(frequencies / limit * n_rings, n_rings)
    else:
        number, coefficient, weight = _squares(frequencies / limit * half, half)
    order = np.argsort(number, kind="stable")
    starts = np.unique(number[order], return_index=True)[1]
    last = frequencies[-1][coefficient]
    weight = weight * np.where((last > 0) & (last < 0.5), 2, 1)
    return _Cells(coefficient[order], starts, weight[order].astype(np.float32))


def _squares(steps: npt.NDArray[np.float64], half: int) -> _Shares:
    """Return the cell of each coefficient up to `half` steps along each axis."""
    inside = np.flatnonzero((np.abs(steps) <= half + 1e-9).all(axis=0))
    index = np.clip(np.rint(steps[:, inside]).astype(np.intp) + half, 0, 2 * half)
    number = np.ravel_multi_index(tuple(index), (2 * half + 1,) * len(steps))
    return np.asarray(number, np.intp), inside, np.ones(len(inside))


def _rings(steps: npt.NDArray[np.float64], n_rings: int) -> _Shares:
    """Return the two rings that each coefficient lies between, and its share in them."""
    length = np.linalg.norm(steps, axis=0)
    inside = np.flatnonzero(length <= n_rings)
    below = np.floor(length[inside]).astype(np.intp)
    share = length[inside] - below
    number, weight = np.concatenate([below, below + 1]), np.concatenate([1 - share, share])
    some = (weight > 0) & (number <= n_rings)
    return number[some], np.concatenate([inside, inside])[some], weight[some]
