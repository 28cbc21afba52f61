"""The job that picks a list of images with a trained picker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari_cryoml._errors import InputError
from napari_cryoml.data import ImageSource, Picks, PicksTable
from napari_cryoml.jobs import Command, Event, Job
from napari_cryoml.picking._events import ImagePicked
from napari_cryoml.picking._picker import Picker
from napari_cryoml.picking._scoring import LOWEST_SCORE, picks_from_map
from napari_cryoml.training import choose_device, describe_device


def pick_images(
    images: Sequence[ImageSource],
    model: str | Path,
    *,
    threshold: float | None = LOWEST_SCORE,
    device: str = "auto",
) -> Job[PicksTable]:
    """Score images and pick their peaks.

    Parameters
    ----------
    images : sequence of ImageSource
    model : path
        The file that training wrote.
    threshold : float or None, default -6
        Least score (log-odds) of a pick; None for the one that training proposed.
    device : str, default "auto"

    Yields
    ------
    ImagePicked
        One an image; an `Event` with a message for an image that had to be left out.

    Returns
    -------
    PicksTable
        Of the images done; a stopped job returns what it has.

    Raises
    ------
    InputError
        If the model cannot be read, or no image at all can be picked.
    """
    picker = Picker.load(model)
    where = choose_device(device)
    picker.detector.to(where)
    done: list[Picks] = []
    least = picker.threshold if threshold is None else threshold
    refused = ""
    for index, image in enumerate(images):
        event: Event
        try:
            score_map = picker.score(image, device=where)
        except InputError as error:
            refused = str(error)
            event = Event(done=index + 1, total=len(images), message=f"Left out: {refused}")
        else:
            picks = picks_from_map(
                score_map, image, picker.diameter_in(image), picker.config.separation, least
            )
            done.append(picks)
            event = ImagePicked(
                done=index + 1,
                total=len(images),
                message=f"{image.name}: {len(picks)} picks.",
                image=image.name,
                picks=picks,
                score_map=score_map,
                device=describe_device(where),
            )
        if (yield event) is Command.STOP:
            break
    if refused and not done:
        raise InputError(refused)
    return PicksTable.of(done)
