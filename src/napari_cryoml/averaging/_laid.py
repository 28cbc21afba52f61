"""Particles laid on each other, as rows of numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_cryoml.averaging._align import compute_device
from napari_cryoml.averaging._align_config import AlignConfig
from napari_cryoml.averaging._boxes import standardised, within_ball
from napari_cryoml.averaging._mask import DEFAULT_SHARE
from napari_cryoml.averaging._particles import Particles, Rows
from napari_cryoml.averaging._rigid import RigidPoses
from napari_cryoml.averaging._sums import FourierSums

_BATCH = 32

Floats = npt.NDArray[np.float32]


class Layout:
    """Coefficients of particles laid on their reference.

    Parameters
    ----------
    particles : Particles
    config : AlignConfig
        For the detail that is looked at.
    """

    def __init__(self, particles: Particles, config: AlignConfig) -> None:
        side = particles.side
        self._particles = particles
        self._sums = FourierSums(side, compute_device(particles.device))
        radius = np.linalg.norm(self._sums.places, axis=1)
        high = config.highest(side, particles.pixel_size)
        self._keep = np.flatnonzero((radius >= config.low) & (radius <= high))
        self._shells = np.rint(radius[self._keep]).astype(np.intp)
        self._diameter = (config.diameter or DEFAULT_SHARE * side) + 2 * config.reach(side)

    def rows(
        self, rows: Rows, poses: RigidPoses
    ) -> tuple[npt.NDArray[np.complex64], npt.NDArray[np.bool_]]:
        """Return coefficients (b, m) of some rows in poses of their own, and what was measured."""
        spectra, measured = [], []
        for start in range(0, len(rows), _BATCH):
            part = slice(start, start + _BATCH)
            boxes = within_ball(standardised(self._particles.boxes[rows[part]]), self._diameter)
            found, seen = self._sums.laid(boxes, poses.take(part), self._particles.wedge)
            spectra.append(found.cpu().numpy()[:, self._keep])
            measured.append(seen.cpu().numpy()[:, self._keep] > 0)
        return np.concatenate(spectra), np.concatenate(measured)

    def coefficients(self, volume: Floats) -> npt.NDArray[np.complex64]:
        """Return the coefficients (m,) of a reference."""
        found, _ = self._sums.laid(volume[None], RigidPoses.unmoved(1), None)
        return np.asarray(found.cpu().numpy()[0, self._keep])

    def features(
        self, spectra: npt.NDArray[np.complex64], known: npt.NDArray[np.bool_]
    ) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Return spectra (b, m) as real rows (b, 2 m), noise divided out, and what is known."""
        power = (np.square(np.abs(spectra)) * known).sum(axis=0)
        levels = np.bincount(self._shells, power) / np.maximum(
            np.bincount(self._shells, known.sum(axis=0)), 1
        )
        whitened = spectra / np.sqrt(np.maximum(levels[self._shells], 1e-30))
        rows = np.concatenate([whitened.real, whitened.imag], axis=1).astype(np.float32)
        return rows, np.concatenate([known, known], axis=1)


def imputed(
    spectra: npt.NDArray[np.complex64],
    measured: npt.NDArray[np.bool_],
    reference: npt.NDArray[np.complex64],
) -> npt.NDArray[np.complex64]:
    """Return spectra (b, m) whose missing coefficients are those of a reference (m,).

    The reference is scaled to each by least squares over what was measured.
    """
    product = (spectra * reference.conj()).real * measured
    length = np.square(np.abs(reference)) * measured
    scale = np.maximum(product.sum(axis=1) / np.maximum(length.sum(axis=1), 1e-30), 0)
    return np.where(measured, spectra, scale[:, None].astype(np.float32) * reference)
