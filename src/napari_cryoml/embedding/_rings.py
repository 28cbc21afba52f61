"""rings: how much of each angular order the rings of a crop hold, however it is turned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_cryoml.data import Crops
from napari_cryoml.embedding._encoder import CropEncoderConfig, encoders
from napari_cryoml.features import crop_harmonics, within_ball

Floats = npt.NDArray[np.float32]

_MOST_DEVIATIONS = 6.0


@encoders.register("rings")
class RingsConfig(CropEncoderConfig):
    """Rotation-invariant: the grey values on rings, and how they change along each of them."""

    rings: int = Field(12, ge=2, le=64, description="Rings from the middle to the border.")
    orders: int = Field(
        6, ge=0, le=16, description="Angular orders (degrees in 3-D) beside the mean of a ring."
    )
    reach: float = Field(
        1.0, gt=0.1, le=1, description="Radius of the outermost ring, as a share of half the box."
    )

    @property
    def rotation_invariant(self) -> bool:
        """True."""
        return True

    def build(self) -> RingsEncoder:
        """Return the encoder."""
        return RingsEncoder(self)


@dataclass(frozen=True, slots=True)
class RingsEncoder:
    """Amplitudes of angular orders on rings, see `features.crop_harmonics`, each channel by itself.

    Crops are brought to mean 0 and deviation 1 within the outermost ring first; their corners say
    nothing.
    """

    config: RingsConfig

    def encode(self, crops: Crops, rows: npt.ArrayLike) -> Floats:
        """Return the vectors of some crops; see `CropEncoder.encode`."""
        options = self.config
        pixels = crops.read(rows)
        return ring_vectors(pixels, options.rings, options.orders, options.reach)


def ring_vectors(pixels: Floats, n_rings: int, n_orders: int, reach: float) -> Floats:
    """Return the amplitudes of standardised crops.

    Parameters
    ----------
    pixels : array of shape (n, C, y, x) or (n, C, z, y, x)
    n_rings, n_orders, reach
        See `features.crop_harmonics`.

    Returns
    -------
    array of shape (n, C * k), float32
        NaN for a crop with pixels that are not finite.
    """
    n, n_channels, *shape = pixels.shape
    planes = standardised(pixels.reshape(n * n_channels, *shape), reach)
    amplitudes = crop_harmonics(planes, n_rings, n_orders, reach)
    return amplitudes.reshape(n, n_channels * amplitudes.shape[1])


def standardised(crops: Floats, reach: float = 1.0) -> Floats:
    """Return crops of mean 0 and deviation 1 within the disc or ball of `reach`.

    Hot pixels, above 6 deviations, are clipped and the rest is standardised again: one of them
    would hide everything else. A crop of a single value becomes 0; one that is not finite, NaN.
    """
    ball = within_ball(crops.shape[1:], reach)
    clipped = np.clip(_scaled(crops, ball), -_MOST_DEVIATIONS, _MOST_DEVIATIONS)
    return _scaled(clipped, ball)


def _scaled(crops: Floats, ball: npt.NDArray[np.bool_]) -> Floats:
    inside = crops[:, ball].astype(np.float64)
    each = (-1, *[1] * ball.ndim)
    with np.errstate(invalid="ignore"):
        mean, deviation = inside.mean(axis=1), inside.std(axis=1)
        flat = deviation <= 1e-6 * np.abs(mean)
        scale = np.where(flat, np.inf, deviation)
        return np.asarray((crops - mean.reshape(each)) / scale.reshape(each), np.float32)
