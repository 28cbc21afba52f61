"""What a training run says; importing it needs no torch, nor does unpickling."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_cryoml.jobs import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingEvent(Event):
    """What a training run says after a step.

    Parameters
    ----------
    step : int
        Steps taken since training began, resumed runs included.
    loss : float
        What was minimised in this step.
    terms : dict of str to float
        The parts of the loss, for the log.
    validation : float or None
        The figure of merit, on the steps where it was measured (larger is better).
    device : str
        Where the run takes place, in a user's words.
    epoch : float or None
        Passes over the data so far; None where they are not counted. 0 is before the first step.
    figures : dict of str to float
        Whatever else was measured, on the steps where it was: accuracy, functional scores.
    stage : str
        Name of the part of a longer run that it belongs to; empty if there is only one.
    """

    step: int
    loss: float
    terms: dict[str, float] = field(default_factory=dict)
    validation: float | None = None
    device: str = ""
    epoch: float | None = None
    figures: dict[str, float] = field(default_factory=dict)
    stage: str = ""
