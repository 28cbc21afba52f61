"""What `fit` needs to know of a run, whatever is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from napari_cryoml.training._optimizer_config import OptimizerConfig

ChosenPrecision = Literal["auto", "float32", "bfloat16"]
Precision = Literal["auto", "float32", "bfloat16", "float16 on CUDA"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """Length, step size and precision of one run.

    Parameters
    ----------
    minutes, steps : number or None
        When the run ends, whichever comes first; None for no such limit.
    validate_seconds, validate_steps : number or None
        How long it trains between two validations, whichever comes first.
    patience : int
        Validations without a better figure of merit after which it ends.
    optimizer : OptimizerConfig
    precision : str
        See `autocast_dtype`.
    """

    minutes: float | None
    steps: int | None
    validate_seconds: float | None
    validate_steps: int | None
    patience: int
    optimizer: OptimizerConfig
    precision: Precision


class Plannable(Protocol):
    """Options of a training run, of whatever kind."""

    def plan(self, steps_per_epoch: int | None) -> RunPlan:
        """Return the run they describe.

        Parameters
        ----------
        steps_per_epoch : int or None
            Batches that hold all of the data; None if batches are drawn without end.
        """
        ...
