"""Crops as small pictures, and the memory that keeps them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_cryoml._errors import InputError

SIDES = (8, 512)
_PERCENTILES = (1, 99)
_GREY, _CROSS = 96, 160
_MAGENTA, _GREEN = (1, 0, 1), (0, 1, 0)

Pictures = npt.NDArray[np.uint8]


def thumbnails(crops: npt.NDArray[np.float32], side: int, smooth: float = 1.0) -> Pictures:
    """Return crops as pictures, each stretched from its 1st to its 99th percentile.

    Parameters
    ----------
    crops : array of shape (k, C, y, x) or (k, C, z, y, x)
        Of volumes, the central section is shown. Of two channels the first is green and the
        second magenta, whose sum is white: a pair that colour-blind people can tell apart. Of more,
        the first three are red, green and blue.
    side : int
        Pixels each way, 8 to 512; what is not square leaves black margins.
    smooth : float, default 1
        Standard deviation of a Gaussian, pixels of the picture.

    Returns
    -------
    array of shape (k, side, side) or (k, side, side, 3), uint8

    Raises
    ------
    InputError
        If `side` is out of range.
    """
    if not SIDES[0] <= side <= SIDES[1]:
        raise InputError(
            f"Thumbnails are {SIDES[0]} to {SIDES[1]} pixels wide; {side} were asked for."
        )
    flat = crops[:, :, crops.shape[2] // 2] if crops.ndim == 5 else crops
    flat = flat[:, :3]
    usable = np.asarray(np.isfinite(flat).all(axis=(1, 2, 3)))
    shrunk = _shrunk(np.where(usable[:, None, None, None], flat, 0), side, smooth)
    pictures = _composite(_stretched(shrunk))
    pictures[~usable] = crossed(side, *pictures.shape[3:])
    return pictures


def crossed(side: int, *channels: int) -> Pictures:
    """Return what stands for a crop that cannot be shown, (side, side) or (side, side, 3)."""
    place = np.arange(side)
    distance = np.minimum(np.abs(place[:, None] - place), np.abs(place[:, None] + place - side + 1))
    picture = np.where(distance < max(side / 32, 1), _CROSS, _GREY).astype(np.uint8)
    return np.ascontiguousarray(
        np.broadcast_to(picture.reshape(side, side, *[1] * len(channels)), (side, side, *channels))
    )


def _shrunk(crops: npt.NDArray[np.float32], side: int, smooth: float) -> npt.NDArray[np.float32]:
    """Return crops (k, C, y, x) at the size of a picture, the longer side filling it."""
    ratio = max(crops.shape[2:]) / side
    # What a pixel of the picture covers, and what the user wants smoothed beyond that.
    sigma = np.hypot(smooth * ratio, max(ratio - 1, 0) / 2)
    blurred = ndimage.gaussian_filter(crops, (0, 0, sigma, sigma), mode="nearest")
    sizes = [max(round(size / ratio), 1) for size in crops.shape[2:]]
    zoom = [1, 1, *(new / old for new, old in zip(sizes, crops.shape[2:], strict=True))]
    small = ndimage.zoom(blurred, zoom, order=1, mode="nearest", grid_mode=True)
    return np.asarray(small, np.float32)


def _stretched(crops: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return crops (k, C, y, x) from 0 to 1; what is even all over gets the middle."""
    if not len(crops):
        return crops
    low, high = np.percentile(crops, _PERCENTILES, axis=(2, 3), keepdims=True)
    span = high - low
    share = np.where(span > 0, (crops - low) / np.where(span > 0, span, 1), 0.5)
    return np.asarray(np.clip(share, 0, 1), np.float32)


def _composite(shares: npt.NDArray[np.float32]) -> Pictures:
    """Return shares (k, C, y, x) as square pictures."""
    k, n_channels, *sizes = shares.shape
    if n_channels == 2:
        shares = np.einsum("kcyx,cr->kryx", shares, np.array([_GREEN, _MAGENTA], np.float32))
    side = max(sizes)
    square = np.zeros((k, shares.shape[1], side, side), np.uint8)
    top, left = ((side - size) // 2 for size in sizes)
    square[:, :, top : top + sizes[0], left : left + sizes[1]] = np.rint(255 * shares)
    return square[:, 0] if n_channels == 1 else np.ascontiguousarray(np.moveaxis(square, 1, -1))


class PictureCache:
    """Pictures by key, the ones that were asked for last, within a bound of memory.

    Parameters
    ----------
    n_bytes : int
        Of all pixels together.
    """

    def __init__(self, n_bytes: int) -> None:
        self._most = n_bytes
        self._size = 0
        self._pictures: OrderedDict[Hashable, Pictures] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pictures)

    @property
    def n_bytes(self) -> int:
        """Size of the pixels that are kept."""
        return self._size

    def get(self, key: Hashable) -> Pictures | None:
        """Return a picture, or None."""
        if key in self._pictures:
            self._pictures.move_to_end(key)
        return self._pictures.get(key)

    def put(self, keys: Sequence[Hashable], pictures: Pictures) -> None:
        """Keep pictures; the ones that were asked for longest ago give way."""
        for key, picture in zip(keys, pictures, strict=True):
            old = self._pictures.pop(key, None)
            self._pictures[key] = picture.copy()  # a view would keep all of them
            self._size += picture.nbytes - (0 if old is None else old.nbytes)
        while self._size > self._most:
            self._size -= self._pictures.popitem(last=False)[1].nbytes
