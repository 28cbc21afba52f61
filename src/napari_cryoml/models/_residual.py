"""A residual block that normalises each crop by itself."""

from __future__ import annotations

from torch import Tensor, nn

from napari_cryoml.models._crop_blocks import convolution

_GROUPS = 8


class NormedResidual(nn.Module):
    """Two convolutions of 3 px, each behind group norm and a ReLU, added to what came in.

    Norm and activation come first (He et al. 2016, arXiv:1603.05027), with groups of channels in
    place of batches (Wu and He 2018, arXiv:1803.08494).

    Parameters
    ----------
    ndim : {2, 3}
    channels_in, channels : int
        Multiples of 8.
    stride : int, default 1
        Of the first convolution; where it is not 1 or the channels change, the shortcut is a
        convolution of 1 px.
    """

    def __init__(self, ndim: int, channels_in: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.first_norm = nn.GroupNorm(_GROUPS, channels_in)
        self.first = convolution(ndim, channels_in, channels, 3, stride=stride, bias=False)
        self.second_norm = nn.GroupNorm(_GROUPS, channels)
        self.second = convolution(ndim, channels, channels, 3, bias=False)
        self.shortcut: nn.Module | None = None
        if stride != 1 or channels_in != channels:
            self.shortcut = convolution(ndim, channels_in, channels, 1, stride=stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the features; each side is divided by the stride, rounded up."""
        active = self.first_norm(x).relu()
        past = x if self.shortcut is None else self.shortcut(active)
        hidden = self.second_norm(self.first(active)).relu()
        total: Tensor = past + self.second(hidden)
        return total
