"""Sheets of points laid over each other, to a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

_BAND_PIXELS = 40_000
_Channel = np.float32

Plane: TypeAlias = npt.NDArray[np.float32]
Rgb: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """Colour and opacity that a sheet gives to some lines of a picture.

    Parameters
    ----------
    colour : three arrays of shape (lines, w), or three numbers
        Red, green and blue of 0..255; arrays are multiplied by the opacity already.
    alpha : array of shape (lines, w)
        Opacity, 0..1.
    """

    colour: Sequence[Plane | int]
    alpha: Plane

    def channels(self) -> Iterator[Plane]:
        """Return red, green and blue, multiplied by the opacity."""
        for channel in self.colour:
            yield channel if isinstance(channel, np.ndarray) else self.alpha * _Channel(channel)


class Sheet(Protocol):
    """What can be laid on a picture."""

    def covers(self, top: int, bottom: int) -> Iterator[Cover]:
        """Yield what it gives to the lines from `top` up to `bottom`, the lowest first."""


def compose(
    size: tuple[int, int], sheets: Sequence[Sheet], background: Rgb | None
) -> npt.NDArray[np.uint8]:
    """Lay sheets over each other, the first at the bottom.

    A band of lines is finished before the next is begun: so its numbers stay in the processor's
    cache, which is several times faster than whole pictures that do not fit.

    Parameters
    ----------
    size : tuple of int
        Width and height, pixels.
    sheets : sequence of Sheet
    background : tuple of int or None
        Red, green and blue, 0..255; None for transparent.

    Returns
    -------
    uint8 array of shape (h, w, 4)
        Red, green and blue, not multiplied by opacity, and opacity.
    """
    width, height = size
    image = np.empty((height, width, 4), np.uint8)
    lines = max(_BAND_PIXELS // width, 1)
    for top in range(0, height, lines):
        bottom = min(top + lines, height)
        covers = [cover for sheet in sheets for cover in sheet.covers(top, bottom)]
        _finish(image[top:bottom], covers, background)
    return image


def _finish(band: npt.NDArray[np.uint8], covers: list[Cover], background: Rgb | None) -> None:
    shape = band.shape[:2]
    channels = [np.full(shape, ground, np.float32) for ground in background or (0, 0, 0)]
    opacity = np.zeros(shape, np.float32)
    for cover in covers:
        rest = 1 - cover.alpha
        for plane, channel in zip(channels, cover.channels(), strict=True):
            plane *= rest
            plane += channel
        if background is None:
            opacity *= rest
            opacity += cover.alpha
    if background is None:
        for plane in channels:
            plane /= np.maximum(opacity, _Channel(1e-6))
    for index, plane in enumerate(channels):
        np.clip(plane, 0, 255, out=plane)
        np.add(plane, 0.5, out=band[..., index], casting="unsafe")
    np.copyto(band[..., 3], 255 if background else opacity * _Channel(255), casting="unsafe")
