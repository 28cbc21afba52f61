"""The stages of a training run, told as one run."""

from __future__ import annotations

from dataclasses import dataclass, replace

from napari_cryoml.training import TrainingEvent

_TOTAL = 1000


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a run.

    Parameters
    ----------
    name : str
        In a user's words.
    start, share : float
        Where in the whole run it begins, and how much of it it takes, 0 to 1.
    epochs, steps_per_epoch : int
        Its length, if nothing ends it earlier.
    """

    name: str
    start: float
    share: float
    epochs: int
    steps_per_epoch: int

    def tell(self, event: TrainingEvent) -> TrainingEvent:
        """Return an event of the stage as one of the whole run."""
        done = self.start + self.share * (event.done / event.total if event.total else 0.0)
        epoch = min((max(event.step, 1) - 1) // self.steps_per_epoch + 1, self.epochs)
        words = [f"{self.name}: epoch {epoch} of {self.epochs}", f"loss {event.loss:.3g}"]
        if not event.step:
            words = [f"{self.name}: before the first epoch"]
        if event.validation is not None:
            words.append(f"validation {event.validation:.3g}")
        words += [f"{name} {value:.3g}" for name, value in event.figures.items() if name != "loss"]
        message = ", ".join(words) + (f"; {event.message}" if event.message else "")
        return replace(
            event, done=round(_TOTAL * done), total=_TOTAL, message=message, stage=self.name
        )
