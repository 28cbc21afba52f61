"""From complexes to reconstructed boxes, with signal and noise in the wanted proportion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

from napari_cryoml.simulate._central_slices import PADDING, SlicedMap
from napari_cryoml.simulate._density import random_rotations
from napari_cryoml.simulate._inversion import FourierInversion
from napari_cryoml.simulate._tilt_series import (
    TiltSeriesConfig,
    noise_transfer,
    signal_transfer,
)

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Spectra = npt.NDArray[np.complex64]
Boxes = npt.NDArray[np.float32]

_SAMPLES = 24
"""Boxes that the power of signal and of noise is measured on."""
_FEW = 4
"""Copies of a map that are projected at a time: more are no quicker and need more memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Poses:
    """Complexes in boxes.

    Parameters
    ----------
    kinds : array of shape (n,)
        Which map each is; -1 is nothing.
    rotations : array of shape (n, 3, 3)
    shifts : array of shape (n, 3)
        Voxels zyx from the middle of the box.
    """

    kinds: Rows
    rotations: Floats
    shifts: Floats

    @classmethod
    def none(cls) -> Poses:
        """Return no poses."""
        return cls(np.empty(0, np.intp), np.empty((0, 3, 3)), np.empty((0, 3)))

    def joined(self, other: Poses) -> Poses:
        """Return these and then the other ones."""
        return Poses(
            np.concatenate([self.kinds, other.kinds]),
            np.concatenate([self.rotations, other.rotations]),
            np.concatenate([self.shifts, other.shifts]),
        )


class Imaging:
    """The microscope, the detector and the reconstruction for boxes of some complexes.

    Signal and noise are linear in what they come from, so each is measured once and scaled:
    noise to variance 1 in the box, each map to a variance of `snr` (1, if there is no noise).

    Parameters
    ----------
    arrays : sequence of array of shape (box, box, box)
        Density maps.
    config : TiltSeriesConfig
    box : int
        Voxels a side.
    """

    def __init__(self, arrays: Sequence[Boxes], config: TiltSeriesConfig, box: int) -> None:
        field = PADDING * box
        self.box, self.tilts, self.snr = box, config.tilts, config.snr
        self._maps = [SlicedMap(array) for array in arrays]
        self._inversion = FourierInversion(field, config.tilts)
        self._signal = signal_transfer(config, (field, field))
        self._noise = noise_transfer(config, (field, field))
        self._gains = np.ones(len(arrays))
        self._gains = np.asarray([self._gain(kind) for kind in range(len(arrays))])
        self._noise_scale = 0.0 if config.snr is None else self._measured_noise_scale()

    def boxes(
        self, poses: Poses, homes: Rows, n: int, noise: Sequence[np.random.Generator]
    ) -> Boxes:
        """Return `n` boxes, (n, box, box, box).

        Parameters
        ----------
        poses : Poses
            Everything that lies in them.
        homes : array of shape (len(poses),)
            Which box each lies in.
        noise : sequence of numpy.random.Generator
            One a box.
        """
        spectra = self.signals(poses, homes, n)
        if self.snr is not None:
            for spectrum, rng in zip(spectra, noise, strict=True):
                spectrum += self._noise_scale * self.noise(rng)
        return self._inversion.volumes(spectra, self.box)

    def signals(self, poses: Poses, homes: Rows, n: int) -> Spectra:
        """Return the spectra of `n` tilt series without noise, (n, t, field, field // 2 + 1)."""
        out = np.zeros((n, len(self.tilts), *self._signal.shape), np.complex64)
        for kind in np.unique(poses.kinds[poses.kinds >= 0]):
            members = np.flatnonzero(poses.kinds == kind)
            for start in range(0, len(members), _FEW):
                some = members[start : start + _FEW]
                slices = self._maps[kind].projections(
                    poses.rotations[some], poses.shifts[some], self.tilts
                )
                slices *= np.float32(self._gains[kind]) * self._signal
                for home, one in zip(homes[some], slices, strict=True):
                    out[home] += one
        return out

    def noise(self, rng: np.random.Generator) -> Spectra:
        """Return the spectra of one tilt series of noise, (t, field, field // 2 + 1)."""
        side = PADDING * self.box
        white = rng.standard_normal((len(self.tilts), side, side), dtype=np.float32)
        return np.asarray(fft.rfft2(white) * self._noise, np.complex64)

    def _gain(self, kind: int) -> float:
        """Return what a map is multiplied with; the same poses for all, whatever the seed."""
        turns = random_rotations(_SAMPLES, np.random.default_rng(0))
        powers = []
        for some in np.split(turns, _SAMPLES // _FEW):
            poses = Poses(np.full(_FEW, kind), some, np.zeros((_FEW, 3)))
            spectra = self.signals(poses, np.arange(_FEW), _FEW)
            powers.append(_variance(self._inversion.volumes(spectra, self.box)))
        return float(np.sqrt((1.0 if self.snr is None else self.snr) / np.mean(powers)))

    def _measured_noise_scale(self) -> float:
        rng = np.random.default_rng(0)
        powers = [
            _variance(self._inversion.volumes(self.noise(rng)[None], self.box))
            for _ in range(_SAMPLES)
        ]
        return float(1 / np.sqrt(np.mean(powers)))


def _variance(boxes: Boxes) -> float:
    return float(np.var(boxes, axis=(1, 2, 3), dtype=np.float64).mean())
