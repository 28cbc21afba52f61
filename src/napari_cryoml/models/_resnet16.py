"""resnet16: residual blocks, sixteen convolutions deep."""

from __future__ import annotations

from napari_cryoml.models._config import DetectorConfig, detectors
from napari_cryoml.models._layers import Convolution, Layer, Residual


@detectors.register("resnet16")
class ResNet16(DetectorConfig):
    """A deeper residual network that sees 91 px: for large data sets and a GPU.

    Its layers are those of the resnet16 of Topaz, whose weights can be imported.
    """

    def layers(self) -> tuple[Layer, ...]:
        """Return the layers before the linear classifier."""
        u = self.units
        return (
            Convolution(7, u),
            Residual(u, u, stride=2),
            *(Residual(u, u) for _ in range(3)),
            Residual(u, 2 * u, stride=2),
            *(Residual(2 * u, 2 * u) for _ in range(2)),
            Convolution(5, 4 * u),
        )
