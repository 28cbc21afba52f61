"""Optimisers, and the share of the learning rate that a step takes."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn, optim

from napari_cryoml.training._optimizer_config import OptimizerConfig


class LARS(optim.Optimizer):
    """Gradient descent with momentum and steps in proportion to the weights of each layer.

    The step of a weight matrix or a convolution kernel w of gradient g is scaled by
    ``trust * |w| / (|g| + weight_decay * |w|)``. Biases and the weights of norms (tensors of one
    axis) are neither scaled nor decayed.

    Parameters
    ----------
    params : iterable of Tensor
    lr : float
    momentum : float, default 0.9
    weight_decay : float, default 0
    trust : float, default 0.001

    References
    ----------
    You, Gitman and Ginsburg 2017 (arXiv:1708.03888), algorithm 1.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        trust: float = 1e-3,
    ) -> None:
        options = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "trust": trust}
        super().__init__(params, options)

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Take one step."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, group)

    def _move(self, weight: Tensor, group: dict[str, Any]) -> None:
        update = weight.grad if weight.ndim < 2 else _scaled(weight, group)
        known = self.state[weight]
        if "momentum_buffer" not in known:
            known["momentum_buffer"] = torch.zeros_like(weight)
        moved = known["momentum_buffer"].mul_(group["momentum"]).add_(update, alpha=group["lr"])
        weight.sub_(moved)


def _scaled(weight: Tensor, group: dict[str, Any]) -> Tensor:
    """Return the gradient and the decay of a layer, scaled to the norm of its weights."""
    decay, norm, steep = group["weight_decay"], weight.norm(), weight.grad.norm()  # type: ignore[union-attr]
    ratio = group["trust"] * norm / (steep + decay * norm).clamp_min(1e-12)
    # A layer of zeros, or one without a gradient, would never move.
    ratio = torch.where((norm > 0) & (steep > 0), ratio, torch.ones_like(ratio))
    return ratio * (weight.grad + decay * weight)


def build_optimizer(module: nn.Module, config: OptimizerConfig) -> optim.Optimizer:
    """Return the optimiser of a module's weights, those without gradients left out."""
    weights = [weight for weight in module.parameters() if weight.requires_grad]
    rate, decay = config.learning_rate, config.weight_decay
    makers: dict[str, Callable[[], optim.Optimizer]] = {
        "adamw": lambda: optim.AdamW(weights, rate, config.betas, weight_decay=decay),
        "adam": lambda: optim.Adam(weights, rate, config.betas, weight_decay=decay),
        "sgd": lambda: optim.SGD(
            weights,
            rate,
            config.momentum,
            weight_decay=decay,
            nesterov=config.nesterov and config.momentum > 0,
        ),
        "lars": lambda: LARS(weights, rate, config.momentum, decay),
    }
    return makers[config.kind]()


def rate_share(config: OptimizerConfig, step: int, progress: float) -> float:
    """Return the share of the learning rate that a step takes.

    Parameters
    ----------
    config : OptimizerConfig
    step : int
        Steps taken in this run.
    progress : float
        Share of the run that is over, 1 or more at its end.
    """
    rise = min(1.0, (step + 1) / max(config.warm_up, 1))
    left = max(0.0, 1 - progress)
    falls: dict[str, Callable[[], float]] = {
        "linear": lambda: left,
        "cosine": lambda: (1 - math.cos(math.pi * left)) / 2,
        "inverse_time": lambda: 1 / (1 + config.decay * step),
        "constant": lambda: 1.0,
        "staircase": lambda: config.stair ** (step // config.stair_steps),
        "steps": lambda: 0.1 ** bisect_right(sorted(config.milestones), progress),
    }
    return rise * falls[config.schedule]()
