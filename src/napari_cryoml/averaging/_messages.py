"""What passes between the service of crops and who asks it; importing it needs no torch."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from napari_cryoml.averaging._config import AverageConfig


@dataclass(frozen=True, slots=True, eq=False)
class ThumbnailsRequest:
    """Asks for small pictures of crops.

    Parameters
    ----------
    rows : array of shape (k,), intp
    side : int, default 64
        Pixels of a picture each way.
    smooth : float, default 1
        Standard deviation in pixels of the picture by which noise is smoothed away.
    """

    rows: npt.NDArray[np.intp]
    side: int = 64
    smooth: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnails:
    """Small pictures of crops.

    Parameters
    ----------
    rows : array of shape (k,), intp
        As they were asked for.
    images : array of shape (k, side, side) or, of crops with channels, (k, side, side, 3), uint8
        Each from its own 1st to its 99th percentile; a grey picture with a cross where a crop
        cannot be read or shown.
    notes : tuple of str
        One sentence an image that cannot be read.
    """

    rows: npt.NDArray[np.intp]
    images: npt.NDArray[np.uint8]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class AverageRequest:
    """Asks for the average of crops; the reply is a `ClassAverage` over these rows, in their order.

    Parameters
    ----------
    rows : array of shape (n,), intp
    config : AverageConfig
    channel : int, default 0
        Which one is averaged, of crops that have several.
    pixel_size : float, optional
        Angstrom per pixel; by default what the crops say of it.
    """

    rows: npt.NDArray[np.intp]
    config: AverageConfig = field(default_factory=AverageConfig)
    channel: int = 0
    pixel_size: float | None = None
