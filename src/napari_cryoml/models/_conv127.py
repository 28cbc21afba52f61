"""conv127: conv31 with two more layers."""

from __future__ import annotations

from typing import ClassVar, Literal

from napari_cryoml.models._config import DetectorConfig, detectors
from napari_cryoml.models._layers import Convolution, Layer


@detectors.register("conv127")
class Conv127(DetectorConfig):
    """Five convolutions that see 127 px, with a score at every 16th pixel."""

    activation: ClassVar[Literal["relu", "prelu"]] = "prelu"

    def layers(self) -> tuple[Layer, ...]:
        """Return the layers before the linear classifier."""
        u = self.units
        return (
            Convolution(7, u, 2),
            Convolution(5, 2 * u, 2),
            Convolution(5, 4 * u, 2),
            Convolution(5, 8 * u, 2),
            Convolution(5, 16 * u),
        )
