"""cb3d: a large network after C3D."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pydantic import Field

from napari_cryoml.models._classifier_config import ClassifierConfig, classifiers

if TYPE_CHECKING:
    from napari_cryoml.models._layered_classifier import LayeredClassifier


@classifiers.register("cb3d")
class CB3D(ClassifierConfig):
    """Six convolutions and two wide dense layers after C3D: CB3D (Che et al. 2018).

    The first pooling leaves z as it is. At 40 px it has 72 million weights: for a GPU.
    """

    units: int = Field(
        64, ge=1, le=256, description="Channels of the first convolution; then 2, 4 and 8 times."
    )
    hidden: int = Field(4096, ge=1, le=8192, description="Width of the two dense layers.")
    dropout: float = Field(
        0.5, ge=0, lt=1, description="Share of the dense features silenced in each training step."
    )

    @property
    def least_side(self) -> int:
        """The smallest side of a crop, in pixels, that the network can be built for."""
        return 16

    def _network(
        self, shape: tuple[int, ...], n_classes: int, n_channels: int
    ) -> LayeredClassifier:
        from torch import nn

        from napari_cryoml.models._crop_blocks import dense, max_pool, rectified
        from napari_cryoml.models._layered_classifier import LayeredClassifier

        ndim, u = len(shape), self.units
        trunk = nn.Sequential(
            rectified(ndim, n_channels, u, 3),
            max_pool(ndim, (1, 2, 2)[-ndim:]),
            rectified(ndim, u, 2 * u, 3),
            max_pool(ndim),
            rectified(ndim, 2 * u, 4 * u, 3),
            rectified(ndim, 4 * u, 4 * u, 3),
            max_pool(ndim),
            rectified(ndim, 4 * u, 8 * u, 3),
            rectified(ndim, 8 * u, 8 * u, 3),
        )
        flatten = nn.Sequential(max_pool(ndim), nn.Flatten())
        layers = partial(dense, widths=(self.hidden,) * 2, dropout=self.dropout)
        return LayeredClassifier(
            shape, n_classes, trunk, flatten, layers, self.start, n_channels=n_channels
        )
