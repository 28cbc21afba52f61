"""The frequencies by which particles are compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from napari_cryoml.averaging._transform import waves
from napari_cryoml.data import MissingWedge


class Band:
    """The measured frequencies of a box between two shells; of each and its negative, one.

    Parameters
    ----------
    side : int
        Of the boxes, voxels.
    low, high : float
        Periods to a side.
    wedge : MissingWedge or None
        None if nothing is missing.
    device : torch.device

    Attributes
    ----------
    frequencies : Tensor of shape (m, 3)
        zyx, periods to a side, whole numbers.
    shells : Tensor of shape (m,)
        Shell of each; the lowest is 0.
    """

    def __init__(
        self,
        side: int,
        low: float,
        high: float,
        wedge: MissingWedge | None,
        device: torch.device,
    ) -> None:
        frequencies = _between(side, low, high)
        if wedge is not None:
            frequencies = frequencies[wedge.measured(frequencies)]
        self.side, self.high, self.wedge, self.device = side, high, wedge, device
        self.frequencies = torch.as_tensor(frequencies, dtype=torch.float32, device=device)
        shells = np.rint(np.linalg.norm(frequencies, axis=1)).astype(np.int64)
        lowest = shells.min() if len(shells) else 0
        self.shells = torch.as_tensor(shells - lowest, device=device)

    def __len__(self) -> int:
        return len(self.frequencies)

    def spectra(self, images: npt.NDArray[Any] | torch.Tensor) -> torch.Tensor:
        """Return the transforms (b, m) of boxes (b, z, y, x) at these frequencies."""
        whole = torch.as_tensor(images, dtype=torch.float32, device=self.device)
        half = torch.fft.rfftn(whole, dim=(-3, -2, -1))
        z, y, x = self.frequencies.long().unbind(1)
        centre = torch.full((1, 3), -float(self.side // 2), device=self.device)
        return half[:, z, y, x] * waves(self.frequencies, centre, self.side)

    def by_shell(self, values: torch.Tensor) -> torch.Tensor:
        """Return the mean (b, n_shells) of values (b, m) over each shell."""
        n_shells = int(self.shells.max()) + 1 if len(self) else 0
        sums = torch.zeros(len(values), n_shells, device=self.device, dtype=values.dtype)
        sums.index_add_(1, self.shells, values)
        counts = torch.bincount(self.shells, minlength=n_shells).clamp(min=1)
        return sums / counts


def _between(side: int, low: float, high: float) -> npt.NDArray[np.int64]:
    """Return the frequencies (m, 3) zyx of the half space of positive x between two shells."""
    reach = min(int(high), (side - 1) // 2)
    line = np.arange(-reach, reach + 1)
    all_ = np.stack(np.meshgrid(line, line, line[reach:], indexing="ij"), -1).reshape(-1, 3)
    z, y, x = all_.T
    half = (x > 0) | ((x == 0) & ((y > 0) | ((y == 0) & (z > 0))))
    radius = np.linalg.norm(all_, axis=1)
    return np.asarray(all_[half & (radius >= low) & (radius <= high)])
