"""A few points as discs with smooth edges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml.embedding.drawing._paint import Cover, Plane

_RIM_FROM = 2.2
_RIM_SHADE = 0.62


@dataclass(frozen=True, slots=True, eq=False)
class DiscSheet:
    """Discs, painted already.

    Parameters
    ----------
    colour : list of three arrays of shape (h, w)
        Red, green and blue of 0..255, multiplied by the opacity.
    alpha : array of shape (h, w)
        Opacity, 0..1.
    """

    colour: list[Plane]
    alpha: Plane

    def covers(self, top: int, bottom: int) -> Iterator[Cover]:
        """Yield the discs of some lines."""
        if self.alpha[top:bottom].any():
            yield Cover([plane[top:bottom] for plane in self.colour], self.alpha[top:bottom])


def paint_discs(
    size: tuple[int, int],
    across: Plane,
    down: Plane,
    colours: npt.NDArray[np.uint8],
    radius: float,
    opacity: float = 1.0,
) -> DiscSheet:
    """Paint discs, later ones over earlier ones, each with a darker rim if there is room.

    Parameters
    ----------
    size : tuple of int
        Width and height of the picture, pixels.
    across, down : arrays of shape (n,)
        Pixel positions of the centres.
    colours : uint8 array of shape (n, 3)
    radius : float
        Pixels.
    opacity : float
        Of all discs, 0..1.

    Returns
    -------
    DiscSheet
    """
    width, height = size
    pixels, distances, owners = _stamps(across, down, radius, (height, width))
    cover = np.clip(radius + 0.5 - distances, 0, 1) * np.float32(opacity)
    values = colours.astype(np.float32)[owners]
    if radius > _RIM_FROM:
        values[distances > radius - 1.1] *= np.float32(_RIM_SHADE)
    top = np.full(width * height, -1, np.int32)
    alpha = np.zeros(width * height, np.float32)
    planes = [np.zeros(width * height, np.float32) for _ in range(3)]
    whole = distances <= radius - 0.5
    for part in (whole, ~whole):
        # Edges are blended with the discs below them, which the first round has painted.
        seen = np.flatnonzero(part & (owners > top[pixels]))
        # Assignment to a pixel that comes several times keeps the last: the disc on top.
        top[pixels[seen]] = owners[seen]
        seen = seen[top[pixels[seen]] == owners[seen]]
        where, share = pixels[seen], cover[seen]
        rest = 1 - share if part is not whole else np.float32(0)
        alpha[where] = alpha[where] * rest + share
        for channel, plane in enumerate(planes):
            plane[where] = plane[where] * rest + share * values[seen, channel]
    shape = (height, width)
    return DiscSheet([plane.reshape(shape) for plane in planes], alpha.reshape(shape))


def _stamps(
    across: Plane, down: Plane, radius: float, shape: tuple[int, int]
) -> tuple[npt.NDArray[np.intp], Plane, npt.NDArray[np.int32]]:
    """Return pixel, distance from the centre, and disc, of each pixel that a disc may touch."""
    height, width = shape
    reach = int(np.ceil(radius + 1))
    side = np.arange(-reach, reach + 1)
    column, line = np.floor(across).astype(int), np.floor(down).astype(int)
    columns, lines = column[:, None] + side, line[:, None] + side
    right = (columns + 0.5 - across[:, None]).astype(np.float32)
    below = (lines + 0.5 - down[:, None]).astype(np.float32)
    distances = np.sqrt(below[:, :, None] ** 2 + right[:, None, :] ** 2)
    near = distances < radius + 0.5
    near &= ((lines >= 0) & (lines < height))[:, :, None]
    near &= ((columns >= 0) & (columns < width))[:, None, :]
    pixels = (lines[:, :, None] * width + columns[:, None, :])[near]
    counts = near.sum(axis=(1, 2))
    return pixels, distances[near], np.repeat(np.arange(len(across), dtype=np.int32), counts)
