"""A slab of specimen: its projections, and the slab again by weighted back-projection."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy import fft, sparse

from napari_cryoml.simulate._inversion import cubic_taps
from napari_cryoml.simulate._tilt_series import (
    TiltSeriesConfig,
    noise_transfer,
    signal_transfer,
)

Floats = npt.NDArray[np.float64]
Volume = npt.NDArray[np.float32]

_MARGIN = 8
"""Pixels about the projections, so that the lens does not carry one edge to the other."""


class Slab:
    """Projections of a volume under a tilt series, and the way back.

    Rays are parallel. The tilt axis y is an axis of the volume, so each plane across it is
    projected and back-projected alike, by one sparse matrix a tilt (cubic convolution). Matter
    ends at the faces of the volume: at high tilts less of it is seen towards the edges.

    Parameters
    ----------
    shape : (int, int, int)
        Shape zyx of the volume.
    config : TiltSeriesConfig
    """

    def __init__(self, shape: Sequence[int], config: TiltSeriesConfig) -> None:
        z, y, x = shape
        self.shape, self.tilts = (z, y, x), config.tilts
        width = fft.next_fast_len(x + z + 2 * _MARGIN, real=True)
        self._field = (fft.next_fast_len(y + 2 * _MARGIN, real=True), width)
        self._signal = signal_transfer(config, self._field)
        self._noise = noise_transfer(config, self._field)
        step = float(np.radians(self.tilts[1] - self.tilts[0]))
        # The ramp makes up for tilts being dense near frequency 0; it must not take that away.
        ramp = np.maximum(fft.rfftfreq(width), 0.5 / width)
        self._weights = np.asarray(step * ramp, np.float32)

    def signal(self, volume: Volume) -> Volume:
        """Return the reconstruction of what is seen of `volume`, without noise."""
        return _result(self.signal_by_tilt(volume))

    def signal_by_tilt(self, volume: Volume) -> Generator[None, None, Volume]:
        """Return what `signal` does, and stop for a moment after each tilt."""
        z, y, x = self.shape
        planes = np.ascontiguousarray(volume.transpose(0, 2, 1)).reshape(z * x, y)
        out = np.zeros_like(planes)
        for matrix in self._matrices():
            image = np.zeros(self._field, np.float32)
            image[:y] = (matrix.T @ planes).T
            out += matrix @ self._weighted(fft.rfft2(image) * self._signal)
            yield
        return self._volume(out)

    def noise(self, rng: np.random.Generator) -> Volume:
        """Return the reconstruction of noise of deviation 1 in every projection."""
        return _result(self.noise_by_tilt(rng))

    def noise_by_tilt(self, rng: np.random.Generator) -> Generator[None, None, Volume]:
        """Return what `noise` does, and stop for a moment after each tilt."""
        z, y, x = self.shape
        out = np.zeros((z * x, y), np.float32)
        for matrix in self._matrices():
            white = rng.standard_normal(self._field, dtype=np.float32)
            out += matrix @ self._weighted(fft.rfft2(white) * self._noise)
            yield
        return self._volume(out)

    def _matrices(self) -> Iterator[sparse.csr_array]:
        """Yield what reads a line of each projection at the voxels (z, x) of a plane."""
        n_z, _, n_x = self.shape
        z = np.arange(n_z) - n_z // 2
        x = np.arange(n_x) - n_x // 2
        for tilt in np.radians(self.tilts):
            # A positive tilt brings positive x together with positive z.
            seen = (z[:, None] * np.sin(tilt) + x * np.cos(tilt)).ravel() + self._field[1] // 2
            first = np.floor(seen).astype(np.intp)
            columns = first[:, None] + np.arange(-1, 3)
            rows = np.arange(0, 4 * len(seen) + 1, 4)
            taps = cubic_taps(seen - first).astype(np.float32)
            shape = (len(seen), self._field[1])
            yield sparse.csr_array((taps.ravel(), columns.ravel(), rows), shape=shape)

    def _weighted(self, spectrum: npt.NDArray[np.complex64]) -> Volume:
        image = fft.irfft2(spectrum * self._weights, s=self._field)
        return np.ascontiguousarray(image[: self.shape[1]].T, np.float32)

    def _volume(self, planes: Volume) -> Volume:
        z, y, x = self.shape
        return np.ascontiguousarray(planes.reshape(z, x, y).transpose(0, 2, 1))


def _result(steps: Generator[None, None, Volume]) -> Volume:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Volume = end.value
            return found
