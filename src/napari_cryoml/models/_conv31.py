"""conv31: the small network of the positive-unlabelled picking paper."""

from __future__ import annotations

from typing import ClassVar, Literal

from napari_cryoml.models._config import DetectorConfig, detectors
from napari_cryoml.models._layers import Convolution, Layer


@detectors.register("conv31")
class Conv31(DetectorConfig):
    """Three convolutions that see 31 px: quick, and good enough for round particles.

    References
    ----------
    Bepler et al. 2018, arXiv:1803.08207, appendix "Convolutional neural network structure".
    """

    activation: ClassVar[Literal["relu", "prelu"]] = "prelu"

    def layers(self) -> tuple[Layer, ...]:
        """Return the layers before the linear classifier."""
        u = self.units
        return Convolution(7, u, 2), Convolution(5, 2 * u, 2), Convolution(5, 4 * u)
