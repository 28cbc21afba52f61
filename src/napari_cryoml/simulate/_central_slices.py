"""Projections of turned densities, as slices of their spectrum."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import fft

from napari_cryoml.simulate._density_maps import boxed

Floats = npt.NDArray[np.float64]
Spectra = npt.NDArray[np.complex64]

PADDING = 2
"""Times that the field of a projection is wider than the box: interpolation needs the room."""


class SlicedMap:
    """The spectrum of a density, ready to be cut.

    A projection is a slice of the spectrum through frequency 0, across the beam.

    Parameters
    ----------
    array : array of shape (n, n, n)
        Density, its centre on voxel ``n // 2``.
    """

    def __init__(self, array: npt.NDArray[np.float32]) -> None:
        import torch

        size = PADDING * array.shape[0]
        # Linear interpolation of the spectrum dims the outer density by these factors.
        dimming = np.sinc((np.arange(size) - size // 2) / size) ** 2
        dimming = np.maximum(dimming, dimming[size // 4])
        padded = boxed(array, size) / np.float32(
            dimming[:, None, None] * dimming[:, None] * dimming
        )
        spectrum = fft.fftshift(fft.fftn(fft.fftshift(padded)))
        # The Nyquist planes stand at both ends, so that a cut may touch either.
        closed = np.pad(spectrum, (0, 1), mode="wrap")
        self.size = size
        self._parts = torch.from_numpy(np.stack([closed.real, closed.imag])[None])

    def projections(self, rotations: Floats, shifts: Floats, tilts: Floats) -> Spectra:
        """Return the spectra of the tilt series of turned and shifted copies.

        Parameters
        ----------
        rotations : array of shape (b, 3, 3)
            Act on columns zyx of offsets in the density.
        shifts : array of shape (b, 3)
            Voxels zyx from the middle of the field, after the turn.
        tilts : array of shape (t,)
            Degrees about y; a positive tilt brings positive x together with positive z.

        Returns
        -------
        array of shape (b, t, size, size // 2 + 1), complex64
            ``scipy.fft.rfft2`` of the projections, yx, the middle of the field on pixel 0.
        """
        import torch

        planes = tilt_planes(tilts)
        # A frequency k of the specimen is frequency R^T k of the density.
        turns = np.swapaxes(rotations, 1, 2)[:, None] @ planes
        kept, points = _disc(self.size)
        grid = (turns @ points).swapaxes(2, 3)[..., ::-1].reshape(1, -1, points.shape[1], 1, 3)
        parts = torch.nn.functional.grid_sample(
            self._parts,
            torch.from_numpy(np.ascontiguousarray(2 * grid, np.float32)),
            align_corners=True,
        ).numpy()[0, ..., 0]
        spectra = np.zeros((*turns.shape[:2], *kept.shape), np.complex64)
        samples = (parts[0] + np.complex64(1j) * parts[1]).reshape(*turns.shape[:2], -1)
        spectra[..., kept] = samples
        for factor in _phases(shifts, planes, self.size):
            spectra *= factor
        return spectra


def _disc(size: int) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Return which frequencies of ``rfft2`` are up to Nyquist, and those (3, n), zyx, z = 0."""
    y, x = np.meshgrid(fft.fftfreq(size), fft.rfftfreq(size), indexing="ij")
    kept = np.hypot(y, x) <= 0.5
    return kept, np.stack([np.zeros(kept.sum()), y[kept], x[kept]])


def tilt_planes(tilts: Floats) -> Floats:
    """Return what brings frequencies of a projection (0, y, x) into the specimen, (t, 3, 3)."""
    sines, cosines = np.sin(np.radians(tilts)), np.cos(np.radians(tilts))
    planes = np.zeros((len(tilts), 3, 3))
    planes[:, 0, 0], planes[:, 0, 2] = cosines, sines
    planes[:, 1, 1] = 1
    planes[:, 2, 0], planes[:, 2, 2] = -sines, cosines
    return planes


def _phases(shifts: Floats, planes: Floats, size: int) -> tuple[Spectra, Spectra]:
    """Return the two factors, along y and along x, that shift the projections of a specimen."""
    seen = shifts[:, None, None] @ planes
    y, x = seen[..., 0, 1, None], seen[..., 0, 2, None]
    down = np.exp(-2j * np.pi * y * fft.fftfreq(size))
    right = np.exp(-2j * np.pi * x * fft.rfftfreq(size))
    return down[..., None].astype(np.complex64), right[..., None, :].astype(np.complex64)
