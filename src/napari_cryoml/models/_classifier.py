"""What all networks that classify whole crops share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn


class Classifier(nn.Module, ABC):
    """A network from a crop to one score a class.

    It comes in three parts, so that any objective can take what it needs: the layers up to the
    last feature map, the layers from there to a vector, and one linear layer to the classes, kept
    apart because its output is the structural feature of Xu et al. 2017, section 2.3.1.

    Parameters
    ----------
    shape : sequence of int
        Shape (z)yx of the crops it is made for.
    n_classes : int
    n_channels : int, default 1
        Channels of the crops.

    Attributes
    ----------
    shape : tuple of int
    n_classes, n_channels : int
    map_shape : tuple of int
        Shape (channels, *grid) of the feature map.
    latent : int
        Length of the vector that is classified.
    head : nn.Linear
        From `latent` to `n_classes`.
    """

    map_shape: tuple[int, ...]
    latent: int
    head: nn.Linear

    def __init__(self, shape: Sequence[int], n_classes: int, n_channels: int = 1) -> None:
        super().__init__()
        self.shape, self.n_classes, self.n_channels = tuple(shape), n_classes, n_channels

    @abstractmethod
    def feature_map(self, crops: Tensor) -> Tensor:
        """Return the activations of the last convolutional layer.

        Parameters
        ----------
        crops : tensor of shape (b, n_channels, *shape)
            Normalised, usually each channel of each to mean 0 and deviation 1.

        Returns
        -------
        tensor of shape (b, channels, *grid)
        """

    def described(self, crops: Tensor) -> Tensor:
        """Return what `feature_map` takes in place of crops, as far as no weight has a part in it.

        Of crops that are seen many times it is computed once. The crops themselves, unless a
        network says otherwise.
        """
        return crops

    @abstractmethod
    def vectors(self, feature_map: Tensor) -> Tensor:
        """Return what is classified, shape (b, latent), of what `feature_map` gave."""

    def forward(self, crops: Tensor) -> Tensor:
        """Return one score a class before the softmax, shape (b, n_classes)."""
        scores: Tensor = self.head(self.vectors(self.feature_map(crops)))
        return scores
