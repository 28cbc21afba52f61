"""Where crops were cut out of images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class CropPlaces:
    """Where crops were cut out of images.

    Parameters
    ----------
    images : array of shape (n,), str
        Name of the image each was cut from.
    positions : array of shape (n, ndim)
        Centres of the particles in those images, pixel (z)yx as floats.
    offsets : array of shape (n, ndim), optional
        How far each particle lies off the middle pixel of its box, pixels of the image; 0 by
        default.
    box : int, optional
        Side of the boxes in pixels of the images, where it is not that of the crops.
    diameter : float, optional
        Particle diameter in pixels of the images.

    Raises
    ------
    InputError
        If the arrays differ in length or are of other axes.
    """

    images: npt.NDArray[np.str_]
    positions: npt.NDArray[np.float64]
    offsets: npt.NDArray[np.float64] | None = None
    box: int | None = None
    diameter: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "images", np.asarray(self.images, np.str_))
        object.__setattr__(self, "positions", np.asarray(self.positions, np.float64))
        shape = self.positions.shape
        fits = len(shape) == 2 and shape[1] in (2, 3) and self.images.shape == shape[:1]
        if not fits or (self.offsets is not None and np.shape(self.offsets) != shape):
            raise InputError(
                "Places of crops need an image and a position yx or zyx each; images of shape "
                f"{self.images.shape} and positions of shape {shape} were given."
            )

    def __len__(self) -> int:
        return len(self.images)

    def take(self, index: npt.NDArray[Any]) -> CropPlaces:
        """Return the places at some rows."""
        offsets = None if self.offsets is None else self.offsets[index]
        return replace(
            self, images=self.images[index], positions=self.positions[index], offsets=offsets
        )
