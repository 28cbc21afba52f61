"""spectrum: how strong each spatial frequency is in a crop, wherever in it."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import fft

from napari_cryoml.data import Crops
from napari_cryoml.embedding._encoder import CropEncoderConfig, encoders

Floats = npt.NDArray[np.float32]

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
        ``h = grid // 2``, or ``h + 1`` if they are rings. NaN for a crop with pixels that are
        not finite.
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
    cells, n_cells = _cells(shape, config)
    kept = np.flatnonzero(cells >= 0)
    order = kept[np.argsort(cells[kept], kind="stable")]
    starts = np.searchsorted(cells[order], np.arange(n_cells))
    sums = np.add.reduceat(logs.reshape(*logs.shape[:2], -1)[..., order], starts, axis=-1)
    means = sums / np.bincount(cells[kept], minlength=n_cells)
    return np.asarray(means.reshape(len(pixels), -1), np.float32)


@functools.lru_cache(maxsize=8)
def _cells(shape: tuple[int, ...], config: SpectrumConfig) -> tuple[npt.NDArray[np.intp], int]:
    """Return the cell of each coefficient of a flat half spectrum, -1 for none, and their number.

    Cells without a coefficient do not count: a small crop has fewer frequencies than the grid.
    """
    ndim = len(shape)
    half = (config.grid or _USUAL_GRID[ndim]) // 2
    limit = config.highest / 2
    lines = [*(fft.fftfreq(size) for size in shape[:-1]), fft.rfftfreq(shape[-1])]
    frequencies = np.stack(np.meshgrid(*lines, indexing="ij")).reshape(ndim, -1)
    steps = frequencies / limit * half
    if config.radial:
        length = np.linalg.norm(steps, axis=0)
        number, kept = np.rint(length).astype(np.intp), length <= half + 1e-9
    else:
        kept = (np.abs(steps) <= half + 1e-9).all(axis=0)
        index = np.clip(np.rint(steps).astype(np.intp) + half, 0, 2 * half)
        number = np.asarray(np.ravel_multi_index(tuple(index), (2 * half + 1,) * ndim), np.intp)
    cells = np.full(len(kept), -1, np.intp)
    occupied, cells[kept] = np.unique(number[kept], return_inverse=True)
    return cells, len(occupied)
