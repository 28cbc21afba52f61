"""The one training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Mapping
from typing import Generic, Protocol, Self, TypeVar

import torch
from torch import Tensor, nn

from napari_cryoml._errors import InputError
from napari_cryoml.jobs import Command
from napari_cryoml.training._config import TrainingConfig
from napari_cryoml.training._device import describe_device
from napari_cryoml.training._events import TrainingEvent
from napari_cryoml.training._state import TrainingState

_WARM_UP = 20  # steps over which the step size rises, so that batch norm finds its range first
_LARGEST_GRADIENT = 5.0


class Batch(Protocol):
    """What a sampler draws and a loss takes."""

    def to(self, device: torch.device) -> Self:
        """Return the batch on `device`."""
        ...


BatchT = TypeVar("BatchT", bound=Batch)
DrawnT = TypeVar("DrawnT", bound=Batch, covariant=True)


class BatchSource(Protocol[DrawnT]):
    """Draws batches, and draws smaller ones once memory has run out."""

    def draw(self) -> DrawnT:
        """Return the next batch."""
        ...

    def halve(self) -> bool:
        """Halve the batches from now on; False if they are as small as they get."""
        ...


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


class Clock:
    """How much of a run's budget of time and steps is used."""

    def __init__(self, config: TrainingConfig, first_step: int) -> None:
        if config.minutes is None and not isinstance(config.steps, int):
            raise InputError("A training run needs an end: give minutes, steps or both.")
        self._seconds = math.inf if config.minutes is None else 60 * config.minutes
        self._steps = config.steps if isinstance(config.steps, int) else math.inf
        self._first = first_step
        self.start = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.start

    def progress(self, step: int) -> float:
        """Return the used share of the budget, 1 or more at the end."""
        return max(self.elapsed / self._seconds, (step - self._first) / self._steps)


def fit(
    module: nn.Module,
    loss: Callable[[BatchT], StepLoss],
    batches: BatchSource[BatchT],
    config: TrainingConfig,
    *,
    device: torch.device,
    validate: Callable[[], float] | None = None,
    select: bool = True,
    resume: TrainingState | None = None,
) -> Generator[TrainingEvent, Command | None, TrainingState]:
    """Train a module; every objective goes through here.

    Parameters
    ----------
    module : nn.Module
        Everything with weights that the loss uses. Trained in place, on `device`.
    loss : callable
        Takes a batch on the device; returns `total` (minimised) and `terms` (logged).
    batches : BatchSource
    config : TrainingConfig
        Length, step size, patience; "auto" steps are no limit here (see
        `TrainingConfig.for_labels`).
    device : torch.device
    validate : callable, optional
        Returns a figure of merit, larger is better; called now and then in evaluation mode.
    select : bool, default True
        Keep the weights of the best validation and stop when it no longer rises; False to keep
        the last weights and go on to the end.
    resume : TrainingState, optional
        Go on from here: weights, optimiser and step count.

    Yields
    ------
    TrainingEvent
        One a step.

    Returns
    -------
    TrainingState
        Of the weights that were kept; `module` holds them too.

    Raises
    ------
    InputError
        If the loss is not finite for many steps on end, or memory is short for one crop.
    """
    run = _Run(module, loss, batches, config, device, resume)
    best, stale = None, 0
    next_validation = config.validate_every
    while run.clock.progress(run.step) < 1 and stale < config.patience:
        message = run.take_step()
        merit = None
        if validate is not None and run.clock.elapsed >= next_validation:
            merit = run.measure(validate)
            next_validation = run.clock.elapsed + config.validate_every
            if select:
                best, stale = _better(best, run, merit, stale)
        if (yield run.event(merit, message)) is Command.STOP:
            break
    if validate is not None:
        merit = run.measure(validate)
        if select:
            best, _ = _better(best, run, merit, stale)
        yield run.event(merit, "")
    if best is not None:
        run.restore(best)
    module.eval()
    return best or run.state(None)


def _better(
    best: TrainingState | None, run: _Run[BatchT], merit: float, stale: int
) -> tuple[TrainingState | None, int]:
    """Return the better of the best state and the present one, and validations since it."""
    if best is None or best.validation is None or merit > best.validation:
        return run.state(merit), 0
    return best, stale + 1


class _Run(Generic[BatchT]):
    """The moving parts of one call of `fit`."""

    def __init__(
        self,
        module: nn.Module,
        loss: Callable[[BatchT], StepLoss],
        batches: BatchSource[BatchT],
        config: TrainingConfig,
        device: torch.device,
        resume: TrainingState | None,
    ) -> None:
        self.module, self.loss, self.batches, self.config = module, loss, batches, config
        self.device = device
        module.to(device)
        self.optimizer = torch.optim.AdamW(
            module.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.scaler = torch.amp.GradScaler(device.type, enabled=device.type == "cuda")
        self.step = 0
        if resume is not None:
            resume.load_into(module, self.optimizer)
            self.step = resume.step
        self.clock = Clock(config, self.step)
        self.first_step = self.step
        self.last_loss = math.nan
        self.last_terms: dict[str, float] = {}
        self._bad_steps = 0

    def take_step(self) -> str:
        """Take one step; return a line for the log if something was out of the ordinary."""
        self.module.train()
        self._set_step_size()
        try:
            loss = self._backward(self.batches.draw().to(self.device))
        except torch.OutOfMemoryError:
            return self._shrink()
        self.step += 1
        self.last_loss = float(loss.total.detach())
        self.last_terms = {name: float(term.detach()) for name, term in loss.terms.items()}
        return self._check_finite()

    def _backward(self, batch: BatchT) -> StepLoss:
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, enabled=self.device.type == "cuda"):
            loss = self.loss(batch)
        if torch.isfinite(loss.total):
            self.scaler.scale(loss.total).backward()
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.module.parameters(), _LARGEST_GRADIENT)
            self.scaler.step(self.optimizer)
            self.scaler.update()
        return loss

    def _set_step_size(self) -> None:
        taken = self.step - self.first_step
        rise = min(1.0, (taken + 1) / _WARM_UP)
        fall = max(0.0, 1 - self.clock.progress(self.step))
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * rise * fall

    def _shrink(self) -> str:
        self.optimizer.zero_grad(set_to_none=True)
        if not self.batches.halve():
            raise InputError(
                f"{describe_device(self.device)} has too little memory for a single crop: choose "
                "a smaller network, a smaller working diameter or the CPU."
            )
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        return "Out of memory: the batches are half as large from here on."

    def _check_finite(self) -> str:
        if math.isfinite(self.last_loss):
            self._bad_steps = 0
            return ""
        self._bad_steps += 1
        if self._bad_steps >= 20:
            raise InputError(
                "Training diverged: the loss was not finite for 20 steps on end; lower the "
                "learning rate."
            )
        return "The loss was not finite: this step was left out."

    def measure(self, validate: Callable[[], float]) -> float:
        self.module.eval()
        with torch.inference_mode():
            return validate()

    def event(self, merit: float | None, message: str) -> TrainingEvent:
        share = min(1.0, self.clock.progress(self.step))
        return TrainingEvent(
            done=round(1000 * share),
            total=1000,
            message=message,
            step=self.step,
            loss=self.last_loss,
            terms=self.last_terms,
            validation=merit,
            device=describe_device(self.device),
        )

    def state(self, merit: float | None) -> TrainingState:
        return TrainingState.of(self.module, self.optimizer, self.step, merit)

    def restore(self, state: TrainingState) -> None:
        state.load_into(self.module, self.optimizer)
