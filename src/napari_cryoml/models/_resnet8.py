"""resnet8: residual blocks with dilation, eight convolutions deep."""

from __future__ import annotations

from napari_cryoml.models._config import DetectorConfig, detectors
from napari_cryoml.models._layers import Convolution, Layer, Residual


@detectors.register("resnet8")
class ResNet8(DetectorConfig):
    """A residual network that sees 71 px: the usual choice.

    Its layers are those of the resnet8 of Topaz, whose weights can be imported.
    """

    def layers(self) -> tuple[Layer, ...]:
        """Return the layers before the linear classifier."""
        u = self.units
        return (
            Convolution(7, u, 2),
            Residual(u, u, dilation=2),
            Residual(u, 2 * u, stride=2, dilation=2),
            Residual(2 * u, 2 * u, dilation=2),
            Convolution(5, 4 * u),
        )
