"""rb3d: blocks of two branches, the encoder of the self-supervised systems."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from napari_cryoml.models._classifier_config import ClassifierConfig, classifiers

if TYPE_CHECKING:
    from torch import nn

    from napari_cryoml.models._crop_blocks import Start
    from napari_cryoml.models._layered_classifier import LayeredClassifier

_PUBLISHED_DROPOUT = 0.5


@classifiers.register("rb3d")
class RB3D(ClassifierConfig):
    """Four blocks whose two branches are concatenated: RB3D (Che et al. 2018), reconstructed.

    Figure 3 of Gupta et al. 2022 lists the kinds of its layers, but neither their order nor the
    number of blocks. These, and the 32 channels of the first convolution, are those of published
    code, of which there are two versions, "64" and "32"; "paper" is "64" with the dense layers of
    1024 that the figure names. The caption's "2x2x2 MaxPool" of "kernel size 3x3x3" is taken as
    2 px.
    """

    published_start: ClassVar[Start] = "kaiming"

    variant: Literal["paper", "64", "32"] = Field(
        "paper",
        description="64 or 32: channels of the blocks, in the two versions of the published code; "
        "paper: 64 and dense layers.",
    )
    blocks: int = Field(4, ge=1, le=16, description="Blocks of two branches.")
    dense_layers: int = Field(
        2, ge=0, le=4, description="Dense layers of the variant paper; its figure leaves it open."
    )
    hidden: int = Field(1024, ge=1, le=8192, description="Width of the dense layers.")
    dropout: Annotated[float, Field(ge=0, lt=1)] | Literal["auto"] = Field(
        "auto",
        description="Share of the left branch of each block silenced in each training step; auto "
        "is 0.5, and 0 in the variant 32, as published.",
    )

    def _network(
        self, shape: tuple[int, ...], n_classes: int, n_channels: int
    ) -> LayeredClassifier:
        from torch import nn

        from napari_cryoml.models._crop_blocks import MeanOfGrid, dense, max_pool, rectified
        from napari_cryoml.models._layered_classifier import LayeredClassifier

        ndim, n_dense = len(shape), self.dense_layers if self.variant == "paper" else 0
        trunk = nn.Sequential(rectified(ndim, n_channels, 32, 3), max_pool(ndim))
        if self.variant != "32":
            trunk.extend([rectified(ndim, 32, 64, 3), max_pool(ndim)])
        channels = 32 if self.variant == "32" else 64
        trunk.extend(self._block(ndim, channels) for _ in range(self.blocks))
        layers = partial(dense, widths=(self.hidden,) * n_dense)
        return LayeredClassifier(
            shape, n_classes, trunk, MeanOfGrid(2), layers, self.start, n_channels=n_channels
        )

    def _block(self, ndim: int, channels: int) -> nn.Module:
        """Return a block: half of its channels come through three convolutions, half through one.

        What is "residual" in it is that short way; nothing is added.
        """
        from torch import nn

        from napari_cryoml.models._crop_blocks import Branches, convolution, rectified

        half = channels // 2
        left = nn.Sequential(
            rectified(ndim, channels, half, 1),
            rectified(ndim, half, channels, 3),
            convolution(ndim, channels, half, 1),
            nn.Dropout(self._dropout()),
        )
        right = rectified(ndim, channels, half, 3)
        return nn.Sequential(Branches(left, right), nn.ReLU(inplace=True))

    def _dropout(self) -> float:
        if self.dropout == "auto":
            return 0.0 if self.variant == "32" else _PUBLISHED_DROPOUT
        return self.dropout
