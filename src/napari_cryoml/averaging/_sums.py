"""Sums of particles in Fourier space, each laid on the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from napari_cryoml.averaging._rigid import RigidPoses
from napari_cryoml.averaging._transform import Transforms
from napari_cryoml.data import MissingWedge

LEAST_COUNT = 2
"""A frequency that fewer particles measured is left out of an average."""
_BATCH_VOXELS = 2**19


class FourierSums:
    """What particles measured of their reference, and how many measured each frequency.

    Parameters
    ----------
    side : int
        Of the boxes, voxels.
    device : torch.device

    Attributes
    ----------
    places : array of shape (m, 3)
        The frequencies, zyx, periods to a side; of each and its negative, one.
    n : int
        Particles so far.
    """

    def __init__(self, side: int, device: torch.device) -> None:
        self.side, self.device, self.n = side, device, 0
        self.places = _half_ball(side)
        self._frequencies = torch.as_tensor(self.places, dtype=torch.float32, device=device)
        self._sum = torch.zeros(len(self.places), dtype=torch.complex64, device=device)
        self._count = torch.zeros(len(self.places), device=device)

    def add(
        self,
        boxes: npt.NDArray[np.float32],
        poses: RigidPoses,
        wedge: MissingWedge | None,
    ) -> None:
        """Add boxes (n, z, y, x) in the poses of their particles."""
        step = max(_BATCH_VOXELS // self.side**3, 1)
        for start in range(0, len(boxes), step):
            part = slice(start, start + step)
            spectra, measured = self.laid(boxes[part], poses.take(part), wedge)
            self._sum += (spectra * measured).sum(dim=0)
            self._count += measured.sum(dim=0)
        self.n += len(boxes)

    def laid(
        self, boxes: npt.NDArray[np.float32], poses: RigidPoses, wedge: MissingWedge | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return transforms (b, m) of particles laid on the reference, and what was measured."""
        volumes = torch.as_tensor(boxes, dtype=torch.float32, device=self.device)
        rotations, shifts = (
            torch.as_tensor(each, dtype=torch.float32, device=self.device)
            for each in (poses.rotations, poses.shifts)
        )
        # Frequency k of the reference is frequency R k of the particle.
        places = self._frequencies @ rotations.mT
        phase = (2 * torch.pi / self.side) * torch.einsum("bmi,bi->bm", places, shifts)
        spectra = Transforms(volumes, self.side / 2).at(places)
        return spectra * torch.polar(torch.ones_like(phase), phase), self._measured(places, wedge)

    def _measured(self, places: torch.Tensor, wedge: MissingWedge | None) -> torch.Tensor:
        if wedge is None:
            return torch.ones(places.shape[:2], device=self.device)
        seen = wedge.measured(places.cpu().numpy())
        return torch.as_tensor(seen, dtype=torch.float32, device=self.device)

    def __add__(self, other: FourierSums) -> FourierSums:
        both = FourierSums(self.side, self.device)
        both._sum, both._count = self._sum + other._sum, self._count + other._count
        both.n = self.n + other.n
        return both

    @property
    def counts(self) -> npt.NDArray[np.float32]:
        """Particles that measured each coefficient of ``numpy.fft.rfftn``, (z, y, x // 2 + 1)."""
        return self._grid(self._count.cpu().numpy().astype(np.float32))

    def average(self, least: int = LEAST_COUNT) -> npt.NDArray[np.float32]:
        """Return the average (z, y, x) over the frequencies that enough particles measured.

        Parameters
        ----------
        least : int, default 2
            How many particles are enough; one, of one particle.
        """
        enough = self._count >= min(least, max(self.n, 1))
        mean = torch.where(enough, self._sum / self._count.clamp(min=1), 0)
        return self.volumes(mean[None])[0]

    def volumes(self, spectra: torch.Tensor) -> npt.NDArray[np.float32]:
        """Return the boxes (b, z, y, x) of transforms (b, m) that are laid as `laid` lays them."""
        grids = np.stack([self._grid(each) for each in spectra.cpu().numpy()])
        boxes = np.fft.irfftn(grids, (self.side,) * 3, axes=(1, 2, 3))
        return np.asarray(np.fft.fftshift(boxes, axes=(1, 2, 3)), np.float32)

    def _grid(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        grid = np.zeros((self.side, self.side, self.side // 2 + 1), values.dtype)
        z, y, x = self.places.T
        grid[z, y, x] = values
        return grid


def _half_ball(side: int) -> npt.NDArray[np.int64]:
    """Return the frequencies (m, 3) zyx below Nyquist's whose x is not negative."""
    line = np.arange(-((side - 1) // 2), (side - 1) // 2 + 1)
    grid = np.meshgrid(line, line, line[line >= 0], indexing="ij")
    places = np.stack(grid, -1).reshape(-1, 3)
    return np.asarray(places[np.linalg.norm(places, axis=1) < side / 2])
