"""The correlation of two halves, without what their mask adds to it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from napari_cryoml.averaging._correlation import ShellCorrelation, shell_correlation

_SURE = 0.8
"""Phases are randomised beyond the shell at which the unmasked halves agree less than this."""
_SHELLS_AFTER = 2

Volume = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class MaskedCorrelation:
    """The correlation of two halves within a mask, and what of it the mask makes.

    Parameters
    ----------
    corrected : ShellCorrelation
        The one to read the resolution from.
    masked, unmasked : ShellCorrelation
        As the halves are, within the mask and in the whole box.
    randomised : ShellCorrelation
        Within the mask, phases beyond a shell being random: what the mask alone makes.
    first : int
        That shell.
    """

    corrected: ShellCorrelation
    masked: ShellCorrelation
    unmasked: ShellCorrelation
    randomised: ShellCorrelation
    first: int


def masked_correlation(
    a: Volume,
    b: Volume,
    mask: Volume,
    *,
    pixel_size: float | None = None,
    seed: int = 0,
) -> MaskedCorrelation:
    """Correlate halves within a mask, and correct the curve for the mask.

    A mask makes shells of both halves alike, whatever they hold. How much it does is seen where
    the phases of both are random, and taken away: ``(masked - random) / (1 - random)``.

    Parameters
    ----------
    a, b : array of shape (z, y, x) or (y, x)
    mask : array of the same shape
        1 within, 0 beyond.
    pixel_size : float, optional
        Angstrom.
    seed : int, default 0
        Of the random phases.

    References
    ----------
    Chen, McMullan, Faruqi, Murshudov, Short, Scheres, Henderson 2013, High-resolution noise
    substitution to measure overfitting and validate resolution in 3D structure determination by
    single particle electron cryomicroscopy, Ultramicroscopy 135:24.
    """
    unmasked = shell_correlation(a, b, mask=np.ones(a.shape), pixel_size=pixel_size)
    masked = shell_correlation(a, b, mask=mask, pixel_size=pixel_size)
    below = np.flatnonzero(unmasked.values < _SURE)
    first = int(below[0]) if below.size else len(unmasked.values)
    if first >= len(unmasked.values):
        return MaskedCorrelation(masked, masked, unmasked, masked, first)
    noise = _randomised(np.stack([a, b]), float(unmasked.frequency[first]), seed)
    randomised = shell_correlation(*noise, mask=mask, pixel_size=pixel_size)
    corrected = replace(masked, values=_corrected(masked.values, randomised.values, first))
    return MaskedCorrelation(corrected, masked, unmasked, randomised, first)


def _corrected(
    masked: npt.NDArray[np.float64], randomised: npt.NDArray[np.float64], first: int
) -> npt.NDArray[np.float64]:
    by_mask = np.clip(randomised, 0, 1 - 1e-6)
    beyond = np.arange(len(masked)) >= first + _SHELLS_AFTER
    # Where the mask explains nearly everything, what is left over is no correlation any more.
    found = np.clip((masked - by_mask) / (1 - by_mask), -1, 1)
    return np.asarray(np.where(beyond, found, masked))


def _randomised(images: npt.NDArray[np.float32], frequency: float, seed: int) -> Volume:
    """Return images (2, ...) with random phases from a frequency in cycles per pixel on."""
    import torch
    from torch_fourier_filter.phase_randomize import phase_randomize

    shape = images.shape[1:]
    axes = tuple(range(-len(shape), 0))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        spectra = [
            phase_randomize(each, shape, rfft=True, cuton=frequency)
            for each in torch.fft.rfftn(torch.as_tensor(images), dim=axes)
        ]
    return np.asarray(torch.fft.irfftn(torch.stack(spectra), shape, dim=axes).numpy(), np.float32)
