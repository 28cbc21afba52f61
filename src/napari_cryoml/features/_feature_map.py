"""Features of an image on a grid that is coarser than the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class FeatureMap:
    """What each point of a regular grid looks like, one number a channel.

    Parameters
    ----------
    values : array of shape (C, gy, gx) or (C, gz, gy, gx), float16
        Features; half precision halves the memory that many images take.
    scale : array of shape (ndim,)
        Image pixels per step of the grid, each axis.
    offset : array of shape (ndim,)
        Image pixel (z)yx of grid point 0.
    mask : array of shape (gy, gx) or (gz, gy, gx), bool, optional
        True where a particle may be centred; None stands for everywhere.
    """

    values: npt.NDArray[np.float16]
    scale: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]
    mask: npt.NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        ndim = self.values.ndim - 1
        if self.scale.shape != (ndim,) or self.offset.shape != (ndim,):
            raise InputError(
                f"Features of shape {self.values.shape} need a scale and an offset of shape "
                f"({ndim},); {self.scale.shape} and {self.offset.shape} were given."
            )
        if self.mask is not None and self.mask.shape != self.grid:
            raise InputError(
                f"The mask of features on a grid of {self.grid} points must have that shape; "
                f"{self.mask.shape} was given."
            )

    @property
    def n_channels(self) -> int:
        """Number of features of a grid point."""
        return int(self.values.shape[0])

    @property
    def grid(self) -> tuple[int, ...]:
        """Shape of the grid, (gy, gx) or (gz, gy, gx)."""
        return tuple(self.values.shape[1:])

    @property
    def nbytes(self) -> int:
        """Bytes that the features and the mask take in memory."""
        return int(self.values.nbytes) + (0 if self.mask is None else int(self.mask.nbytes))

    def to_image(self, grid_positions: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return image pixel (z)yx of grid coordinates, both of shape (n, ndim)."""
        grid = np.asarray(grid_positions, dtype=np.float64)
        return np.asarray(grid * self.scale + self.offset, dtype=np.float64)

    def to_grid(self, positions: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return grid coordinates of image pixel (z)yx, both of shape (n, ndim)."""
        pixels = np.asarray(positions, dtype=np.float64)
        return np.asarray((pixels - self.offset) / self.scale, dtype=np.float64)

    def at(self, positions: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return the features of the grid point nearest to each position.

        Parameters
        ----------
        positions : array of shape (n, ndim)
            Image pixel (z)yx; a position beyond the grid gets its nearest border point.

        Returns
        -------
        array of shape (n, C), float32
        """
        nearest = np.rint(self.to_grid(positions)).astype(np.intp).reshape(-1, len(self.grid))
        index = np.clip(nearest, 0, np.asarray(self.grid) - 1)
        return np.asarray(self.values[(slice(None), *index.T)].T, dtype=np.float32)
