"""The parts that networks for whole crops are built from, the same for 2 and 3 axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

KERAS_EPS = 1e-3
"""What batch norm adds to variances in Keras and in the first versions of TensorFlow."""

Start = Literal["glorot", "kaiming", "torch", "truncated"]


def convolution(
    ndim: int,
    channels_in: int,
    channels: int,
    kernel: int,
    *,
    stride: int = 1,
    padding: int | None = None,
    bias: bool = True,
) -> nn.Module:
    """Return a convolution of `ndim` axes; by default padded so that stride 1 keeps the size."""
    make = nn.Conv2d if ndim == 2 else Convolution3d
    margin = kernel // 2 if padding is None else padding
    return make(channels_in, channels, kernel, stride=stride, padding=margin, bias=bias)


class Convolution3d(nn.Conv3d):
    """A 3-D convolution that works in single precision on grids smaller than its kernel.

    There the gradient of the weights in bfloat16 on a CPU reads memory that was never written
    (oneDNN in torch 2.13): now and then it is not a number. Such grids are small, so that hardly
    any time is lost.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolved features, shape (b, channels, *grid)."""
        if x.device.type != "cpu" or min(x.shape[2:]) >= self.kernel_size[0]:
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            return super().forward(x.to(self.weight.dtype))


def rectified(
    ndim: int, channels_in: int, channels: int, kernel: int, *, padding: int | None = None
) -> nn.Sequential:
    """Return a convolution and a ReLU."""
    layer = convolution(ndim, channels_in, channels, kernel, padding=padding)
    return nn.Sequential(layer, nn.ReLU(inplace=True))


def normed(
    ndim: int, channels_in: int, channels: int, kernel: int, *, padding: int, momentum: float
) -> nn.Sequential:
    """Return a convolution with biases, batch norm as in Keras and a ReLU."""
    layer = convolution(ndim, channels_in, channels, kernel, padding=padding)
    norm = nn.BatchNorm2d if ndim == 2 else nn.BatchNorm3d
    return nn.Sequential(
        layer, norm(channels, eps=KERAS_EPS, momentum=momentum), nn.ReLU(inplace=True)
    )


def max_pool(ndim: int, kernel: int | Sequence[int] = 2, *, ceil: bool = False) -> nn.Module:
    """Return max pooling by its own kernel; with `ceil`, an odd last pixel counts by itself.

    That is what padding "same" does in TensorFlow, which pads at the end.
    """
    size = (kernel,) * ndim if isinstance(kernel, int) else tuple(kernel)
    return nn.MaxPool2d(size, ceil_mode=ceil) if ndim == 2 else nn.MaxPool3d(size, ceil_mode=ceil)


class SteadyMaxPool(nn.Module):
    """Max pooling of 2 px at stride 1 that keeps the size.

    As in TensorFlow an even kernel is padded at the end of each axis alone: output i sees the
    inputs i and i + 1.
    """

    def __init__(self, ndim: int) -> None:
        super().__init__()
        self.ndim = ndim

    def forward(self, x: Tensor) -> Tensor:
        """Return the pooled features, of the shape of `x`."""
        padded = functional.pad(x, (0, 1) * self.ndim, value=-torch.inf)
        pool = functional.max_pool2d if self.ndim == 2 else functional.max_pool3d
        pooled: Tensor = pool(padded, 2, stride=1)
        return pooled


class Branches(nn.Module):
    """Branches from the same input, whose channels are put one after the other."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        """Return the channels of all branches, those of the first one first."""
        return torch.cat([branch(x) for branch in self.branches], dim=1)


class MeanOfGrid(nn.Module):
    """Means of each channel in `parts` parts along each axis, flattened."""

    def __init__(self, parts: int) -> None:
        super().__init__()
        self.parts = parts

    def forward(self, x: Tensor) -> Tensor:
        """Return the means, shape (b, channels * parts ** ndim)."""
        pool = functional.adaptive_avg_pool2d if x.ndim == 4 else functional.adaptive_avg_pool3d
        return pool(x, self.parts).flatten(1)


class MeanAndMax(nn.Module):
    """Mean and maximum of each channel: vectors twice as long as there are channels."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the means and then the maxima, shape (b, 2 * channels)."""
        flat = x.flatten(2)
        return torch.cat([flat.mean(dim=2), flat.amax(dim=2)], dim=1)


class VectorNorm(nn.BatchNorm1d):
    """Batch norm of vectors that takes a training batch of one: by the running statistics."""

    def forward(self, vectors: Tensor) -> Tensor:
        """Return the normalised vectors, shape (b, features)."""
        if self.training and len(vectors) == 1:
            return functional.batch_norm(
                vectors, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        return super().forward(vectors)


class NormedLinear(nn.Linear):
    """A linear layer with batch norm behind it."""

    def __init__(self, length: int, width: int, *, momentum: float) -> None:
        super().__init__(length, width)
        self.norm = VectorNorm(width, eps=KERAS_EPS, momentum=momentum)

    def forward(self, vectors: Tensor) -> Tensor:
        """Return the normalised values, shape (b, width)."""
        normalised: Tensor = self.norm(super().forward(vectors))
        return normalised


def dense(
    length: int, widths: Sequence[int], *, activation: type[nn.Module] = nn.ReLU, dropout: float = 0
) -> nn.Sequential:
    """Return dense layers on vectors of `length`, each with its activation and dropout."""
    layers: list[nn.Module] = []
    for width in widths:
        layers += [nn.Linear(length, width), activation()]
        if dropout:
            layers.append(nn.Dropout(dropout))
        length = width
    return nn.Sequential(*layers)


def shape_after(module: nn.Module, shape: Sequence[int]) -> tuple[int, ...]:
    """Return the shape that a module makes of one of `shape`, without a computation."""
    state = {name: tensor.to("meta") for name, tensor in module.state_dict().items()}
    inputs = torch.empty(2, *shape, device="meta")  # two, for batch norm refuses a single vector
    return tuple(torch.func.functional_call(module, state, (inputs,)).shape[1:])


def initialise(network: nn.Module, start: Start) -> None:
    """Draw the weights of all convolutions and dense layers anew.

    Parameters
    ----------
    network : nn.Module
    start : {"glorot", "kaiming", "torch", "truncated"}
        "glorot": uniform by fan-in and fan-out, as in Keras (Glorot and Bengio 2010); "kaiming":
        convolutions normal by fan-out (He et al. 2015), dense layers normal with deviation 0.01;
        "torch": as torch drew them; "truncated": normal with deviation 0.1 and nothing beyond two
        deviations, biases at 0.1 (Kraus et al. 2017). Biases start at 0 in the first two.
    """
    if start == "torch":
        return
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d | nn.Linear):
            _redraw(module, start)


def _redraw(layer: nn.Conv2d | nn.Conv3d | nn.Linear, start: Start) -> None:
    if start == "glorot":
        nn.init.xavier_uniform_(layer.weight)
    elif start == "truncated":
        nn.init.trunc_normal_(layer.weight, std=0.1, a=-0.2, b=0.2)
    elif isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, std=0.01)
    else:
        nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    if layer.bias is not None:
        nn.init.constant_(layer.bias, 0.1 if start == "truncated" else 0.0)
