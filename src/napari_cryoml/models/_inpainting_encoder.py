"""The source encoder of Paired Cell Inpainting as a classifier of crops."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from napari_cryoml.models._crop_blocks import Start, initialise, max_pool, rectified
from napari_cryoml.models._layered_classifier import LayeredClassifier

LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5")
CHANNELS = (96, 256, 384, 384, 256)
"""Of the convolutions of the source encoder."""

_POOLED = (True, True, False, False, False)


class InpaintingEncoder(LayeredClassifier):
    """The source encoder up to one layer, whose maxima over the crop are classified.

    Each layer is a convolution of 3 px, ReLU and batch norm; after the first two the sides are
    halved by max pooling. What is classified comes from before the batch norm of its layer.

    Parameters
    ----------
    shape : sequence of int
        Shape (z)yx of the crops.
    n_classes, n_channels : int
    layer : {"conv1", "conv2", "conv3", "conv4", "conv5"}
    width : float
        Channels as a multiple of those published.
    start : {"glorot", "kaiming", "torch"}
        How the weights are drawn, see `initialise`.

    References
    ----------
    Lu et al. 2019, PLoS Computational Biology 15:e1007348.
    """

    def __init__(
        self,
        shape: Sequence[int],
        n_classes: int,
        n_channels: int = 1,
        *,
        layer: str = "conv4",
        width: float = 1.0,
        start: Start = "glorot",
    ) -> None:
        trunk, _ = _parted(len(shape), n_channels, width, LAYERS.index(layer))
        super().__init__(
            shape,
            n_classes,
            trunk,
            SpatialMax(),
            lambda _: nn.Identity(),
            start,
            n_channels=n_channels,
        )
        self.layer, self.width, self.start = layer, width, start

    @property
    def encoded_channels(self) -> int:
        """Channels at the end of the whole encoder."""
        return widened(CHANNELS[-1], self.width)

    def further_layers(self) -> nn.Sequential:
        """Return new layers from the feature map to the end of the encoder."""
        at = LAYERS.index(self.layer)
        _, rest = _parted(len(self.shape), self.n_channels, self.width, at)
        initialise(rest, self.start)
        return rest


class SpatialMax(nn.Module):
    """The maximum of each channel."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the maxima, shape (b, channels)."""
        return x.flatten(2).amax(dim=2)


def widened(channels: int, width: float) -> int:
    """Return a multiple of a number of channels, 1 at least."""
    return max(round(channels * width), 1)


def batch_norm(ndim: int, channels: int) -> nn.Module:
    """Return batch norm over crops of `ndim` axes."""
    return (nn.BatchNorm2d if ndim == 2 else nn.BatchNorm3d)(channels, eps=1e-3)


def encoding_layer(
    ndim: int, channels_in: int, channels: int, *, pool: bool
) -> tuple[nn.Module, list[nn.Module]]:
    """Return a convolution with ReLU, and what follows it: batch norm and, if asked, pooling."""
    after = [batch_norm(ndim, channels)]
    if pool:
        # An odd last pixel counts by itself, as with padding "same".
        after.append(max_pool(ndim, ceil=True))
    return rectified(ndim, channels_in, channels, 3), after


def _parted(
    ndim: int, n_channels: int, width: float, at: int
) -> tuple[nn.Sequential, nn.Sequential]:
    """Return the encoder up to the activations of layer number `at`, and from there on."""
    before, behind = nn.Sequential(), nn.Sequential()
    for number, (published, pool) in enumerate(zip(CHANNELS, _POOLED, strict=True)):
        channels = widened(published, width)
        layer, after = encoding_layer(ndim, n_channels, channels, pool=pool)
        (before if number <= at else behind).append(layer)
        (before if number < at else behind).extend(after)
        n_channels = channels
    return before, behind
