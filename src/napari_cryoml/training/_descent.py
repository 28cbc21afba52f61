"""One step down the gradient, in the numbers that suit the device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn

from napari_cryoml.training._optimizer import build_optimizer, rate_share
from napari_cryoml.training._optimizer_config import OptimizerConfig
from napari_cryoml.training._precision import autocast, autocast_dtype, lay_out
from napari_cryoml.training._run_plan import Precision
from napari_cryoml.training._team import Team
from napari_cryoml.training._team_step import TeamStep


class StepLoss(Protocol):
    """What a step minimises."""

    @property
    def total(self) -> Tensor:
        """What is differentiated, a scalar."""
        ...

    @property
    def terms(self) -> Mapping[str, Tensor]:
        """Its parts, for the log."""
        ...


BatchT = TypeVar("BatchT")


class Descent:
    """A module, its optimiser and the precision of its layers.

    Parameters
    ----------
    module : nn.Module
        Is moved to the device.
    config : OptimizerConfig
    precision : str
        See `autocast_dtype`.
    device : torch.device
    team : Team, optional
        Processes that take each step together; `take` is given the own share of a batch then.
    """

    def __init__(
        self,
        module: nn.Module,
        config: OptimizerConfig,
        precision: Precision,
        device: torch.device,
        team: Team | None = None,
    ) -> None:
        self._module, self._config = module.to(device), config
        self._device, self._precision = device, precision
        dtype = autocast_dtype(precision, device)
        lay_out(module, dtype, device)
        self.optimizer = build_optimizer(module, config)
        self._team_step = None if team is None else TeamStep(team, module)
        # Gradients of float16 vanish unless the loss is scaled up.
        self._scaler = torch.amp.GradScaler(device.type, enabled=dtype is torch.float16)

    def set_rate(self, step: int, progress: float) -> None:
        """Set the step size after `step` steps, at a share `progress` of the run."""
        rate = self._config.learning_rate * rate_share(self._config, step, progress)
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def take(self, loss: Callable[[BatchT], StepLoss], batch: BatchT) -> StepLoss:
        """Take a step, unless the loss is not finite, and return the loss before it."""
        self.forget_gradients()
        team = self._team_step
        together = nullcontext() if team is None else team.computing()
        with together, autocast(self._precision, self._device):
            value = loss(batch)
        if torch.isfinite(value.total) if team is None else team.is_finite(value.total):
            self._scaler.scale(value.total).backward()
            if team is not None:
                team.add_up_gradients()
            self._scaler.unscale_(self.optimizer)
            if self._config.largest_gradient is not None:
                limit = self._config.largest_gradient
                nn.utils.clip_grad_norm_(self._module.parameters(), limit)
            self._scaler.step(self.optimizer)
            self._scaler.update()
        return value

    def leave_team(self) -> None:
        """Take each step alone from here on."""
        self._team_step = None

    def forget_gradients(self) -> None:
        """Free the memory of the last gradients."""
        self.optimizer.zero_grad(set_to_none=True)
