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
        spectrum = fft.fftshift(fft.rfftn(fft.fftshift(padded)), axes=(0, 1))
        self.size = size
        self._spectrum = torch.from_numpy(np.ascontiguousarray(spectrum, np.complex64))

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
        from torch_fourier_slice import extract_central_slices_rfft_3d

        planes = tilt_planes(tilts)
        # A frequency k of the specimen is frequency R^T k of the density.
        turns = np.swapaxes(rotations, 1, 2)[:, None] @ planes
        slices = extract_central_slices_rfft_3d(
            self._spectrum, torch.from_numpy(turns), fftfreq_max=0.5, zyx_matrices=True
        )
        spectra = fft.ifftshift(slices.numpy(), axes=-2)
        for factor in _phases(shifts, planes, self.size):
            spectra *= factor
        return spectra


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
