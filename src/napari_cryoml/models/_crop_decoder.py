"""The decoder of the 3-D autoencoding classifier: crops from feature maps."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn

from napari_cryoml.models._crop_blocks import Start, convolution, initialise, rectified

LARGEST_FLAT = 2**16
"""Longest flattened feature map: 12 x 12 x 12 points of 32 channels still fit."""

_LEAST_STAGES = 2


class CropDecoder(nn.Module):
    """A feature map is squeezed into a code, and a crop drawn from it (Liu et al. 2019, figure 1).

    The flattened map becomes a code; the code becomes a small grid, whose sides are doubled by
    repeating the points and a convolution, stage by stage; a last convolution, linear, makes the
    crop. Sides that are not a multiple of ``2**stages`` lose what is too much at their end.

    Parameters
    ----------
    map_shape : sequence of int
        Shape (channels, *grid) of the feature map, see `Classifier.map_shape`.
    shape : sequence of int
        Shape (z)yx of the crops.
    code : int, default 128
        Length of the code; the paper has 128.
    units : int, default 32
        Channels of the small grid and of the convolutions.
    largest : int, default 65536
        Longest flattened map; of a larger one, as of networks that pool little, the means of
        coarser cells are taken.
    start : {"glorot", "kaiming", "torch"}
        How the weights are drawn, see `initialise`.
    n_channels : int, default 1
        Channels of the crops.

    Attributes
    ----------
    stages : int
        How often the sides are doubled: as often as the network halved them, and so often that
        the small grid is not larger than `largest`; at least twice.
    """

    def __init__(
        self,
        map_shape: Sequence[int],
        shape: Sequence[int],
        code: int = 128,
        *,
        units: int = 32,
        largest: int = LARGEST_FLAT,
        start: Start = "glorot",
        n_channels: int = 1,
    ) -> None:
        super().__init__()
        channels, *grid = map_shape
        ndim, self.shape, cells = len(shape), tuple(shape), _coarser(channels, grid, largest)
        pool = nn.AdaptiveAvgPool2d if ndim == 2 else nn.AdaptiveAvgPool3d
        self.pool = pool(tuple(cells)) if cells != grid else nn.Identity()
        self.encode = nn.Linear(channels * math.prod(cells), code)
        self.stages = _stages(self.shape, cells, largest // units)
        self.grid = (units, *(math.ceil(side / 2**self.stages) for side in shape))
        self.expand = nn.Linear(code, math.prod(self.grid))
        self.draw = nn.Sequential()
        for _ in range(self.stages):
            self.draw.append(nn.Upsample(scale_factor=2))
            self.draw.append(rectified(ndim, units, units, 3))
        self.draw.append(convolution(ndim, units, n_channels, 3))
        initialise(self, start)

    def forward(self, feature_map: Tensor) -> tuple[Tensor, Tensor]:
        """Return crops and the codes they were drawn from.

        Parameters
        ----------
        feature_map : tensor of shape (b, channels, *grid)

        Returns
        -------
        crops : tensor of shape (b, n_channels, *shape)
            Normalised as the crops were that the network saw.
        code : tensor of shape (b, code)
            Not negative. The paper adds 1e-4 times its sum (a L1 penalty) to the loss of a crop.
        """
        code = self.encode(self.pool(feature_map).flatten(1)).relu()
        crops: Tensor = self.draw(self.expand(code).relu().unflatten(1, self.grid))
        inside = (slice(None), slice(None), *(slice(side) for side in self.shape))
        return crops[inside], code


def _coarser(channels: int, grid: list[int], largest: int) -> list[int]:
    """Return the grid, halved until it is flattened to `largest` values or fewer."""
    while channels * math.prod(grid) > largest and max(grid) > 1:
        grid = [math.ceil(side / 2) for side in grid]
    return grid


def _stages(shape: tuple[int, ...], grid: list[int], largest: int) -> int:
    """Return how often a small grid is doubled to make a crop."""
    halvings = round(math.log2(max(shape) / max(grid)))
    stages = max(_LEAST_STAGES, halvings)
    while math.prod(math.ceil(side / 2**stages) for side in shape) > largest:
        stages += 1
    return stages
