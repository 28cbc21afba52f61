"""Images as samples on rings in Fourier space, where a turn is a roll and a shift is a phase."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

Floats = npt.NDArray[np.float64]
Spectra = npt.NDArray[np.complex64]

_MARGIN = 8
"""Side beyond twice the outermost ring to which images are reduced, pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class PolarGrid:
    """Rings 1, 2 ... periods to the box, sampled at even angles.

    Images are sampled on half a circle: the other half is the complex conjugate. References are
    kept on the whole circle, so that each turn of them is an index.

    Parameters
    ----------
    side : int
        Pixels of the shortest side of the images: what one period to the box means.
    n_rings : int
    n_angles : int
        Around the whole circle; even.
    """

    side: int
    n_rings: int
    n_angles: int

    @property
    def radii(self) -> Floats:
        """Periods to the box of each ring, shape (n_rings,)."""
        return np.arange(1, self.n_rings + 1, dtype=np.float64)

    @property
    def step_rad(self) -> float:
        """Angle between two samples, radians."""
        return 2 * np.pi / self.n_angles

    @property
    def frequencies(self) -> Floats:
        """Cycles per pixel yx of the samples of half a circle, shape (2, n_rings, n_angles / 2)."""
        angles = self.step_rad * np.arange(self.n_angles // 2)
        direction = np.stack([np.sin(angles), np.cos(angles)])
        return direction[:, None] * self.radii[:, None] / self.side

    @property
    def weights(self) -> Floats:
        """Independent coefficients that one sample of each ring stands for, shape (n_rings,)."""
        return np.pi * self.radii / (self.n_angles // 2)

    def phases(self, shifts: Floats) -> Spectra:
        """Return the factors (k, n_rings, n_angles / 2) that move images by (k, 2) pixels yx."""
        cycles = np.tensordot(shifts, self.frequencies, axes=1)
        return np.exp(-2j * np.pi * cycles).astype(np.complex64)

    def samples(self, images: npt.NDArray[np.float32]) -> Spectra:
        """Return the spectra (n, n_rings, n_angles / 2) of images (n, y, x) about their centres.

        Images must have been masked: they are taken to be zero beyond their borders.
        """
        reduced, places = self._reduced(images)
        cycles = [
            np.multiply.outer(place, frequency.ravel())
            for place, frequency in zip(places, self.frequencies, strict=True)
        ]
        waves = np.exp(-2j * np.pi * (cycles[0][:, None] + cycles[1][None])).astype(np.complex64)
        waves = waves.reshape(reduced[0].size, -1)
        # One product of real matrices takes half the time of a complex one.
        parts = reduced.reshape(len(reduced), -1) @ waves.view(np.float32)
        return parts.view(np.complex64).reshape(len(images), self.n_rings, -1)

    def _reduced(
        self, images: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.float32], list[Floats]]:
        """Return images without detail beyond the rings, and the pixels yx of their samples.

        Both begin with the centre, as Fourier transforms have it.
        """
        shape = images.shape[1:]
        ratio = (2 * self.n_rings + _MARGIN) / self.side
        sides = [min(fft.next_fast_len(int(np.ceil(ratio * size))), size) for size in shape]
        spectrum = fft.fft2(fft.ifftshift(images, axes=(1, 2)))
        for axis, (size, side) in enumerate(zip(shape, sides, strict=True), 1):
            kept = fft.fftfreq(side, 1 / side).astype(np.intp) % size
            spectrum = spectrum.take(kept, axis=axis)
        reduced = fft.ifft2(spectrum).real.astype(np.float32)
        places = [fft.fftfreq(side) * size for size, side in zip(shape, sides, strict=True)]
        return np.ascontiguousarray(reduced), places


def whole_circle(half: Spectra) -> Spectra:
    """Return spectra of half a circle (..., n_angles / 2) on the whole one (..., n_angles)."""
    return np.concatenate([half, half.conj()], axis=-1)
