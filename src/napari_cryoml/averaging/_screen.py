"""Which rotations of a reference look like a particle, wherever it lies in its box."""

from __future__ import annotations

import torch

from napari_cryoml.averaging._band import Band
from napari_cryoml.averaging._transform import Transforms, turned

_PLACES_AT_ONCE = 2**20


def pattern(band: Band, spectra: torch.Tensor) -> torch.Tensor:
    """Return how amplitudes (b, m) deviate from the mean of their shell, to a length of 1.

    Moving a particle changes the phases of its transform, not its amplitudes, so that rotations
    are compared without shifts (Xu and Alber 2012). Only frequencies that the wedge left are
    among the m, so that what is missing says nothing.
    """
    amplitudes = spectra.abs()
    rest = amplitudes - band.by_shell(amplitudes)[:, band.shells]
    return rest / rest.norm(dim=1, keepdim=True).clamp(min=1e-30)


class Screen:
    """The patterns of one reference in all rotations.

    Parameters
    ----------
    band : Band
    reference : Transforms
        Of one volume.
    weights : Tensor of shape (m,)
        By which spectra are multiplied: one over the noise.
    rotations : Tensor of shape (r, 3, 3)
    """

    def __init__(
        self, band: Band, reference: Transforms, weights: torch.Tensor, rotations: torch.Tensor
    ) -> None:
        self._rotations = rotations
        step = max(_PLACES_AT_ONCE // max(len(band), 1), 1)
        self._patterns = torch.cat(
            [
                pattern(band, reference.at(turned(band.frequencies, part)) * weights)
                for part in rotations.split(step)
            ]
        )

    def likeliest(self, patterns: torch.Tensor, n: int) -> torch.Tensor:
        """Return the n rotations (b, n, 3, 3) whose patterns are most like some (b, m)."""
        n = min(n, len(self._rotations))
        return self._rotations[(patterns @ self._patterns.T).topk(n, dim=1).indices]
