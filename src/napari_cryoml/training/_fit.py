"""The one training loop."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, Self, TypeVar

import torch
from torch import nn

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.jobs import Command
from napari_cryoml.training._clock import Clock
from napari_cryoml.training._descent import Descent, StepLoss
from napari_cryoml.training._device import describe_device
from napari_cryoml.training._events import TrainingEvent
from napari_cryoml.training._optimizer_config import OptimizerConfig
from napari_cryoml.training._run_plan import Plannable, Precision, RunPlan
from napari_cryoml.training._state import TrainingState
from napari_cryoml.training._team import Team, TeamLostError, Turn, present_team
from napari_cryoml.training._team_step import check_shared, share_of


class Batch(Protocol):
    """What a sampler draws and a loss takes; a team also asks for its length and a part of it."""

    def to(self, device: torch.device) -> Self:
        """Return the batch on `device`."""
        ...


BatchT = TypeVar("BatchT", bound=Batch)
DrawnT = TypeVar("DrawnT", bound=Batch, covariant=True)


class BatchSource(Protocol[DrawnT]):
    """Draws batches, and draws smaller ones once memory has run out.

    A source that goes through its data in epochs says in `steps_per_epoch` how many batches hold
    all of it.
    """

    def draw(self) -> DrawnT:
        """Return the next batch."""
        ...

    def halve(self) -> bool:
        """Halve the batches from now on; False if they are as small as they get."""
        ...


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found when a run was measured.

    Parameters
    ----------
    merit : float or None
        The figure of merit, larger is better; None where there is none to choose by.
    figures : mapping of str to float
        Whatever else is worth telling.
    """

    merit: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)


def fit(
    module: nn.Module,
    loss: Callable[[BatchT], StepLoss],
    batches: BatchSource[BatchT],
    config: Plannable,
    *,
    device: torch.device,
    validate: Callable[[], float | Measured] | None = None,
    select: bool = True,
    from_start: bool = False,
    resume: TrainingState | None = None,
    optimizer: OptimizerConfig | None = None,
    precision: Precision | None = None,
) -> Generator[TrainingEvent, Command | None, TrainingState]:
    """Train a module; every objective goes through here.

    In a team (see `on_devices`), all processes call this alike. Each draws the same batch and
    computes its share of it; the leader alone measures, and says when the run ends.

    Parameters
    ----------
    module : nn.Module
        Everything with weights that the loss uses. Trained in place, on `device`.
    loss : callable
        Takes a batch on the device; returns `total` (minimised) and `terms` (logged).
    batches : BatchSource
    config : TrainingConfig or CropTrainingConfig
        Length, step size, patience; "auto" steps are no limit here (see
        `TrainingConfig.for_labels`).
    device : torch.device
    validate : callable, optional
        Returns a figure of merit, larger is better, or more; called now and then in evaluation
        mode.
    select : bool, default True
        Keep the weights of the best validation and stop when it no longer rises; False to keep
        the last weights and go on to the end.
    from_start : bool, default False
        Measure and tell before the first step too; these weights are never the best.
    resume : TrainingState, optional
        Go on from here: weights, optimiser and step count.
    optimizer : OptimizerConfig, optional
        Instead of that of `config`.
    precision : {"auto", "float32", "bfloat16", "float16 on CUDA"}, optional
        Instead of that of `config`.

    Yields
    ------
    TrainingEvent
        One a step, and one before and after all of them where they were measured there.

    Returns
    -------
    TrainingState
        Of the weights that were kept; `module` holds them too.

    Raises
    ------
    InputError
        If the loss is not finite for many steps on end, or memory is short for one crop.
    """
    changes = {"optimizer": optimizer, "precision": precision}
    run = _Run(module, loss, batches, _planner(config, changes), device, resume)
    best, stale, stopped = None, 0, False
    found: Measured | None
    if not run.leads:
        validate = None
    if from_start and validate is not None:
        found = run.measure(validate)
        stopped = (yield run.event(found, "")) is Command.STOP
    while run.goes_on(stopped, stale):
        message = run.take_step()
        found = None
        if validate is not None and run.clock.is_due(run.plan, run.step):
            found = run.measure(validate)
            if select:
                best, stale = _better(best, run, found, stale)
        stopped = (yield run.event(found, message)) is Command.STOP
    if validate is not None and run.measured_at != run.step:
        found = run.measure(validate)
        if select:
            best, _ = _better(best, run, found, stale)
        yield run.event(found, "")
    if best is not None:
        run.restore(best)
    module.eval()
    return run.outcome(best)


def _better(
    best: TrainingState | None, run: _Run[BatchT], found: Measured, stale: int
) -> tuple[TrainingState | None, int]:
    """Return the better of the best state and the present one, and validations since it."""
    if found.merit is None:
        raise TypeError("a run that chooses the best weights was measured without a merit")
    if best is None or best.validation is None or found.merit > best.validation:
        return run.state(found.merit), 0
    return best, stale + 1


def _planner(
    config: Plannable, changes: Mapping[str, object]
) -> Callable[[BatchSource[BatchT]], RunPlan]:
    """Return what plans a run with the present size of batches."""
    given: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}

    def plan(batches: BatchSource[BatchT]) -> RunPlan:
        return replace(config.plan(getattr(batches, "steps_per_epoch", None)), **given)

    return plan


