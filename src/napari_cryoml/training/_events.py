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
    """

    step: int
    loss: float
    terms: dict[str, float] = field(default_factory=dict)
    validation: float | None = None
    device: str = ""
