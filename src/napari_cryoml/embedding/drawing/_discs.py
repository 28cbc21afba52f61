"""A few points as discs with smooth edges."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_cryoml.embedding.drawing._paint import Paint

_RIM_FROM = 2.2
_RIM_SHADE = 0.62

_Plane = npt.NDArray[np.float32]


def paint_discs(
    paint: Paint,
    across: _Plane,
    down: _Plane,
    colours: npt.NDArray[np.uint8],
    radius: float,
    opacity: float = 1.0,
) -> None:
    """Paint discs, later ones over earlier ones, each with a darker rim if there is room.

    Parameters
    ----------
    paint : Paint
        Changed in place.
    across, down : arrays of shape (n,)
        Pixel positions of the centres.
    colours : uint8 array of shape (n, 3)
    radius : float
        Pixels.
    opacity : float
        Of all discs, 0..1.
    """
    pixels, distances, owners = _stamps(across, down, radius, paint.shape)
    cover = np.clip(radius + 0.5 - distances, 0, 1).astype(np.float32)
    solid, edge = cover >= 1, (cover > 0) & (cover < 1)
    n = paint.shape[0] * paint.shape[1]
    shade = np.where(distances > radius - 1.1, _RIM_SHADE, 1.0) if radius > _RIM_FROM else None
    alpha = np.zeros(n, np.float32)
    planes = [np.zeros(n, np.float32) for _ in range(3)]
    top = np.full(n, -1, np.int32)
    # Assignment to a pixel that comes several times keeps the last: the disc on top.
    top[pixels[solid]] = owners[solid]
    alpha[pixels[solid]] = 1
    edge &= owners > top[pixels]
    _put(planes, pixels[solid], colours[owners[solid]], None if shade is None else shade[solid])
    covered = np.zeros(n, np.float32)
    covered[pixels[edge]] = cover[edge]
    rim = [np.zeros(n, np.float32) for _ in range(3)]
    _put(rim, pixels[edge], colours[owners[edge]], None if shade is None else shade[edge])
    for plane, over in zip(planes, rim, strict=True):
        plane *= 1 - covered
        plane += over * covered
        plane *= opacity
    alpha = (alpha * (1 - covered) + covered) * np.float32(opacity)
    paint.over([plane.reshape(paint.shape) for plane in planes], alpha.reshape(paint.shape))


def _put(
    planes: list[_Plane],
    pixels: npt.NDArray[np.intp],
    colours: npt.NDArray[np.uint8],
    shade: npt.NDArray[np.floating] | None,
) -> None:
    for channel, plane in enumerate(planes):
        values = colours[:, channel].astype(np.float32)
        plane[pixels] = values if shade is None else values * shade


def _stamps(
    across: _Plane, down: _Plane, radius: float, shape: tuple[int, int]
) -> tuple[npt.NDArray[np.intp], _Plane, npt.NDArray[np.int32]]:
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
