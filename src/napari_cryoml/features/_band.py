"""Filtering in Fourier space onto a coarser grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import fft

if TYPE_CHECKING:
    import torch

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """The low frequencies of a padded image, which a grid of every stride-th pixel can hold.

    Parameters
    ----------
    shape : tuple of int
        Shape of the image before padding.
    stride : int
        Pixels per grid point.
    margin : int
        Pixels before the image along each axis, a multiple of `stride`.
    coarse : tuple of int
        Shape of the padded grid.
    """

    shape: tuple[int, ...]
    stride: int
    margin: int
    coarse: tuple[int, ...]

    @classmethod
    def of(cls, shape: Sequence[int], stride: int, reach_px: float) -> Band:
        """Return the band of an image that is padded by `reach_px` at least on each side."""
        margin = stride * int(np.ceil(reach_px / stride))
        steps = [-(-(size + 2 * margin) // stride) for size in shape]
        coarse = tuple(fft.next_fast_len(n, real=True) for n in steps)
        return cls(tuple(shape), stride, margin, coarse)

    def pad(self, image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the image continued by its mirror image on all sides."""
        widths = [
            (self.margin, n * self.stride - size - self.margin)
            for n, size in zip(self.coarse, self.shape, strict=True)
        ]
        return np.pad(image, widths, mode="symmetric")

    @property
    def length(self) -> Floats:
        """Frequency of each coefficient, cycles per pixel."""
        return np.asarray(np.sqrt(sum(axis**2 for axis in self._axes())))

    def bins(self, n: int) -> torch.Tensor:
        """Return the row of each coefficient in a table of `n` frequencies from 0 to 1."""
        import torch

        return torch.from_numpy(np.minimum(np.rint(self.length * n), n - 1).astype(np.int64))

    def directions(self) -> list[Floats]:
        """Return the components (z)yx of the direction of each coefficient."""
        length = np.maximum(self.length, np.finfo(np.float32).tiny)
        return [axis / length for axis in self._axes()]

    def crop(self, spectrum: torch.Tensor) -> torch.Tensor:
        """Return the coefficients of the spectrum of a padded image that lie in the band."""
        import torch

        for axis, n in enumerate(self.coarse[:-1]):
            high = n // 2
            ends = (
                spectrum.narrow(axis, 0, n - high),
                spectrum.narrow(axis, spectrum.shape[axis] - high, high),
            )
            spectrum = torch.cat(ends, axis)
        return spectrum[..., : self.coarse[-1] // 2 + 1] / self.stride ** len(self.coarse)

    def inverse(self, spectrum: torch.Tensor) -> torch.Tensor:
        """Return the values on the grid of the image, padding left off."""
        import torch

        first = self.margin // self.stride
        sizes = (-(-size // self.stride) for size in self.shape)
        inner = tuple(slice(first, first + size) for size in sizes)
        return torch.fft.irfftn(spectrum, s=self.coarse)[inner]

    def _axes(self) -> list[Floats]:
        *outer, last = self.coarse
        lines = [*(fft.fftfreq(n) for n in outer), fft.rfftfreq(last)]
        return [
            line.reshape([-1 if i == axis else 1 for i in range(len(lines))]) / self.stride
            for axis, line in enumerate(lines)
        ]
