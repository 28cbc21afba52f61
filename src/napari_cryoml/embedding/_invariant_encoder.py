"""rotation_invariant: the power of spherical harmonics on shells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_cryoml.data import Crops
from napari_cryoml.embedding._encoder import CropEncoderConfig, encoders

Floats = npt.NDArray[np.float32]


@encoders.register("rotation_invariant")
class InvariantConfig(CropEncoderConfig):
    """Rotation-invariant: the power of spherical harmonics on shells, and what shells share."""

    shells: int = Field(10, ge=2, le=64, description="Shells from the middle to the border.")
    degree: int = Field(6, ge=0, le=24, description="Highest degree of the harmonics.")
    across: int = Field(
        2, ge=0, le=64, description="With how many shells further out each shell is compared."
    )

    @property
    def rotation_invariant(self) -> bool:
        """True."""
        return True

    def build(self) -> InvariantEncoder:
        """Return the encoder."""
        return InvariantEncoder(self)


@dataclass(frozen=True, slots=True)
class InvariantEncoder:
    """See `features.rotation_invariant`; the channels of a crop come one after the other."""

    config: InvariantConfig

    def encode(self, crops: Crops, rows: npt.ArrayLike) -> Floats:
        """Return the vectors of some crops; see `CropEncoder.encode`."""
        from napari_cryoml.features import rotation_invariant

        pixels = crops.read(rows)
        channels = pixels.reshape(-1, *pixels.shape[2:])
        config = self.config
        found = rotation_invariant(channels, config.shells, config.degree, config.across)
        return found.reshape(len(pixels), crops.n_channels * found.shape[1])
