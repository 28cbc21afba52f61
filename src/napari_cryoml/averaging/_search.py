"""Particles compared with a reference in some rotations, each at its best shift."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch

from napari_cryoml.averaging._band import Band
from napari_cryoml.averaging._transform import Transforms, turned, waves

_NEWTON_STEPS = 2


@dataclass(slots=True)
class Places:
    """Some poses for each of b particles, and how well they fit.

    Parameters
    ----------
    rotations : Tensor of shape (b, k, 3, 3)
    shifts : Tensor of shape (b, k, 3)
        Voxels zyx.
    scores : Tensor of shape (b, k)
    """

    rotations: torch.Tensor
    shifts: torch.Tensor
    scores: torch.Tensor

    def best(self, n: int) -> Places:
        """Return the n best poses of each particle, best first."""
        n = min(n, self.scores.shape[1])
        scores, index = self.scores.topk(n, dim=1)
        row = torch.arange(len(index), device=index.device)[:, None]
        return Places(self.rotations[row, index], self.shifts[row, index], scores)


class Search:
    """The wedge-constrained correlation of particles with one reference.

    Only measured frequencies are compared, divided by the noise in their shell; the reference
    counts with the length that it has there in each rotation.

    Parameters
    ----------
    band : Band
    reference : Transforms
        Of one volume.
    weights : Tensor of shape (m,)
        One over the noise.
    reach : float
        Furthest shift along each axis, voxels.
    """

    def __init__(
        self, band: Band, reference: Transforms, weights: torch.Tensor, reach: float
    ) -> None:
        self._band, self._reference, self._weights = band, reference, weights
        self._reach = reach
        # A quarter of the shortest wave; the top between two such shifts is then in sight.
        self._stride = max(band.side / (4 * band.high), 1.0)

    @cached_property
    def _lattice(self) -> torch.Tensor:
        """Shifts (s, 3) a stride apart."""
        n = int(self._reach / self._stride)
        line = self._stride * torch.arange(-n, n + 1, device=self._band.device)
        return torch.cartesian_prod(line, line, line)

    @cached_property
    def _waves(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Real and imaginary part (m, s) of the waves of those shifts."""
        wave = waves(self._band.frequencies, self._lattice, self._band.side)
        return wave.real.T.contiguous(), wave.imag.T.contiguous()

    def over_shifts(self, spectra: torch.Tensor, rotations: torch.Tensor) -> Places:
        """Return the best shifts of all within reach.

        Parameters
        ----------
        spectra : Tensor of shape (b, m)
            Whitened, of length 1.
        rotations : Tensor of shape (b, k, 3, 3)
        """
        cross = self._cross(spectra, rotations)
        flat = cross.reshape(-1, len(self._band))
        # Real part of cross times the conjugate wave: the correlation at each shift.
        real, imaginary = self._waves
        over = flat.real @ real + flat.imag @ imaginary
        shifts = self._lattice[over.argmax(dim=1)].reshape(*cross.shape[:2], 3)
        return self._settled(cross, rotations, shifts)

    def around(self, spectra: torch.Tensor, places: Places, perturbations: torch.Tensor) -> Places:
        """Return the poses that small rotations (p, 3, 3) make of each: (b, k * p) of them."""
        b, k = places.scores.shape
        rotations = perturbations @ places.rotations[:, :, None]
        shifts = places.shifts[:, :, None].expand(b, k, len(perturbations), 3)
        rotations, shifts = rotations.reshape(b, -1, 3, 3), shifts.reshape(b, -1, 3)
        return self._settled(self._cross(spectra, rotations), rotations, shifts)

    def _cross(self, spectra: torch.Tensor, rotations: torch.Tensor) -> torch.Tensor:
        """Return products (b, k, m) of particles and the reference, whose length there is 1."""
        b, k = rotations.shape[:2]
        places = turned(self._band.frequencies, rotations.reshape(-1, 3, 3))
        shown = self._reference.at(places) * self._weights
        shown = shown / shown.norm(dim=1, keepdim=True).clamp(min=1e-30)
        return spectra[:, None] * shown.reshape(b, k, -1).conj()

    def _settled(
        self, cross: torch.Tensor, rotations: torch.Tensor, shifts: torch.Tensor
    ) -> Places:
        """Move shifts to the top of the correlation, by Newton's method."""
        flat, at = cross.reshape(-1, cross.shape[-1]), shifts.reshape(-1, 3)
        start = at
        for _ in range(_NEWTON_STEPS):
            at = (at + self._step(flat, at)).clamp(-self._reach, self._reach)
        here, there = self._score(flat, start), self._score(flat, at)
        at = torch.where((there > here)[:, None], at, start)
        scores = torch.maximum(here, there)
        return Places(rotations, at.reshape(shifts.shape), scores.reshape(shifts.shape[:2]))

    def _score(self, cross: torch.Tensor, shifts: torch.Tensor) -> torch.Tensor:
        wave = waves(self._band.frequencies, shifts, self._band.side)
        return (cross.real * wave.real + cross.imag * wave.imag).sum(dim=1)

    def _step(self, cross: torch.Tensor, shifts: torch.Tensor) -> torch.Tensor:
        """Return the step (b, 3) to the top of the parabola that has the slope and bend here."""
        k = self._band.frequencies * (2 * torch.pi / self._band.side)
        moved = cross * waves(self._band.frequencies, shifts, self._band.side).conj()
        slope = -moved.imag @ k
        pairs = (k[:, :, None] * k[:, None]).reshape(len(k), 9)
        bend = (moved.real @ pairs).reshape(-1, 3, 3)
        # A ridge or a saddle has no top: what is added makes the step one along the slope.
        ridge = 1e-3 * bend.diagonal(dim1=1, dim2=2).abs().sum(dim=1).clamp(min=1e-12)
        bend = bend + ridge[:, None, None] * torch.eye(3, device=k.device)
        step = torch.linalg.solve_ex(bend, slope[:, :, None]).result.squeeze(-1)
        return torch.nan_to_num(step).clamp(-self._stride / 2, self._stride / 2)
