"""compact: a small residual network that trains quickly on a CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from napari_cryoml.models._classifier_config import ClassifierConfig, classifiers

if TYPE_CHECKING:
    from torch import nn

    from napari_cryoml.models._crop_blocks import Start
    from napari_cryoml.models._layered_classifier import LayeredClassifier


@classifiers.register("compact")
class Compact(ClassifierConfig):
    """Residual blocks with group norm on half the sides; the quick one, and our own.

    Noise is averaged before the first convolution: in few noisy crops there is nothing to be
    learnt from the finest detail. Each crop is normalised by itself, so a batch may be small and
    what comes out does not depend on it. Only means and maxima of the last feature map are
    classified: little is lost where a particle is off the centre, and few weights are learnt from
    few crops.
    """

    published_start: ClassVar[Start] = "kaiming"

    units: int = Field(
        16,
        ge=8,
        le=512,
        multiple_of=8,
        description="Channels of the first stage, a multiple of 8; each next stage has twice as "
        "many.",
    )
    stem: Literal["mean", "strided"] = Field(
        "mean",
        description="How the sides are halved first: mean of 2 pixels along each axis, for noisy "
        "crops; strided convolution, which keeps the finest detail, for clean ones.",
    )
    dropout: float = Field(
        0.1, ge=0, lt=1, description="Share of the features silenced in each training step."
    )

    def _network(
        self, shape: tuple[int, ...], n_classes: int, n_channels: int
    ) -> LayeredClassifier:
        from torch import nn

        from napari_cryoml.models._crop_blocks import MeanAndMax
        from napari_cryoml.models._layered_classifier import LayeredClassifier
        from napari_cryoml.models._residual import NormedResidual

        ndim, u = len(shape), self.units
        trunk = nn.Sequential(
            self._stem(ndim, n_channels),
            NormedResidual(ndim, u, u),
            NormedResidual(ndim, u, 2 * u, stride=2),
            NormedResidual(ndim, 2 * u, 2 * u),
            NormedResidual(ndim, 2 * u, 4 * u, stride=2),
            NormedResidual(ndim, 4 * u, 4 * u),
            nn.GroupNorm(8, 4 * u),
            nn.ReLU(),
        )
        return LayeredClassifier(
            shape,
            n_classes,
            trunk,
            MeanAndMax(),
            lambda _: nn.Dropout(self.dropout),
            self.start,
            n_channels=n_channels,
        )

    def _stem(self, ndim: int, n_channels: int) -> nn.Module:
        """Return the layers from the crop to `units` channels on half the sides."""
        from torch import nn

        from napari_cryoml.models._crop_blocks import convolution

        if self.stem == "strided":
            return convolution(ndim, n_channels, self.units, 5, stride=2)
        mean = nn.AvgPool2d(2) if ndim == 2 else nn.AvgPool3d(2)
        return nn.Sequential(mean, convolution(ndim, n_channels, self.units, 5))
