"""dsrf3d: deep small receptive field, one of the two networks of subdivision."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from napari_cryoml.models._classifier_config import ClassifierConfig, classifiers

if TYPE_CHECKING:
    from napari_cryoml.models._crop_blocks import Start
    from napari_cryoml.models._layered_classifier import LayeredClassifier


@classifiers.register("dsrf3d")
class DSRF3D(ClassifierConfig):
    """Four convolutions of 3 px and two dense layers: DSRF3D (Xu et al. 2017, section 2.2.2).

    As published there is neither dropout nor batch norm.
    """

    published_start: ClassVar[Start] = "glorot"

    units: int = Field(
        32, ge=1, le=512, description="Channels of the first two convolutions; twice in the next."
    )
    hidden: int = Field(512, ge=1, le=8192, description="Width of the two dense layers.")
    dropout: float = Field(
        0.0, ge=0, lt=1, description="Share of the dense features silenced in each training step."
    )

    def _network(
        self, shape: tuple[int, ...], n_classes: int, n_channels: int
    ) -> LayeredClassifier:
        from torch import nn

        from napari_cryoml.models._crop_blocks import dense, max_pool, rectified
        from napari_cryoml.models._layered_classifier import LayeredClassifier

        ndim, u = len(shape), self.units
        trunk = nn.Sequential(
            rectified(ndim, n_channels, u, 3),
            rectified(ndim, u, u, 3),
            max_pool(ndim),
            rectified(ndim, u, 2 * u, 3),
            rectified(ndim, 2 * u, 2 * u, 3),
        )
        flatten = nn.Sequential(max_pool(ndim), nn.Flatten())
        layers = partial(dense, widths=(self.hidden,) * 2, dropout=self.dropout)
        return LayeredClassifier(
            shape, n_classes, trunk, flatten, layers, self.start, n_channels=n_channels
        )
