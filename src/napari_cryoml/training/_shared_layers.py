"""Layers that look at a whole batch, of which each process of a team has a share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

AddUp = Callable[[Tensor], Tensor]

_FORWARD = "forward"


class _Sum(torch.autograd.Function):
    """The sum over all processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(context: Any, values: Tensor, add_up: AddUp) -> Tensor:
        context.add_up = add_up
        return add_up(values.clone())

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return context.add_up(gradients[0].clone()), None


def _summed(values: Tensor, add_up: AddUp) -> Tensor:
    total: Tensor = _Sum.apply(values, add_up)  # type: ignore[no-untyped-call]
    return total


def normalise_together(norm: _BatchNorm, x: Tensor, add_up: AddUp) -> Tensor:
    """Return a batch norm in training whose mean and variance are those of the whole batch.

    Parameters
    ----------
    norm : batch norm of any number of axes
        Its running statistics are updated.
    x : tensor of shape (b, channels, ...)
        The own share; may be empty.
    add_up : callable
        Returns the sum of a tensor over all processes.
    """
    axes = [axis for axis in range(x.ndim) if axis != 1]
    shape = [1, -1, *[1] * (x.ndim - 2)]
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    count = wide.new_full((1,), x.numel() // x.shape[1])
    sums = _summed(torch.cat([wide.sum(axes), count]), add_up)
    n = sums[-1].detach()
    mean = sums[:-1] / n
    centred = wide - mean.reshape(shape)
    variance = _summed(centred.square().sum(axes), add_up) / n
    if norm.track_running_stats:
        _remember(norm, mean.detach(), variance.detach() * n / (n - 1).clamp(min=1))
    y = centred * (variance + norm.eps).rsqrt().reshape(shape)
    if norm.affine:
        y = y * norm.weight.reshape(shape) + norm.bias.reshape(shape)
    return y.to(x.dtype)


def _remember(norm: _BatchNorm, mean: Tensor, variance: Tensor) -> None:
    with torch.no_grad():
        norm.num_batches_tracked.add_(1)  # type: ignore[union-attr]
        share = norm.momentum
        if share is None:
            share = 1 / float(norm.num_batches_tracked)  # type: ignore[arg-type]
        norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), share)  # type: ignore[union-attr]
        norm.running_var.lerp_(variance.to(norm.running_var.dtype), share)  # type: ignore[union-attr]


@contextmanager
def shared_layers(module: nn.Module, add_up: AddUp, generator: torch.Generator) -> Iterator[None]:
    """Let batch norms see the whole batch, and dropout draw from a generator of this process.

    Dropout must not take from torch's generator, from which all processes draw the same numbers.
    """
    changed = []
    for layer in module.modules():
        if isinstance(layer, _BatchNorm | nn.Dropout):
            # By name: the layer's own method stays beneath, and comes back below.
            setattr(layer, _FORWARD, _of_team(layer, layer.forward, add_up, generator))
            changed.append(layer)
    try:
        yield
    finally:
        for layer in changed:
            delattr(layer, _FORWARD)


def _of_team(
    layer: _BatchNorm | nn.Dropout,
    alone: Callable[[Tensor], Tensor],
    add_up: AddUp,
    generator: torch.Generator,
) -> Callable[[Tensor], Tensor]:
    def forward(x: Tensor) -> Tensor:
        if not layer.training:
            return alone(x)
        if isinstance(layer, _BatchNorm):
            return normalise_together(layer, x, add_up)
        kept = torch.empty_like(x).bernoulli_(1 - layer.p, generator=generator)
        return x * kept / max(1 - layer.p, 1e-12)

    return forward
