"""deeploc: the network of localisations of proteins, as it is used for their functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from napari_cryoml.models._classifier_config import ClassifierConfig, classifiers

if TYPE_CHECKING:
    from torch import nn

    from napari_cryoml.models._crop_blocks import Start
    from napari_cryoml.models._layered_classifier import LayeredClassifier

_STAGES = (2, 2, 4)
_CHANNELS = (64, 128, 256)


class DeepLocConfig(ClassifierConfig):
    """What both variants of DeepLoc share: eight convolutions in three stages, two dense layers."""

    width: float = Field(
        1.0,
        gt=0,
        le=4,
        description="Channels of the convolutions, as a multiple of 64, 128 and 256; time goes "
        "with its square.",
    )
    hidden: int = Field(512, ge=1, le=8192, description="Width of the first dense layer.")
    latent: int = Field(
        512,
        ge=1,
        le=8192,
        description="Width of the second dense layer: the length of the vectors that are "
        "classified and describe a crop.",
    )
    dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of these vectors silenced in each training step; 0.5 to go on from a "
        "trained network with other classes.",
    )
    norm_momentum: float = Field(
        0.1,
        gt=0,
        le=1,
        description="Share of a batch in the running mean of the batch norm; 0.5 in the code of "
        "2017, which is noisy.",
    )

    def _trunk(self, ndim: int, n_channels: int, padding: int, *, ceil: bool) -> nn.Sequential:
        """Return the convolutions, with a pooling between the stages."""
        from torch import nn

        from napari_cryoml.models._crop_blocks import max_pool, normed

        trunk, before = nn.Sequential(), n_channels
        for stage, (depth, usual) in enumerate(zip(_STAGES, _CHANNELS, strict=True)):
            if stage:
                trunk.append(max_pool(ndim, ceil=ceil))
            channels = max(round(self.width * usual), 1)
            for _ in range(depth):
                layer = normed(
                    ndim, before, channels, 3, padding=padding, momentum=self.norm_momentum
                )
                trunk.append(layer)
                before = channels
        return trunk


@classifiers.register("deeploc")
class DeepLoc(DeepLocConfig):
    """Eight convolutions without padding and two dense layers, for crops of cells.

    The variant of DeepLoc of Razdaibiedina and Brechalov 2022: the dense layers have no batch
    norm, and a crop of 64 px leaves 2 x 2 points of 256 channels. With `hidden` 128 and `latent`
    64 it is that of PIFiA (Razdaibiedina et al. 2024).
    """

    published_start: ClassVar[Start] = "glorot"

    @property
    def least_side(self) -> int:
        """The smallest side of a crop, in pixels, that the network can be built for."""
        return 52

    def _network(
        self, shape: tuple[int, ...], n_classes: int, n_channels: int
    ) -> LayeredClassifier:
        from torch import nn

        from napari_cryoml.models._crop_blocks import max_pool
        from napari_cryoml.models._layered_classifier import LayeredClassifier

        ndim = len(shape)
        return LayeredClassifier(
            shape,
            n_classes,
            self._trunk(ndim, n_channels, 0, ceil=False),
            nn.Sequential(max_pool(ndim), nn.Flatten()),
            self._dense,
            self.start,
            n_channels=n_channels,
        )

    def _dense(self, length: int) -> nn.Module:
        from torch import nn

        from napari_cryoml.models._crop_blocks import dense

        return nn.Sequential(dense(length, (self.hidden, self.latent)), nn.Dropout(self.dropout))
