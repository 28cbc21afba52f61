"""How far a run has come, and when the next validation is due."""

from __future__ import annotations

import math
import time

from napari_cryoml._errors import InputError
from napari_cryoml.training._run_plan import RunPlan


class Clock:
    """How much of a run's budget of time and steps is used.

    Parameters
    ----------
    plan : RunPlan
    first_step : int
        Steps taken before the run.

    Raises
    ------
    InputError
        If the plan has no end.
    """

    def __init__(self, plan: RunPlan, first_step: int) -> None:
        if plan.minutes is None and plan.steps is None:
            raise InputError("A training run needs an end: give minutes, steps or both.")
        self._seconds = math.inf if plan.minutes is None else 60 * plan.minutes
        self._first, self._share = first_step, 0.0
        self._steps = math.inf if plan.steps is None else plan.steps
        self.start = time.monotonic()
        self._begin_interval(plan, first_step)

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.start

    def progress(self, step: int) -> float:
        """Return the used share of the budget, 1 or more at the end."""
        steps = self._share + (step - self._first) / self._steps
        return max(self.elapsed / self._seconds, steps)

    def change(self, plan: RunPlan, step: int) -> None:
        """Go by another plan from here on; the share of the run that is over stays as it is."""
        self._share += (step - self._first) / self._steps
        self._first = step
        self._steps = math.inf if plan.steps is None else plan.steps

    def is_due(self, plan: RunPlan, step: int) -> bool:
        """Return whether it is time to validate; if so, the next interval begins."""
        if self.elapsed < self._next_seconds and step < self._next_step:
            return False
        self._begin_interval(plan, step)
        return True

    def _begin_interval(self, plan: RunPlan, step: int) -> None:
        self._next_seconds = self.elapsed + (plan.validate_seconds or math.inf)
        self._next_step = step + (plan.validate_steps or math.inf)
