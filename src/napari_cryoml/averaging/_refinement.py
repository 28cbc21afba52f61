"""From the best of the turns and shifts that were tried to what lies between them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import fft

from napari_cryoml.averaging._likelihood import Reference, Search, likeliest
from napari_cryoml.averaging._polar import Floats, Spectra
from napari_cryoml.averaging._poses import Poses

FINER = 8
"""Turns between two that were tried."""
_PASSES = (4, 2, 1)
"""Steps of the passes, in units of 1 / `FINER` of a turn and of a shift."""


def refined_poses(spectra: Spectra, reference: Reference, search: Search) -> Poses:
    """Return the poses that lay each image on the reference as well as can be.

    From the likeliest turn and shift, each coordinate in turn goes to the top of a parabola
    through three places, with smaller and smaller steps.

    Parameters
    ----------
    spectra : array of shape (n, n_rings, n_angles / 2)
        Images, whitened.
    reference : Reference
    search : Search
    """
    turn, shift = likeliest(spectra, reference, search)
    mirrored = turn >= search.grid.n_angles
    coordinates = np.column_stack([FINER * (turn % search.grid.n_angles), shift])
    agreement = _Agreement(spectra, reference, search, mirrored)
    unit = np.array([1.0, *[search.grid.side / (4 * search.grid.n_rings * FINER)] * 2])
    for step in _PASSES:
        for axis in range(3):
            coordinates[:, axis] += _climb(agreement, coordinates, axis, step * unit[axis])
            coordinates[:, 0] = np.rint(coordinates[:, 0])
    angles_rad = coordinates[:, 0] * search.grid.step_rad / FINER
    return Poses.undoing(angles_rad, coordinates[:, 1:], mirrored)


class _Agreement:
    """How well each image fits the reference in a pose of its own."""

    def __init__(
        self,
        spectra: Spectra,
        reference: Reference,
        search: Search,
        mirrored: npt.NDArray[np.bool_],
    ) -> None:
        self._images = (spectra * search.weights(reference.variance)).conj()
        self._grid = search.grid
        self._sign = np.where(mirrored, -1, 1)[:, None]
        self._fine = _finer(reference.spectrum)

    def __call__(self, coordinates: Floats) -> Floats:
        """Return the agreement (n,) in poses (n, 3): turn in fine steps, shift yx in pixels."""
        sample = FINER * np.arange(self._grid.n_angles // 2)
        turn = np.rint(coordinates[:, :1]).astype(np.intp)
        index = self._sign * (sample - turn) % self._fine.shape[1]
        shown = self._fine[:, index].transpose(1, 0, 2) * self._grid.phases(coordinates[:, 1:])
        return np.einsum("nrj,nrj->n", self._images, shown).real.astype(np.float64)


def _climb(agreement: _Agreement, coordinates: Floats, axis: int, step: float) -> Floats:
    """Return how far along an axis the top of a parabola lies, at most a step away; shape (n,)."""
    offset = np.zeros(3)
    offset[axis] = step
    low, here, high = (agreement(coordinates + side * offset) for side in (-1, 0, 1))
    bend = 2 * here - low - high
    slope = np.clip((high - low) / (2 * np.maximum(bend, 1e-12)), -1, 1)
    return np.asarray(step * np.where(bend > 0, slope, np.sign(high - low)))


def _finer(spectrum: Spectra) -> Spectra:
    """Return a reference (n_rings, n_angles) sampled `FINER` times as densely."""
    size = spectrum.shape[1]
    coefficients = fft.fft(spectrum, axis=1)
    padded = np.zeros((len(spectrum), FINER * size), np.complex64)
    half = size // 2
    padded[:, :half], padded[:, -half:] = coefficients[:, :half], coefficients[:, half:]
    return np.asarray(FINER * fft.ifft(padded, axis=1), np.complex64)
