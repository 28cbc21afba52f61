"""A classifier of crops that is a chain of convolutions and a chain of dense layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from napari_cryoml.models._classifier import Classifier
from napari_cryoml.models._crop_blocks import Start, initialise, shape_after


class LayeredClassifier(Classifier):
    """A classifier made of the layers it is given.

    Parameters
    ----------
    shape : sequence of int
        Shape (z)yx of the crops.
    n_classes : int
    trunk : nn.Module
        From crops (b, n_channels, *shape) to the feature map.
    flatten : nn.Module
        From the feature map to vectors, by pooling or as it is; it must not change its input in
        place.
    dense : callable
        Called with the length of those vectors; returns the module from there to (b, latent).
    start : {"glorot", "kaiming", "torch"}
        How the weights are drawn, see `initialise`.
    n_channels : int, default 1
        Channels of the crops.
    head : callable, default nn.Linear
        Called with `latent` and `n_classes`; returns the last layer.
    """

    def __init__(
        self,
        shape: Sequence[int],
        n_classes: int,
        trunk: nn.Module,
        flatten: nn.Module,
        dense: Callable[[int], nn.Module],
        start: Start = "torch",
        *,
        n_channels: int = 1,
        head: Callable[[int, int], nn.Linear] = nn.Linear,
    ) -> None:
        super().__init__(shape, n_classes, n_channels)
        self.trunk, self.flatten = trunk, flatten
        self.map_shape = shape_after(trunk, (n_channels, *shape))
        (length,) = shape_after(flatten, self.map_shape)
        self.dense = dense(length)
        (self.latent,) = shape_after(self.dense, (length,))
        self.head = head(self.latent, n_classes)
        initialise(self, start)

    def feature_map(self, crops: Tensor) -> Tensor:
        """Return the feature map; see `Classifier.feature_map`."""
        features: Tensor = self.trunk(crops)
        return features

    def vectors(self, feature_map: Tensor) -> Tensor:
        """Return what is classified; see `Classifier.vectors`."""
        vectors: Tensor = self.dense(self.flatten(feature_map))
        return vectors
