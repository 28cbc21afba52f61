"""The half of Paired Cell Inpainting that draws: the target's markers and the decoder."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_cryoml.models._crop_blocks import Start, convolution, initialise, rectified
from napari_cryoml.models._inpainting_encoder import encoding_layer, widened

_MARKER_CHANNELS = (16, 32, 32)
_CHANNELS = ((256, 384, 384), (256,), (96,))
"""Of the decoder at a quarter, half and all of the side."""


class InpaintingDecoder(nn.Module):
    """Draws the protein of a target cell from its markers and from features of a source cell.

    The markers go through three convolutions of 3 px, each with ReLU and batch norm, the first two
    with max pooling. Features and markers are put one after the other; three convolutions with
    ReLU, one more after each doubling of the sides, and a convolution of 1 px, linear, draw.

    Parameters
    ----------
    source_channels : int
        Channels of the source's features.
    n_markers : int
        Channels of the target that are seen; without any, all that is drawn comes from the
        source.
    shape : sequence of int
        Shape (z)yx of the crops.
    width : float, default 1
        Channels as a multiple of those published.
    start : {"glorot", "kaiming", "torch"}
        How the weights are drawn, see `initialise`.

    References
    ----------
    Lu et al. 2019, PLoS Computational Biology 15:e1007348, figure 1.
    """

    def __init__(
        self,
        source_channels: int,
        n_markers: int,
        shape: Sequence[int],
        width: float = 1.0,
        start: Start = "glorot",
    ) -> None:
        super().__init__()
        ndim, full = len(shape), tuple(shape)
        half, quarter = (tuple(math.ceil(side / by) for side in full) for by in (2, 4))
        self.sides = (quarter, half, full)
        self.markers, channels = _marker_encoder(ndim, n_markers, width)
        channels += source_channels
        self.stages = nn.ModuleList()
        for of_stage in _CHANNELS:
            stage = nn.Sequential()
            for published in of_stage:
                stage.append(rectified(ndim, channels, widened(published, width), 3))
                channels = widened(published, width)
            self.stages.append(stage)
        self.draw = convolution(ndim, channels, 1, 1)
        initialise(self, start)

    def forward(self, source: Tensor, markers: Tensor) -> Tensor:
        """Return the protein channel of the target.

        Parameters
        ----------
        source : tensor of shape (b, source_channels, *grid)
            A grid that is not a quarter of the crop is brought to it, by its nearest points.
        markers : tensor of shape (b, n_markers, *shape)

        Returns
        -------
        tensor of shape (b, 1, *shape)
        """
        drawn = _resized(source, self.sides[0])
        if self.markers is not None:
            drawn = torch.cat([drawn, self.markers(markers)], dim=1)
        for sides, stage in zip(self.sides, self.stages, strict=True):
            drawn = stage(_resized(drawn, sides))
        image: Tensor = self.draw(drawn)
        return image


def _marker_encoder(ndim: int, n_markers: int, width: float) -> tuple[nn.Sequential | None, int]:
    """Return the encoder of markers and the channels that it gives."""
    if not n_markers:
        return None, 0
    encoder, channels = nn.Sequential(), n_markers
    for published, pool in zip(_MARKER_CHANNELS, (True, True, False), strict=True):
        layer, after = encoding_layer(ndim, channels, widened(published, width), pool=pool)
        encoder.append(layer)
        encoder.extend(after)
        channels = widened(published, width)
    return encoder, channels


def _resized(x: Tensor, sides: tuple[int, ...]) -> Tensor:
    """Return a map on another grid: doubled sides repeat each point."""
    if tuple(x.shape[2:]) == sides:
        return x
    return functional.interpolate(x, size=sides, mode="nearest")
