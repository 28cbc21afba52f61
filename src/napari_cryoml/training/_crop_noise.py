"""Noise that looks like the noise of the data."""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
from torch import Tensor

from napari_cryoml.data import MissingWedge, grid_frequencies


def with_spectrum_of(
    crops: Tensor,
    turned: Tensor,
    wedge: MissingWedge | None,
    refill: float,
    noise: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """Return turned crops behind the missing wedge of the data, with noise of its spectrum.

    Parameters
    ----------
    crops, turned : Tensor of shape (b, C, y, x) or (b, C, z, y, x), float32
        Before and after they were turned. Each channel has a noise and a spectrum of its own.
    wedge : MissingWedge or None
    refill : float
        Share of the power a shell of frequencies has lost that comes back as noise.
    noise : Tensor of shape (b,)
        Deviation of further noise, as a multiple of that of the crop, in each shell.
    generator : torch.Generator
    """
    shape, n_channels = tuple(crops.shape[2:]), crops.shape[1]
    crops, noise = crops.flatten(0, 1)[:, None], noise.repeat_interleave(n_channels)
    shells, mask = (part.to(crops.device) for part in _half_space(shape, wedge))
    axes = tuple(range(2, crops.ndim))
    spectrum = torch.fft.rfftn(turned.flatten(0, 1)[:, None], dim=axes) * mask
    before = _power(torch.fft.rfftn(crops, dim=axes) * mask, shells, mask)
    lost = (before - _power(spectrum, shells, mask)).clamp_min(0)
    wanted = refill * lost + noise[:, None] ** 2 * before
    white = torch.randn(crops.shape, generator=generator, device=generator.device)
    scale = (wanted / math.prod(shape)).sqrt().index_select(1, shells)
    scale = scale.reshape(spectrum.shape).mul_(mask)
    spectrum += torch.fft.rfftn(white, dim=axes).mul_(scale)
    return torch.fft.irfftn(spectrum, s=shape, dim=axes).reshape(turned.shape)


def _power(spectrum: Tensor, shells: Tensor, mask: Tensor) -> Tensor:
    """Return the mean square of the measured coefficients of each shell, shape (b, shells)."""
    squares = (spectrum.real.square() + spectrum.imag.square()).flatten(1)
    n_shells = int(shells.max()) + 1
    sums = squares.new_zeros(len(squares), n_shells).index_add_(1, shells, squares)
    return sums / mask.new_zeros(n_shells).index_add_(0, shells, mask.flatten()).clamp_min_(1)


@functools.lru_cache(maxsize=4)
def _half_space(shape: tuple[int, ...], wedge: MissingWedge | None) -> tuple[Tensor, Tensor]:
    """Return the shell of each coefficient of `rfftn`, flat, and 1 where it was measured."""
    frequencies = grid_frequencies(shape)[..., : shape[-1] // 2 + 1, :]
    shells = np.rint(np.linalg.norm(frequencies, axis=-1) * min(shape)).astype(np.int64)
    measured = np.ones(shells.shape, bool)
    if wedge is not None and len(shape) == 3:
        measured = wedge.measured(frequencies)
    return torch.from_numpy(shells.ravel()), torch.from_numpy(measured).float()
