"""autoencoder: encoder and classifier of the 3-D autoencoding classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from napari_cryoml.models._classifier_config import ClassifierConfig, classifiers

if TYPE_CHECKING:
    from torch import nn

    from napari_cryoml.models._crop_blocks import Start
    from napari_cryoml.models._layered_classifier import LayeredClassifier

_LARGE_PX = 48


@classifiers.register("autoencoder")
class Autoencoder(ClassifierConfig):
    """Convolutions and poolings, batch norm, two dense layers (Liu et al. 2019, figure 1).

    These are Encoder3D up to its last pooling and Classifier3D; the code and Decoder3D are those
    of `CropDecoder`. The figure writes "2x2x2-1 MaxPool", but its decoder doubles each side twice:
    the stride is 2, and as in the published code an odd last pixel is kept.
    """

    published_start: ClassVar[Start] = "glorot"

    stages: Annotated[int, Field(ge=1, le=6)] | Literal["auto"] = Field(
        "auto",
        description="Convolutions, each with a pooling that halves the sides; auto is 2 below "
        "48 px and 4 from there, as published for 28 px and 64 px.",
    )
    units: int = Field(32, ge=1, le=512, description="Channels of the convolutions.")
    hidden: int = Field(128, ge=1, le=8192, description="Width of the two dense layers.")
    norm_momentum: float = Field(
        0.1,
        gt=0,
        le=1,
        description="Share of a batch in the running mean of the batch norm; 0.01 as in the "
        "published code wants some thousand steps.",
    )

    def n_stages(self, shape: tuple[int, ...]) -> int:
        """Return how often the sides of crops of a shape (z)yx are halved."""
        if self.stages == "auto":
            return 2 if min(shape) < _LARGE_PX else 4
        return self.stages

    @property
    def least_side(self) -> int:
        """The smallest side of a crop, in pixels, that the network can be built for."""
        return 8 if self.stages == "auto" else max(8, 2**self.stages)

    def _network(
        self, shape: tuple[int, ...], n_classes: int, n_channels: int
    ) -> LayeredClassifier:
        from torch import nn

        from napari_cryoml.models._crop_blocks import max_pool, rectified
        from napari_cryoml.models._layered_classifier import LayeredClassifier

        ndim, trunk, channels = len(shape), nn.Sequential(), n_channels
        for _ in range(self.n_stages(shape)):
            trunk.append(rectified(ndim, channels, self.units, 3))
            trunk.append(max_pool(ndim, ceil=True))
            channels = self.units
        return LayeredClassifier(
            shape,
            n_classes,
            trunk,
            nn.Flatten(),
            self._classifier,
            self.start,
            n_channels=n_channels,
        )

    def _classifier(self, length: int) -> nn.Module:
        from torch import nn

        from napari_cryoml.models._crop_blocks import VectorNorm, dense

        norm = VectorNorm(length, eps=1e-3, momentum=self.norm_momentum)
        return nn.Sequential(norm, dense(length, (self.hidden,) * 2))
