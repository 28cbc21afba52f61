"""Up to which detail two images agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.averaging._mask import soft_mask

GOLD_STANDARD = 0.143
HALF = 0.5
_LEAST_SIDE = 4


@dataclass(frozen=True, slots=True, eq=False)
class ShellCorrelation:
    """The Fourier ring (2-D) or shell (3-D) correlation of two images.

    Parameters
    ----------
    frequency : array of shape (k,)
        Cycles per pixel at the middle of each shell, from 0 to 0.5.
    values : array of shape (k,)
        Correlation, -1 to 1; 1 at frequency 0, where the means were taken away.
    n : array of shape (k,)
        Independent Fourier coefficients nearest to each shell.
    pixel_size : float, optional
        Angstrom per pixel.
    reduction : float, default 1
        Pixels of the images per pixel, in which periods are told where no pixel size is known.
    """

    frequency: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]
    n: npt.NDArray[np.int64]
    pixel_size: float | None = None
    reduction: float = 1.0

    @property
    def unit(self) -> str:
        """Unit of `resolution`: "Å" with a pixel size, else "px"."""
        return "px" if self.pixel_size is None else "Å"

    def resolution(self, threshold: float = GOLD_STANDARD) -> float | None:
        """Return the period at which the curve first falls below a threshold.

        Parameters
        ----------
        threshold : float, default 0.143
            For two halves that were aligned independently; 0.5 against a known truth.

        Returns
        -------
        float or None
            Angstrom, or pixels of the images without a pixel size, interpolated between shells;
            None if the curve never falls below the threshold, or lies below it from the first
            shell on.
        """
        below = np.flatnonzero(self.values[1:] < threshold) + 1
        if not below.size or below[0] == 1:
            return None
        end = int(below[0])
        above, under = self.values[end - 1], self.values[end]
        share = (above - threshold) / (above - under)
        step = self.frequency[end] - self.frequency[end - 1]
        return self.period(float(self.frequency[end - 1] + share * step))

    def in_words(self, threshold: float = GOLD_STANDARD) -> str:
        """Return the resolution with its unit, or what takes its place."""
        found = self.resolution(threshold)
        if found is not None:
            return f"{found:.1f} {self.unit}"
        return f"finer than {self.finest:.1f} {self.unit}" if self.holds(threshold) else "none"

    def holds(self, threshold: float = GOLD_STANDARD) -> bool:
        """Return whether the curve reaches its end without falling below a threshold."""
        return len(self.values) > 1 and not bool((self.values[1:] < threshold).any())

    @property
    def finest(self) -> float:
        """The period at the end of the curve: no resolution finer than that can be told."""
        return self.period(float(self.frequency[-1]))

    def period(self, frequency: float) -> float:
        """Return the length in `unit` of a wave of `frequency` cycles per pixel."""
        return (self.pixel_size or self.reduction) / frequency


def shell_correlation(
    a: npt.NDArray[Any],
    b: npt.NDArray[Any],
    *,
    mask: npt.NDArray[Any] | None = None,
    pixel_size: float | None = None,
) -> ShellCorrelation:
    """Correlate two images ring by ring, or two volumes shell by shell, in Fourier space.

    Shells are one period to the shortest side apart; a coefficient between two of them counts
    for both by its distance from each.

    Parameters
    ----------
    a, b : array of shape (y, x) or (z, y, x)
    mask : array of the same shape, optional
        Weights of the pixels; a soft disc or ball of four fifths of the shortest side by default.
    pixel_size : float, optional
        Angstrom per pixel.

    Raises
    ------
    InputError
        If shapes differ, are too small or not 2-D or 3-D, or there are values that are no numbers.

    References
    ----------
    Harauz and van Heel 1986, Optik 73:146; threshold 0.143: Rosenthal and Henderson 2003, J Mol
    Biol 333:721.
    """
    # The package takes half transforms too, but counts their first column twice; whole ones are
    # exact. It is loaded here because it brings torch along.
    import torch
    from torch_fourier_shell_correlation import fourier_correlation

    _check(a, b)
    mask = np.asarray(soft_mask(a.shape) if mask is None else mask, np.float64)
    spectra = [
        torch.from_numpy(np.fft.fftn(_masked(np.asarray(each, np.float64), mask)))
        for each in (a, b)
    ]
    values = fourier_correlation(*spectra, image_shape=a.shape, rfft=False)
    return ShellCorrelation(
        frequency=np.asarray(np.fft.rfftfreq(min(a.shape)), np.float64),
        values=values.numpy().astype(np.float64),
        n=_independent(a.shape),
        pixel_size=pixel_size,
    )


def _check(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> None:
    if a.shape != b.shape or a.ndim not in (2, 3) or min(a.shape) < _LEAST_SIDE:
        raise InputError(
            f"Two images or two volumes of one shape, {_LEAST_SIDE} pixels or more each way, can "
            f"be correlated; shapes {a.shape} and {b.shape} were given."
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputError("Images with pixels that are no numbers cannot be correlated: mask them.")


def _masked(
    image: npt.NDArray[np.float64], mask: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    mean = np.sum(image * mask) / max(float(np.sum(mask)), 1e-12)
    rest = (image - mean) * mask
    # What rounding leaves of an even image would correlate with itself.
    return np.where(np.abs(rest).max() > 1e-12 * abs(mean), rest, 0.0)


def _independent(shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Count coefficients by nearest shell; of those that mirror each other, one counts."""
    axes = np.meshgrid(*[np.fft.fftfreq(size) for size in shape], indexing="ij")
    shell = np.rint(np.sqrt(sum(np.square(axis) for axis in axes)) * min(shape)).astype(np.intp)
    counts = np.bincount(shell.ravel(), minlength=min(shape) // 2 + 1)[: min(shape) // 2 + 1]
    return np.asarray((counts + 1) // 2, np.int64)
