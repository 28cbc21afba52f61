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
        side = volumes.shape[-1]
        padded = _PADDING * side
        half = min(math.ceil(_PADDING * reach) + 1, padded // 2)
        spectra = torch.fft.fftn(_centred(volumes, padded), dim=(-3, -2, -1))
        index = torch.arange(-half, half + 1, device=volumes.device) % padded
        kept = spectra[:, index][:, :, index][:, :, :, index]
        self._table = torch.view_as_real(kept).movedim(-1, 1).contiguous()
        self._scale = _PADDING / half

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
        places = (frequencies * self._scale).flip(-1)
        single = len(self._table) == 1
        grid = places[None, :, :, None] if single else places[:, :, None, None]
        found = torch.nn.functional.grid_sample(self._table, grid, align_corners=True)
        real, imaginary = found[0].squeeze(-1) if single else found.squeeze((-1, -2)).unbind(1)
        return torch.complex(real, imaginary)


def _centred(volumes: torch.Tensor, padded: int) -> torch.Tensor:
    """Return volumes within a larger box, centre first, corrected for linear interpolation."""
    side = volumes.shape[-1]
    offset = torch.arange(side, device=volumes.device) - side // 2
    gain = torch.sinc(offset / padded).square().reciprocal().to(volumes.dtype)
    rest = padded - side
    corrected = volumes * gain * gain[:, None] * gain[:, None, None]
    wide = torch.nn.functional.pad(corrected, (0, rest) * 3)
    return torch.roll(wide, (-(side // 2),) * 3, (-3, -2, -1))


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
