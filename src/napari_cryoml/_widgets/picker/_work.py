"""The jobs the Picker starts in a child process, in events that need no torch to be read."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cryoml.data import Annotations, ImageSource, Picks, ScoreMap
from napari_cryoml.jobs import Command, Event, Job

if TYPE_CHECKING:
    from napari_cryoml.picking import PickerConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingStep(Event):
    """A step of training.

    Parameters
    ----------
    step : int
    loss : float
    validation : float or None
        Validation AP, on the steps where it was measured.
    device : str
        Where it takes place, in a user's words.
    """

    step: int
    loss: float
    validation: float | None = None
    device: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageDone(Event):
    """An image was picked: its picks by falling score, and their heat map."""

    image: str
    picks: Picks
    score_map: ScoreMap
    device: str = ""


def train(
    images: Sequence[ImageSource],
    labels: Mapping[str, Annotations],
    config: PickerConfig,
    *,
    out: Path,
    start: Path | None,
    preview: ImageSource,
) -> Job[Path]:
    """Train a picker, then pick the image the user is looking at."""
    from napari_cryoml.picking import pick_images, train_picker

    job = train_picker(images, labels, config, out=out, start=start)
    model: Path = yield from translated(job)
    yield from translated(pick_images([preview], model, device=config.device))
    return model


def pick(images: Sequence[ImageSource], model: Path, *, device: str) -> Job[None]:
    """Pick images with a trained model."""
    from napari_cryoml.picking import pick_images

    yield from translated(pick_images(images, model, device=device))


def translated(job: Job[Any]) -> Generator[Event, Command | None, Any]:
    """Run `job` with its events in the words of this module.

    The events of training and picking are defined beside torch; reading one of them in the GUI's
    process would import it there and hold up the screen for seconds.
    """
    command: Command | None = None
    while True:
        try:
            event = job.send(command)
        except StopIteration as end:
            return end.value
        command = yield _translate(event)


def _translate(event: Any) -> Event:
    common = {"done": event.done, "total": event.total, "message": event.message}
    device = getattr(event, "device", "")
    if hasattr(event, "score_map"):
        return ImageDone(
            image=event.image,
            picks=event.picks,
            score_map=event.score_map,
            device=device,
            **common,
        )
    if hasattr(event, "loss"):
        return TrainingStep(
            step=event.step,
            loss=float(event.loss),
            validation=event.validation,
            device=device,
            **common,
        )
    return Event(**common)
