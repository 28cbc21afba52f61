"""The transfer function of the microscope, and noise with a given spectrum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import fft

Floats = npt.NDArray[np.float64]


def electron_wavelength(voltage_kv: float) -> float:
    """Return the relativistic wavelength in angstrom of electrons of `voltage_kv` kilovolts."""
    volts = voltage_kv * 1e3
    return float(12.2643 / np.sqrt(volts + 0.978466e-6 * volts**2))


def ctf(
    shape: Sequence[int],
    pixel_size: float,
    defocus_um: float,
    *,
    voltage_kv: float = 300.0,
    cs_mm: float = 2.7,
    amplitude_contrast: float = 0.1,
    b_factor: float = 0.0,
) -> Floats:
    """Return the contrast transfer function on the frequencies of ``scipy.fft.rfft2``.

    ``-sqrt(1 - w^2) sin(chi) - w cos(chi)`` with
    ``chi = pi lambda k^2 (defocus - lambda^2 k^2 Cs / 2)``, times ``exp(-B k^2 / 4)``: negative
    at low frequencies, so that matter is dark.

    Parameters
    ----------
    shape : (int, int)
        Shape yx of the image.
    pixel_size : float
        Angstrom per pixel.
    defocus_um : float
        Underfocus in micrometres, positive.
    voltage_kv, cs_mm : float
        Acceleration voltage in kilovolts, spherical aberration in millimetres.
    amplitude_contrast : float
        w, between 0 and 1.
    b_factor : float
        Fall-off towards high frequencies, square angstrom.

    Returns
    -------
    array of shape (y, x // 2 + 1)

    References
    ----------
    Mindell and Grigorieff, J. Struct. Biol. 142, 334 (2003), equations 1 to 3.
    """
    k2 = _squared_frequencies(shape) / pixel_size**2
    wavelength = electron_wavelength(voltage_kv)
    chi = np.pi * wavelength * k2 * (defocus_um * 1e4 - wavelength**2 * k2 * cs_mm * 1e7 / 2)
    phase = np.sqrt(1 - amplitude_contrast**2) * np.sin(chi)
    envelope = np.exp(-b_factor * k2 / 4)
    return np.asarray(-(phase + amplitude_contrast * np.cos(chi)) * envelope, np.float64)


def transfer(image: Floats, transfer_function: Floats) -> Floats:
    """Return `image` filtered by a function on the frequencies of ``scipy.fft.rfft2``."""
    return np.asarray(fft.irfft2(fft.rfft2(image) * transfer_function, s=image.shape))


def coloured_noise(shape: Sequence[int], scale_px: float, rng: np.random.Generator) -> Floats:
    """Return noise of mean 0 and deviation 1 whose power falls off below `scale_px` pixels.

    The power at frequency k (cycles per pixel) is ``1 / (1 + (scale k)^2)^2``.
    """
    filtered = transfer(
        rng.standard_normal(tuple(shape)), 1 / (1 + scale_px**2 * _squared_frequencies(shape))
    )
    filtered -= filtered.mean()
    return np.asarray(filtered / filtered.std(), np.float64)


def _squared_frequencies(shape: Sequence[int]) -> Floats:
    """Return squared frequencies, cycles per pixel, of a one-sided spectrum."""
    y, x = fft.fftfreq(shape[0]), fft.rfftfreq(shape[1])
    return np.asarray(y[:, None] ** 2 + x**2, np.float64)
