"""Scores on a grid that is coarser than the image they are about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class ScoreMap:
    """A score (log-odds of "a particle is centred here") at each point of a regular grid.

    Parameters
    ----------
    values : array of shape (gy, gx) or (gz, gy, gx), float32
        Scores.
    scale : array of shape (ndim,)
        Image pixels per step of the grid, each axis.
    offset : array of shape (ndim,)
        Image pixel (z)yx of grid point 0.
    """

    values: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]

    def to_image(self, grid_positions: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return image pixel (z)yx of grid coordinates, both of shape (n, ndim)."""
        grid = np.asarray(grid_positions, dtype=np.float64)
        return np.asarray(grid * self.scale + self.offset, dtype=np.float64)

    def to_grid(self, positions: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return grid coordinates of image pixel (z)yx, both of shape (n, ndim)."""
        pixels = np.asarray(positions, dtype=np.float64)
        return np.asarray((pixels - self.offset) / self.scale, dtype=np.float64)
