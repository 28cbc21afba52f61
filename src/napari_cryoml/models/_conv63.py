"""conv63: conv31 with one more layer."""

from __future__ import annotations

from typing import ClassVar, Literal

from napari_cryoml.models._config import DetectorConfig, detectors
from napari_cryoml.models._layers import Convolution, Layer


@detectors.register("conv63")
class Conv63(DetectorConfig):
    """Four convolutions that see 63 px, with a score at every 8th pixel."""

    activation: ClassVar[Literal["relu", "prelu"]] = "prelu"

    def layers(self) -> tuple[Layer, ...]:
        """Return the layers before the linear classifier."""
        u = self.units
        return (
            Convolution(7, u, 2),
            Convolution(5, 2 * u, 2),
            Convolution(5, 4 * u, 2),
            Convolution(5, 8 * u),
        )
