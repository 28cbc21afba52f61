"""dsrf3d_v2: six convolutions, in the two forms that were published."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from napari_cryoml.models._classifier_config import ClassifierConfig, classifiers

if TYPE_CHECKING:
    from torch import nn

    from napari_cryoml.models._crop_blocks import Start
    from napari_cryoml.models._layered_classifier import LayeredClassifier


@classifiers.register("dsrf3d_v2")
class DSRF3DV2(ClassifierConfig):
    """Six convolutions of 3 px, a deeper DSRF3D (Che et al. 2018).

    Its published implementations differ: A pools a third time, flattens, and has two dense layers
    with dropout; B takes the mean of each channel, and has none.
    """

    variant: Literal["A", "B"] = Field(
        "A", description="A: flattened, with dense layers; B: the mean of each channel."
    )
    units: int = Field(
        32, ge=1, le=512, description="Channels of the first two convolutions; then 2 and 4 times."
    )
    hidden: int = Field(1024, ge=1, le=8192, description="Width of the two dense layers of A.")
    dropout: float = Field(
        0.7,
        ge=0,
        lt=1,
        description="Share of the dense features of A silenced in each training step.",
    )

    @property
    def start(self) -> Start:
        """The rule that the initial weights follow; as published it depends on the variant."""
        published: Start = "torch" if self.variant == "A" else "kaiming"
        return published if self.initial_weights == "published" else self.initial_weights

    def _network(
        self, shape: tuple[int, ...], n_classes: int, n_channels: int
    ) -> LayeredClassifier:
        from torch import nn

        from napari_cryoml.models._crop_blocks import MeanOfGrid, dense, max_pool
        from napari_cryoml.models._layered_classifier import LayeredClassifier

        trunk, ndim = self._trunk(len(shape), n_channels), len(shape)
        if self.variant == "B":
            return LayeredClassifier(
                shape,
                n_classes,
                trunk,
                MeanOfGrid(1),
                lambda _: nn.Identity(),
                self.start,
                n_channels=n_channels,
            )
        flatten = nn.Sequential(max_pool(ndim), nn.Flatten())
        layers = partial(dense, widths=(self.hidden,) * 2, dropout=self.dropout)
        return LayeredClassifier(
            shape, n_classes, trunk, flatten, layers, self.start, n_channels=n_channels
        )

    def _trunk(self, ndim: int, n_channels: int) -> nn.Sequential:
        """Return three pairs of convolutions with a pooling between the pairs."""
        from torch import nn

        from napari_cryoml.models._crop_blocks import max_pool, rectified

        u = self.units
        return nn.Sequential(
            rectified(ndim, n_channels, u, 3),
            rectified(ndim, u, u, 3),
            max_pool(ndim),
            rectified(ndim, u, 2 * u, 3),
            rectified(ndim, 2 * u, 2 * u, 3),
            max_pool(ndim),
            rectified(ndim, 2 * u, 4 * u, 3),
            rectified(ndim, 4 * u, 4 * u, 3),
        )
