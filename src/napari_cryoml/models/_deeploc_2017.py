"""deeploc_2017: the network of localisations of proteins, as it was published first."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from napari_cryoml.models._classifier_config import classifiers
from napari_cryoml.models._deeploc import DeepLocConfig

if TYPE_CHECKING:
    from torch import nn

    from napari_cryoml.models._crop_blocks import Start
    from napari_cryoml.models._layered_classifier import LayeredClassifier


@classifiers.register("deeploc_2017")
class DeepLoc2017(DeepLocConfig):
    """DeepLoc (Kraus et al. 2017): padded convolutions, and batch norm everywhere.

    Batch norm follows the dense layers too, the scores of the classes among them. A pooling keeps
    an odd last pixel, so that crops of 60 and of 64 px both leave 8 x 8 points of 256 channels.
    """

    published_start: ClassVar[Start] = "truncated"

    def _network(
        self, shape: tuple[int, ...], n_classes: int, n_channels: int
    ) -> LayeredClassifier:
        from torch import nn

        from napari_cryoml.models._crop_blocks import NormedLinear, max_pool
        from napari_cryoml.models._layered_classifier import LayeredClassifier

        ndim = len(shape)
        return LayeredClassifier(
            shape,
            n_classes,
            self._trunk(ndim, n_channels, 1, ceil=True),
            nn.Sequential(max_pool(ndim, ceil=True), nn.Flatten()),
            self._dense,
            self.start,
            n_channels=n_channels,
            head=partial(NormedLinear, momentum=self.norm_momentum),
        )

    def _dense(self, length: int) -> nn.Module:
        from torch import nn

        from napari_cryoml.models._crop_blocks import NormedLinear

        layers: list[nn.Module] = []
        for width in (self.hidden, self.latent):
            layers += [NormedLinear(length, width, momentum=self.norm_momentum), nn.ReLU()]
            length = width
        return nn.Sequential(*layers, nn.Dropout(self.dropout))
