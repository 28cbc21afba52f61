"""The blocks detectors are built from; each can run strided or, with the same weights, à trous."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_cryoml.models._layers import Convolution, Residual, Step


class ValidConvolution(nn.Module):
    """A convolution without padding whose stride can be turned into dilation.

    Parameters
    ----------
    channels_in, channels_out : int
        Feature channels.
    step : Step
        Kernel, stride and dilation in strided use.
    ndim : {2, 3}
        Spatial axes.
    bias : bool
        Whether there is a bias; not where batch norm follows.
    gain : float
        Of the initial weights: the standard deviation is ``gain / sqrt(fan_in)``.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        step: Step,
        *,
        ndim: int,
        bias: bool,
        gain: float = math.sqrt(2),
    ) -> None:
        super().__init__()
        self.step, self.ndim = step, ndim
        kernel = (step.kernel,) * ndim
        self.weight = nn.Parameter(torch.empty(channels_out, channels_in, *kernel))
        self.bias = nn.Parameter(torch.zeros(channels_out)) if bias else None
        nn.init.normal_(self.weight, std=gain / math.sqrt(channels_in * math.prod(kernel)))

    def forward(self, x: Tensor, rate: int | None = None) -> Tensor:
        """Return the convolved features.

        Parameters
        ----------
        x : tensor of shape (b, channels_in, *spatial)
            Features.
        rate : int, optional
            Run à trous: x has this many times the pixels of the strided use along each axis,
            so dilate by it and leave the stride out. By default, run strided.
        """
        stride = self.step.stride if rate is None else 1
        dilation = self.step.dilation * (rate or 1)
        convolve = functional.conv2d if self.ndim == 2 else functional.conv3d
        return convolve(x, self.weight, self.bias, stride=stride, dilation=dilation)


@dataclass(frozen=True, slots=True)
class Style:
    """What all blocks of one network share.

    Parameters
    ----------
    ndim : {2, 3}
        Spatial axes.
    batch_norm : bool
        Whether batch norm follows the convolutions.
    activation : {"relu", "prelu"}
        A PReLU has one parameter for all channels.
    branch_gain : float
        Initial gain of the last convolution of a residual block.
    """

    ndim: int
    batch_norm: bool
    activation: Literal["relu", "prelu"]
    branch_gain: float

    def norm(self, channels: int) -> nn.Module:
        """Return batch norm of `channels`, or nothing."""
        if not self.batch_norm:
            return nn.Identity()
        return nn.BatchNorm2d(channels) if self.ndim == 2 else nn.BatchNorm3d(channels)

    def activate(self) -> nn.Module:
        """Return an activation."""
        return nn.PReLU() if self.activation == "prelu" else nn.ReLU(inplace=True)


class ConvolutionBlock(nn.Module):
    """A convolution, batch norm and an activation."""

    def __init__(self, channels_in: int, layer: Convolution, style: Style) -> None:
        super().__init__()
        self.conv = ValidConvolution(
            channels_in, layer.channels, *layer.steps, ndim=style.ndim, bias=not style.batch_norm
        )
        self.norm = style.norm(layer.channels)
        self.activation = style.activate()

    def forward(self, x: Tensor, rate: int | None = None) -> Tensor:
        """Return the features; `rate` as in `ValidConvolution`."""
        features: Tensor = self.activation(self.norm(self.conv(x, rate)))
        return features


class ResidualBlock(nn.Module):
    """Two convolutions, added to a shortcut that is cropped to the pixels they are valid for.

    The shortcut is strided like the second convolution, and projected where the number of
    channels changes; batch norm and activation come after the sum.
    """

    def __init__(self, channels_in: int, layer: Residual, style: Style) -> None:
        super().__init__()
        ndim, bias = style.ndim, not style.batch_norm
        first, second = layer.steps
        self.stride, self.ndim = layer.stride, ndim
        self.margin = first.dilation + second.dilation
        self.first = ValidConvolution(channels_in, layer.hidden, first, ndim=ndim, bias=bias)
        self.first_norm = style.norm(layer.hidden)
        self.second = ValidConvolution(
            layer.hidden, layer.channels, second, ndim=ndim, bias=bias, gain=style.branch_gain
        )
        self.second_norm = style.norm(layer.channels)
        self.activation = style.activate()
        self.shortcut: ValidConvolution | None = None
        if channels_in != layer.channels:
            step = Step(1, layer.stride, 1)
            self.shortcut = ValidConvolution(
                channels_in, layer.channels, step, ndim=ndim, bias=False, gain=1
            )

    def forward(self, x: Tensor, rate: int | None = None) -> Tensor:
        """Return the features; `rate` as in `ValidConvolution`."""
        hidden = self.activation(self.first_norm(self.first(x, rate)))
        total = self.second(hidden, rate) + self._past(x, rate)
        features: Tensor = self.activation(self.second_norm(total))
        return features

    def _past(self, x: Tensor, rate: int | None) -> Tensor:
        margin = self.margin * (rate or 1)
        inner = slice(margin, -margin)
        x = x[(slice(None), slice(None), *[inner] * self.ndim)]
        if self.shortcut is not None:
            return self.shortcut(x, rate)
        every = slice(None, None, self.stride if rate is None else 1)
        return x[(slice(None), slice(None), *[every] * self.ndim)]