class _Run(Generic[BatchT]):
    """The moving parts of one call of `fit`."""

    def __init__(
        self,
        module: nn.Module,
        loss: Callable[[BatchT], StepLoss],
        batches: BatchSource[BatchT],
        planner: Callable[[BatchSource[BatchT]], RunPlan],
        device: torch.device,
        resume: TrainingState | None,
    ) -> None:
        self.module, self.loss, self.batches, self.device = module, loss, batches, device
        self._planner, self.plan = planner, planner(batches)
        self._team = present_team()
        if self._team is not None:
            check_shared(loss)
        self.descent = Descent(module, self.plan.optimizer, self.plan.precision, device, self._team)
        self.step = 0
        if resume is not None:
            self.restore(resume)
            self.step = resume.step
        self.clock = Clock(self.plan, self.step)
        self.first_step = self.step
        self.measured_at = -1
        self.last_loss = math.nan
        self.last_terms: dict[str, float] = {}
        self._bad_steps = 0
        self._turn: Turn | None = None
        self._news = ""

    @property
    def leads(self) -> bool:
        """Whether this process measures: alone, or the leader of a team."""
        return self._team is None or self._team.leads

    def goes_on(self, stopped: bool, stale: int) -> bool:
        """Return whether a step follows, or a last event; the others of a team are told."""
        progress = self.clock.progress(self.step)
        goes_on = not stopped and progress < 1 and stale < self.plan.patience
        if self._team is None or (stopped and not self.leads):
            return goes_on
        try:
            if self._turn is None:
                self._team.same_weights(self.module)
            self._turn = self._team.agree(Turn(goes_on, stopped, progress) if self.leads else None)
        except TeamLostError:
            self._news = self._leave_team()
            return not stopped
        if self._turn.stopped and not self.leads:
            self._team.must_stop = True  # whoever runs this job learns of it at the next event
            return True
        return self._turn.goes_on

    def take_step(self) -> str:
        """Take one step; return a line for the log if something was out of the ordinary."""
        if self._news or (self._turn is not None and not self._turn.goes_on):
            said, self._news = self._news, ""
            return said
        try:
            batch = self._draw()
            # Drawing may ask the module for pseudo-labels in evaluation mode.
            self.module.train()
            progress = self.clock.progress(self.step)
            if self._turn is not None:
                progress = self._turn.progress
            self.descent.set_rate(self.step - self.first_step, progress)
            loss = self.descent.take(self.loss, batch)
        except torch.OutOfMemoryError:
            return self._shrink()
        except TeamLostError:
            return self._leave_team()
        self.step += 1
        self.last_loss = float(loss.total.detach())
        self.last_terms = {name: float(term.detach()) for name, term in loss.terms.items()}
        return self._check_finite()

    def _draw(self) -> BatchT:
        batch = self.batches.draw()
        if self._team is not None:
            batch = share_of(batch, self._team)
        return batch.to(self.device)

    def _leave_team(self) -> str:
        """Be alone from here on; return why. Followers end with their leader."""
        team, self._team, self._turn = self._team, None, None
        self.descent.forget_gradients()
        self.descent.leave_team()
        if team is None:
            raise TypeError("a process that is alone cannot leave its team")
        team.must_stop = True
        if not team.leads:
            raise InputError("The first process of this run has ended, and so does this one.")
        said = f"{team.reason()} Training stops here; what was learnt is kept."
        warnings.warn(said, InputWarning, stacklevel=2)  # a bar shows the event for a moment only
        return said

    def _shrink(self) -> str:
        self.descent.forget_gradients()
        if self._team is not None:
            raise InputError(
                f"{describe_device(self.device)} has too little memory for its share of a step: "
                "take smaller batches."
            )
        if not self.batches.halve():
            raise InputError(
                f"{describe_device(self.device)} has too little memory for a single crop: choose "
                "a smaller network, a smaller working diameter or the CPU."
            )
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        self.plan = self._planner(self.batches)
        self.clock.change(self.plan, self.step)
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

    def measure(self, validate: Callable[[], float | Measured]) -> Measured:
        self.module.eval()
        with torch.inference_mode():
            found = validate()
        self.measured_at = self.step
        return found if isinstance(found, Measured) else Measured(found)

    def event(self, found: Measured | None, message: str) -> TrainingEvent:
        share = min(1.0, self.clock.progress(self.step))
        per_epoch = getattr(self.batches, "steps_per_epoch", None)
        return TrainingEvent(
            done=round(1000 * share),
            total=1000,
            message=message,
            step=self.step,
            loss=self.last_loss,
            terms=self.last_terms,
            validation=None if found is None else found.merit,
            device=self._where(),
            epoch=None if per_epoch is None else self.step / per_epoch,
            figures={} if found is None else dict(found.figures),
        )

    def _where(self) -> str:
        """Return where the run takes place, in a user's words."""
        device = describe_device(self.device)
        return device if self._team is None else f"{self._team.size} × {device}"

    def state(self, merit: float | None) -> TrainingState:
        return TrainingState.of(self.module, self.descent.optimizer, self.step, merit)

    def restore(self, state: TrainingState) -> None:
        state.load_into(self.module, self.descent.optimizer)

    def outcome(self, best: TrainingState | None) -> TrainingState:
        """Return what was kept: the best state, which the module holds, or the present one."""
        state = best or self.state(None)
        if self._team is None:
            return state
        try:
            return self._team_outcome(self._team, state)
        except TeamLostError:
            return state

    def _team_outcome(self, team: Team, state: TrainingState) -> TrainingState:
        """Let the others of the team go on with what the leader has kept."""
        merit = math.nan if state.validation is None else state.validation
        figures = torch.tensor([state.step, merit], dtype=torch.float64)
        step, merit = team.same_figures(figures).tolist()
        team.same_weights(self.module)
        if team.leads:
            return state
        known = None if math.isnan(merit) else merit
        return TrainingState.of(self.module, self.descent.optimizer, int(step), known)
