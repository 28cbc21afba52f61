"""Fourier transforms of volumes at any frequency, and of particles in any pose."""

from __future__ import annotations

import math

import torch

_PADDING = 2


class Transforms:
    """Fourier transforms of volumes that can be asked between their samples.

    The transform of a volume padded to twice its side is interpolated linearly; what that does to
    the volume, a product with sinc^2, is undone beforehand.

    Parameters
    ----------
    volumes : Tensor of shape (b, n, n, n)
        Their centre is voxel n // 2.
    reach : float
        Highest frequency that will be asked for, periods to a side; n / 2 at most is known.
    """

    def __init__(self, volumes: torch.Tensor, reach: float) -> None:
        padded = _PADDING * volumes.shape[-1]
        half = min(math.ceil(_PADDING * reach) + 1, padded // 2)
        table = torch.view_as_real(_with_one_before(_samples(volumes, half)))
        self._table = table.movedim(-1, 1).contiguous()
        size = torch.tensor(self._table.shape[2:], device=volumes.device)
        first = torch.tensor([-half, -half, -1], device=volumes.device)
        self._scale = 2 * _PADDING / (size - 1)
        self._offset = -2 * first / (size - 1) - 1

    def at(self, frequencies: torch.Tensor) -> torch.Tensor:
        """Return the transforms at frequencies.

        Parameters
        ----------
        frequencies : Tensor of shape (b, m, 3)
            zyx, periods to a side. Of a single volume there may be any b.

        Returns
        -------
        Tensor of shape (b, m), complex
        """
        # The transform of a frequency's negative is the conjugate: half of them are known.
        sign = torch.where(frequencies[..., 2] < 0, -1.0, 1.0)
        places = (frequencies * sign[..., None] * self._scale + self._offset).flip(-1)
        single = len(self._table) == 1
        grid = places[None, :, :, None] if single else places[:, :, None, None]
        found = torch.nn.functional.grid_sample(self._table, grid, align_corners=True)
        real, imaginary = found[0].squeeze(-1) if single else found.squeeze((-1, -2)).unbind(1)
        return torch.complex(real, imaginary * sign)


def _samples(volumes: torch.Tensor, half: int) -> torch.Tensor:
    """Return the padded transform (b, z, y, x) from -half to half, along x from 0.

    One axis at a time, so that neither what is zero nor what is not asked for costs much.
    """
    side = volumes.shape[-1]
    padded = _PADDING * side
    index = torch.arange(-half, half + 1, device=volumes.device)
    phase = (2 * torch.pi / padded) * (side // 2) * index
    centred = torch.polar(torch.ones_like(phase), phase)
    spectra = torch.fft.rfft(_corrected(volumes, padded), n=padded)[..., : half + 1]
    spectra = spectra * centred[half:]
    for axis, factor in ((-2, centred[:, None]), (-3, centred[:, None, None])):
        whole = torch.fft.fft(spectra, n=padded, dim=axis)
        spectra = whole.index_select(axis, index % padded) * factor
    return spectra


def _corrected(volumes: torch.Tensor, padded: int) -> torch.Tensor:
    """Return volumes divided by what linear interpolation between frequencies makes of them."""
    side = volumes.shape[-1]
    offset = torch.arange(side, device=volumes.device) - side // 2
    gain = torch.sinc(offset / padded).square().reciprocal().to(volumes.dtype)
    return volumes * (gain * gain[:, None] * gain[:, None, None])


def _with_one_before(spectra: torch.Tensor) -> torch.Tensor:
    """Return half transforms with x = -1 put before x = 0, for what lies between."""
    before = spectra[..., 1:2].flip((-3, -2)).conj()
    return torch.cat([before.resolve_conj(), spectra], dim=-1)


def turned(frequencies: torch.Tensor, rotations: torch.Tensor) -> torch.Tensor:
    """Return which frequencies of the reference are frequencies of a particle.

    Parameters
    ----------
    frequencies : Tensor of shape (m, 3)
        Of the particle in its box, zyx.
    rotations : Tensor of shape (b, 3, 3)
        How the particle is turned.

    Returns
    -------
    Tensor of shape (b, m, 3)
    """
    return frequencies @ rotations


def waves(frequencies: torch.Tensor, shifts: torch.Tensor, side: int) -> torch.Tensor:
    """Return the factors by which moving a volume multiplies its transform.

    Parameters
    ----------
    frequencies : Tensor of shape (m, 3)
        Periods to a side.
    shifts : Tensor of shape (b, 3)
        Voxels zyx.
    side : int

    Returns
    -------
    Tensor of shape (b, m), complex
    """
    phase = (-2 * torch.pi / side) * (shifts @ frequencies.T)
    return torch.complex(phase.cos(), phase.sin())
