"""What a tilt series has not seen of a tomogram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError


@dataclass(frozen=True, slots=True)
class MissingWedge:
    """The range of tilts of a tomogram; frequencies outside it were never measured.

    The beam runs along z. A projection at a tilt t holds the frequencies of the plane through the
    tilt axis that lies t degrees from the plane of the specimen, on the side where positive z
    comes with positive x (y, if the tilt axis is x).

    Parameters
    ----------
    low, high : float
        First and last tilt, degrees, -90 to 90.
    axis : {"y", "x"}
        Tilt axis.

    Raises
    ------
    InputError
        If the tilts are out of range or out of order.
    """

    low: float = -60.0
    high: float = 60.0
    axis: Literal["y", "x"] = "y"

    def __post_init__(self) -> None:
        if not -90 <= self.low < self.high <= 90:
            raise InputError(
                f"Tilts run from a lower to a higher angle between -90 and 90 degrees; "
                f"{self.low:g} to {self.high:g} was given."
            )

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing."""
        return self.low <= -90 and self.high >= 90

    def measured(self, frequencies: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return whether frequencies were measured.

        Parameters
        ----------
        frequencies : array of shape (..., 3)
            zyx in any one unit. For a particle that is turned by R (3, 3) from the frame of its
            reference, ``frequencies @ R.T`` asks about the frequencies of the reference.

        Returns
        -------
        array of shape (...), bool
            True at frequency 0.
        """
        k = np.asarray(frequencies)
        along = k[..., 2] if self.axis == "y" else k[..., 1]
        # The sign of a frequency says nothing: fold both into the half plane of positive `along`.
        turned = np.where(along < 0, -k[..., 0], k[..., 0])
        angle = np.degrees(np.arctan2(turned, np.abs(along)))
        on_axis = (along == 0) & (k[..., 0] == 0)
        # Where `along` is 0, z and -z are one frequency, and 90 and -90 degrees one tilt.
        upright = (along == 0) & ((self.low <= -90) | (self.high >= 90))
        inside = (angle >= self.low) & (angle <= self.high)
        return np.asarray(inside | on_axis | upright)

    def mask(self, shape: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Return which coefficients of ``numpy.fft.fftn`` of a volume were measured.

        Parameters
        ----------
        shape : sequence of 3 int
            Shape zyx of the volume.

        Returns
        -------
        array of that shape, bool
        """
        return self.measured(grid_frequencies(shape))


def grid_frequencies(shape: Sequence[int]) -> npt.NDArray[np.float64]:
    """Return the frequency of each coefficient of ``numpy.fft.fftn``.

    Parameters
    ----------
    shape : sequence of int
        Shape (z)yx.

    Returns
    -------
    array of the shape with an axis of length ndim behind it
        Cycles per pixel, -0.5 to 0.5, (z)yx.
    """
    axes: list[Any] = [np.fft.fftfreq(size) for size in shape]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
