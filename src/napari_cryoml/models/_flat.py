"""flat: a network without convolutions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from napari_cryoml.models._classifier_config import ClassifierConfig, classifiers

if TYPE_CHECKING:
    from napari_cryoml.models._crop_blocks import Start
    from napari_cryoml.models._layered_classifier import LayeredClassifier


@classifiers.register("flat")
class Flat(ClassifierConfig):
    """Dense layers on the pixels, as in the deep generative model M2 (Kingma et al. 2014).

    Its feature map is the crop itself.
    """

    published_start: ClassVar[Start] = "glorot"

    hidden: int = Field(500, ge=1, le=8192, description="Width of the dense layers.")
    layers: int = Field(1, ge=1, le=4, description="Dense layers before that to the classes.")
    activation: Literal["softplus", "relu"] = Field(
        "softplus", description="What follows each dense layer; softplus as in the paper."
    )
    dropout: float = Field(
        0.0, ge=0, lt=1, description="Share of the dense features silenced in each training step."
    )

    @property
    def least_side(self) -> int:
        """The smallest side of a crop, in pixels, that the network can be built for."""
        return 1

    def _network(
        self, shape: tuple[int, ...], n_classes: int, n_channels: int
    ) -> LayeredClassifier:
        from torch import nn

        from napari_cryoml.models._crop_blocks import dense
        from napari_cryoml.models._layered_classifier import LayeredClassifier

        layers = partial(
            dense,
            widths=(self.hidden,) * self.layers,
            activation=nn.Softplus if self.activation == "softplus" else nn.ReLU,
            dropout=self.dropout,
        )
        return LayeredClassifier(
            shape, n_classes, nn.Identity(), nn.Flatten(), layers, self.start, n_channels=n_channels
        )
