"""rings: how much of each angular order the rings of a crop hold, however it is turned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_cryoml.data import Crops
from napari_cryoml.embedding._encoder import CropEncoderConfig, encoders
from napari_cryoml.embedding._ring_vectors import ring_vectors

Floats = npt.NDArray[np.float32]


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
