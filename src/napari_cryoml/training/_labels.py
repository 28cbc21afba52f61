"""Labels painted on the pixels of an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import NEGATIVE, POSITIVE, UNLABELLED

IGNORED = -2
"""Not a position of the image: left out of every loss."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledImage:
    """An image on its working grid, with a label for each pixel.

    Parameters
    ----------
    pixels : array of shape (y, x) or (z, y, x), float32
        Normalised: 0 is background, 1 the spread of the noise.
    labels : array of the same shape, int8
        1 particle, 0 labelled as none, -1 unlabelled.
    """

    pixels: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int8]


def paint_labels(
    shape: Sequence[int], positives: npt.ArrayLike, negatives: npt.ArrayLike, radius: float
) -> npt.NDArray[np.int8]:
    """Return a label for each pixel of an image.

    Parameters
    ----------
    shape : sequence of int
        Shape of the image, (y, x) or (z, y, x).
    positives, negatives : arrays of shape (n, ndim)
        Labelled positions in pixels of that image.
    radius : float
        Pixels this close to a position take its label; positives win over negatives. A position
        inside the image labels at least its nearest pixel.
    """
    labels = np.full(tuple(shape), UNLABELLED, np.int8)
    for positions, value in ((negatives, NEGATIVE), (positives, POSITIVE)):
        for position in np.asarray(positions, dtype=np.float64).reshape(-1, len(shape)):
            _paint_ball(labels, position, radius, value)
    return labels


def _paint_ball(
    labels: npt.NDArray[np.int8], centre: npt.NDArray[np.float64], radius: float, value: int
) -> None:
    low = np.maximum(np.floor(centre - radius).astype(int), 0)
    high = np.minimum(np.ceil(centre + radius).astype(int) + 1, labels.shape)
    if (low >= high).any():
        return
    axes = np.ogrid[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    squares = sum((axis - c) ** 2 for axis, c in zip(axes, centre, strict=True))
    labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))][squares <= radius**2] = value
    nearest = np.round(centre).astype(int)
    if (nearest >= 0).all() and (nearest < labels.shape).all():
        labels[tuple(nearest)] = value
