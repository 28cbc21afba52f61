"""Layers that turns about the middle of a crop leave alone, the same for 2 and 3 axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_cryoml.features import crop_rings

_MOST_DEVIATIONS = 6.0
_FLAT = 1e-6
_ROOT_FROM = 1e-3
"""Where a signed root goes over into a straight line: at 0 its slope would be infinite."""


class InBall(nn.Module):
    """Brings each channel to mean 0 and deviation 1 within the outermost ring; 0 beyond it.

    Parameters
    ----------
    shape : sequence of int
        Shape (z)yx of the crops.
    reach : float
        Of the outermost ring, see `features.crop_harmonics`.
    """

    ball: Tensor

    def __init__(self, shape: Sequence[int], reach: float) -> None:
        super().__init__()
        ball = np.zeros(math.prod(shape), np.float32)
        ball[crop_rings(shape, 2, 0, reach).pixels] = 1
        self.register_buffer("ball", torch.from_numpy(ball.reshape(shape)), persistent=False)

    def forward(self, crops: Tensor) -> Tensor:
        """Return the crops (b, channels, *shape), what is beyond 6 deviations cut off."""
        axes, n = tuple(range(2, crops.ndim)), self.ball.sum()
        mean = (crops * self.ball).sum(dim=axes, keepdim=True) / n
        centred = (crops - mean) * self.ball
        deviation = (centred.square().sum(dim=axes, keepdim=True) / n).sqrt()
        scaled = centred / deviation.clamp_min(_FLAT)
        return scaled.clamp(-_MOST_DEVIATIONS, _MOST_DEVIATIONS)


class IsotropicConvolution(nn.Module):
    """A convolution whose kernels depend on the distance from their middle alone.

    Parameters
    ----------
    ndim : {2, 3}
    channels_in, channels : int
    kernel : int, default 5
        Odd. There is one weight a pixel of distance; between two of them it is linear.
    """

    hats: Tensor

    def __init__(self, ndim: int, channels_in: int, channels: int, kernel: int = 5) -> None:
        super().__init__()
        radius = kernel // 2
        offsets = torch.meshgrid(*[torch.arange(-radius, radius + 1.0)] * ndim, indexing="ij")
        distance = torch.stack(offsets).square().sum(dim=0).sqrt()
        steps = torch.arange(radius + 1.0).reshape(-1, *[1] * ndim)
        hats = (1 - (distance - steps).abs()).clamp_min(0).flatten(1)
        self._kernel = (kernel,) * ndim
        self.register_buffer("hats", hats, persistent=False)
        deviation = (channels_in * hats.square().sum()).rsqrt()
        self.profile = nn.Parameter(torch.randn(channels, channels_in, radius + 1) * deviation)
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, crops: Tensor) -> Tensor:
        """Return the features, shape (b, channels, *shape)."""
        kernels = (self.profile @ self.hats).unflatten(2, self._kernel)
        convolve = functional.conv2d if crops.ndim == 4 else functional.conv3d
        return convolve(crops, kernels, self.bias, padding="same")


class RingCoefficients(nn.Module):
    """The coefficients of each harmonic on rings around the middle.

    Parameters
    ----------
    shape : sequence of int
        Shape (z)yx of the feature map.
    n_rings, n_orders : int
        Rings beyond the middle, and orders (degrees in 3-D) above 0.
    reach : float
        See `features.crop_harmonics`, whose bases these are.
    """

    pixels: Tensor

    def __init__(self, shape: Sequence[int], n_rings: int, n_orders: int, reach: float) -> None:
        super().__init__()
        found = crop_rings(shape, n_rings + 1, n_orders, reach)
        self.register_buffer("pixels", torch.from_numpy(found.pixels), persistent=False)
        self._rings = found.rings[1:]
        for number, ring in enumerate(self._rings):
            self.register_buffer(f"basis{number}", torch.from_numpy(ring.basis), persistent=False)
        starts = self._rings[0].starts
        ends = [*starts[1:], self._rings[0].basis.shape[1]]
        self.sizes = [end - start for start, end in zip(starts, ends, strict=True)]

    def forward(self, feature_map: Tensor) -> Tensor:
        """Return the coefficients, order by order, shape (b, channels * rings, harmonics)."""
        b, channels = feature_map.shape[:2]
        flat = feature_map.flatten(2).flatten(0, 1).float().index_select(1, self.pixels)
        with torch.autocast(flat.device.type, enabled=False):
            found = [
                flat[:, ring.part] @ cast("Tensor", getattr(self, f"basis{number}"))
                for number, ring in enumerate(self._rings)
            ]
        return torch.stack(found, dim=1).reshape(b, channels * len(found), -1)


class GramInvariants(nn.Module):
    """Products of mixtures of shells, summed over the harmonics of each order.

    The harmonics of one order turn into each other, by an orthogonal matrix, when the crop is
    turned: inner products over them do not change (Kazhdan et al. 2003 for a shell with itself).

    Parameters
    ----------
    n_shells : int
        Shells of all channels together.
    sizes : sequence of int
        Harmonics of each order from 0, of which the mixtures themselves are taken, with their sign.
    mixtures : int
    """

    pairs: Tensor

    def __init__(self, n_shells: int, sizes: Sequence[int], mixtures: int) -> None:
        super().__init__()
        self.sizes = list(sizes)
        weights = torch.randn(len(self.sizes), mixtures, n_shells) / n_shells**0.5
        self.mixing = nn.Parameter(weights)
        self.register_buffer("pairs", torch.triu_indices(mixtures, mixtures), persistent=False)
        self.length = mixtures + (len(self.sizes) - 1) * self.pairs.shape[1]

    def forward(self, coefficients: Tensor) -> Tensor:
        """Return the invariants, shape (b, length), of what `RingCoefficients` gave."""
        device = self.mixing.device.type
        with torch.autocast(device, enabled=False):
            orders = coefficients.split(self.sizes, dim=2)
            mixed = [mix @ one for mix, one in zip(self.mixing, orders, strict=True)]
            grams = [one @ one.mT for one in mixed[1:]]
        products = [gram[:, self.pairs[0], self.pairs[1]] for gram in grams]
        return torch.cat([mixed[0][:, :, 0], *map(_signed_root, products)], dim=1)


def _signed_root(values: Tensor) -> Tensor:
    """Return amplitudes of powers, with their sign; smooth at 0."""
    return values * (values.abs() + _ROOT_FROM).rsqrt()
