"""inception3d: one inception module, one of the two networks of subdivision."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from napari_cryoml.models._classifier_config import ClassifierConfig, classifiers

if TYPE_CHECKING:
    from torch import nn

    from napari_cryoml.models._crop_blocks import Start
    from napari_cryoml.models._layered_classifier import LayeredClassifier


@classifiers.register("inception3d")
class Inception3D(ClassifierConfig):
    """Filters of 1, 3 and 5 px side by side: Inception3D (Xu et al. 2017, section 2.2.1).

    Nearly all its weights are in the linear layer from the flattened map to the classes. The paper
    keeps "a unit with probability 70 %"; the published code drops 70 % of them, which is the
    default here.
    """

    published_start: ClassVar[Start] = "glorot"

    units: int = Field(
        32,
        ge=2,
        le=512,
        multiple_of=2,
        description="Channels of the first convolution and of most branches; twice as many behind "
        "the filters of 3 px.",
    )
    dropout: float = Field(
        0.7,
        ge=0,
        lt=1,
        description="Share of the features silenced in each training step: 0.7 as in the "
        "published code, 0.3 as in the text of the paper.",
    )

    def _network(
        self, shape: tuple[int, ...], n_classes: int, n_channels: int
    ) -> LayeredClassifier:
        from torch import nn

        from napari_cryoml.models._crop_blocks import max_pool, rectified
        from napari_cryoml.models._layered_classifier import LayeredClassifier

        ndim = len(shape)
        trunk = nn.Sequential(
            rectified(ndim, n_channels, self.units, 5, padding=0),
            max_pool(ndim, ceil=True),
            self._branches(ndim),
        )
        pool = nn.AvgPool2d if ndim == 2 else nn.AvgPool3d
        flatten = nn.Sequential(pool(2, stride=1), nn.Flatten())
        return LayeredClassifier(
            shape,
            n_classes,
            trunk,
            flatten,
            lambda _: nn.Dropout(self.dropout),
            self.start,
            n_channels=n_channels,
        )

    def _branches(self, ndim: int) -> nn.Module:
        """Return the inception module: from `units` to 5 times as many channels."""
        from torch import nn

        from napari_cryoml.models._crop_blocks import Branches, SteadyMaxPool, rectified

        u = self.units
        return Branches(
            rectified(ndim, u, u, 1),
            nn.Sequential(rectified(ndim, u, u, 1), rectified(ndim, u, 2 * u, 3)),
            nn.Sequential(rectified(ndim, u, u // 2, 1), rectified(ndim, u // 2, u, 5)),
            nn.Sequential(SteadyMaxPool(ndim), rectified(ndim, u, u, 1)),
        )
