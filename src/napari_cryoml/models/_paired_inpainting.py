"""paired_inpainting: the source encoder of Paired Cell Inpainting."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from napari_cryoml.models._classifier_config import ClassifierConfig, classifiers

if TYPE_CHECKING:
    from napari_cryoml.models._crop_blocks import Start
    from napari_cryoml.models._inpainting_encoder import InpaintingEncoder


@classifiers.register("paired_inpainting")
class PairedInpainting(ClassifierConfig):
    """Five convolutions, of which the maxima of one are the features of a cell (Lu et al. 2019).

    The network is the source encoder up to the layer that features are taken from; the layers
    after it, the encoder of the target's markers and the decoder are those of the objective
    `inpainting`. All together have 7.3 million weights for crops of two channels.
    """

    published_start: ClassVar[Start] = "glorot"

    layer: Literal["conv1", "conv2", "conv3", "conv4", "conv5"] = Field(
        "conv4",
        description="Convolution whose activations, at their maxima over the crop, are the "
        "features; conv3 and conv4 were best for yeast, conv3 is the authors' choice for human "
        "cells.",
    )
    width: float = Field(
        1.0,
        gt=0,
        le=4,
        description="Channels of all layers as a multiple of those published; smaller is quicker.",
    )

    def _network(
        self, shape: tuple[int, ...], n_classes: int, n_channels: int
    ) -> InpaintingEncoder:
        from napari_cryoml.models._inpainting_encoder import InpaintingEncoder

        return InpaintingEncoder(
            shape, n_classes, n_channels, layer=self.layer, width=self.width, start=self.start
        )
