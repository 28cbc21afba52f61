"""The jobs that pick a list of images: with a trained picker, or with a baseline."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, ImageSource, Picks, PicksTable, ScoreMap
from napari_cryoml.jobs import Command, Event, Job
from napari_cryoml.picking._baseline import BaselineConfig
from napari_cryoml.picking._config import PickerConfig
from napari_cryoml.picking._events import ImagePicked
from napari_cryoml.picking._picker import Picker
from napari_cryoml.picking._scoring import LOWEST_SCORE, picks_from_map
from napari_cryoml.preprocess import PreprocessConfig, Preprocessor
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
    least = picker.threshold if threshold is None else threshold

    def pick(image: ImageSource) -> tuple[ScoreMap, Picks]:
        score_map = picker.score(image, device=where)
        diameter, separation = picker.diameter_in(image), picker.config.separation
        return score_map, picks_from_map(score_map, image, diameter, separation, least)

    return (yield from pick_each(images, pick, describe_device(where)))


def pick_with_baseline(
    images: Sequence[ImageSource],
    baseline: BaselineConfig,
    config: PickerConfig,
    *,
    labels: Mapping[str, Annotations] | None = None,
) -> Job[PicksTable]:
    """Pick images without training: by a blob filter, or by the average of labelled particles.

    The scores of a baseline are no log-odds, so the best ones of each image are kept, as many as
    it is expected to hold. A baseline with a threshold of its own decides by that, unless their
    number is given.

    Parameters
    ----------
    images : sequence of ImageSource
    baseline : BaselineConfig
    config : PickerConfig
        Diameter, normalisation, separation and expected particles; the rest is not used.
    labels : mapping of str to Annotations, optional
        Labelled particles by image, which template matching needs.

    Yields
    ------
    ImagePicked
        One an image; an `Event` with a message for an image that had to be left out.

    Returns
    -------
    PicksTable

    Raises
    ------
    InputError
        If the baseline needs labels and there are none, or no image at all can be picked.
    """
    yield Event(done=0, total=len(images), message="Learning the grey values of the images.")
    working = PreprocessConfig(normalisation=config.normalisation)
    preprocessor = Preprocessor.fit(images, config.diameter, working, seed=config.training.seed)
    picker = baseline.build(preprocessor, images, labels)

    def pick(image: ImageSource) -> tuple[ScoreMap, Picks]:
        score_map = picker.score(image)
        if config.particles_per_image is None and picker.least_score > -math.inf:
            return score_map, picker.peaks(score_map, image, config.separation, picker.least_score)
        found = picker.peaks(score_map, image, config.separation)
        return score_map, found.take(slice(round(config.expected_particles(image.shape))))

    return (yield from pick_each(images, pick, "CPU"))


def pick_each(
    images: Sequence[ImageSource], pick: Callable[[ImageSource], tuple[ScoreMap, Picks]], where: str
) -> Generator[Event, Command | None, PicksTable]:
    """Pick image by image; one that cannot be used is left out and said."""
    done: list[Picks] = []
    refused = ""
    for index, image in enumerate(images, start=1):
        event: Event
        try:
            score_map, picks = pick(image)
        except InputError as error:
            refused = str(error)
            event = Event(done=index, total=len(images), message=f"Left out: {refused}")
        else:
            done.append(picks)
            event = ImagePicked(
                done=index,
                total=len(images),
                message=f"{image.name}: {len(picks)} picks.",
                image=image.name,
                picks=picks,
                score_map=score_map,
                device=where,
            )
        if (yield event) is Command.STOP:
            break
    if refused and not done:
        raise InputError(refused)
    return PicksTable.of(done)
