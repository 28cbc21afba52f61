"""The jobs that pick a list of images: with a trained picker, or with a baseline."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, ImageSource, Picks, PicksTable
from napari_cryoml.jobs import Command, Event, InlinePool, Job, Outcome, Pool
from napari_cryoml.picking._baseline import BaselineConfig
from napari_cryoml.picking._config import PickerConfig
from napari_cryoml.picking._events import ImageDone, ImagePicked
from napari_cryoml.picking._image_work import (
    BaselineWork,
    ImageWork,
    NetworkWork,
    PickedImage,
    WithoutMap,
)
from napari_cryoml.picking._kept_picks import KeptPicks
from napari_cryoml.picking._picker import Picker
from napari_cryoml.picking._scoring import LOWEST_SCORE
from napari_cryoml.preprocess import PreprocessConfig, Preprocessor


@dataclass(frozen=True, slots=True)
class PickingPlan:
    """Where a list of images is picked, and what is kept of it.

    Parameters
    ----------
    pool : Pool, optional
        Workers; this process by default. It stays open.
    kept : KeptPicks, optional
        Where what is done is kept, so that the same run skips it another time.
    with_maps : bool, default True
        Whether events carry score maps: without them, much less comes back from workers.
    """

    pool: Pool | None = None
    kept: KeptPicks | None = None
    with_maps: bool = True


def pick_images(
    images: Sequence[ImageSource],
    model: str | Path,
    *,
    threshold: float | None = LOWEST_SCORE,
    device: str = "auto",
    plan: PickingPlan | None = None,
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
    plan : PickingPlan, optional
        Workers, and where what is done is kept.

    Yields
    ------
    ImagePicked
        One an image, an `ImageDone` where maps are left out; an `Event` with a message for an
        image that had to be left out.

    Returns
    -------
    PicksTable
        Of the images done; a stopped job returns what it has.

    Raises
    ------
    InputError
        If the model cannot be read, or no image at all can be picked.
    """
    path = Path(model)
    picker = Picker.load(path)
    least = picker.threshold if threshold is None else threshold
    return (yield from pick_each(images, NetworkWork(path, least, device), plan))


def pick_with_baseline(
    images: Sequence[ImageSource],
    baseline: BaselineConfig,
    config: PickerConfig,
    *,
    labels: Mapping[str, Annotations] | None = None,
    plan: PickingPlan | None = None,
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
    plan : PickingPlan, optional
        Workers, and where what is done is kept.

    Yields
    ------
    ImagePicked
        One an image, an `ImageDone` where maps are left out; an `Event` with a message for an
        image that had to be left out.

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
    return (yield from pick_each(images, BaselineWork(picker, config), plan))


def pick_each(
    images: Sequence[ImageSource], work: ImageWork, plan: PickingPlan | None = None
) -> Generator[Event, Command | None, PicksTable]:
    """Pick image by image; one that cannot be used is left out and said."""
    plan = plan or PickingPlan()
    done: list[Picks] = []
    refused = ""
    with closing(outcomes_of(images, work, plan)) as outcomes:
        for index, (image, outcome) in enumerate(outcomes, start=1):
            if outcome.value is None:
                refused = outcome.error or ""
            else:
                done.append(outcome.value.picks)
            if (yield event_of(image, outcome, index, len(images))) is Command.STOP:
                break
    if refused and not done:
        raise InputError(refused)
    return PicksTable.of(done)


def event_of(image: ImageSource, outcome: Outcome[PickedImage], index: int, total: int) -> Event:
    """Return what is told of an image: what was found in it, or why it was left out."""
    found = outcome.value
    if found is None:
        return Event(done=index, total=total, message=f"Left out: {outcome.error}")
    said = ImageDone(
        done=index,
        total=total,
        message=f"{image.name}: {len(found.picks)} picks.",
        image=image.name,
        picks=found.picks,
        device=found.device,
        seconds=found.seconds,
    )
    if found.score_map is None:
        return said
    told = {entry.name: getattr(said, entry.name) for entry in fields(said)}
    return ImagePicked(**told, score_map=found.score_map)


def outcomes_of(
    images: Sequence[ImageSource], work: ImageWork, plan: PickingPlan
) -> Generator[tuple[ImageSource, Outcome[PickedImage]], None, None]:
    """Yield what has become of each image in order: from what is kept, or by the pool."""
    if not plan.with_maps:
        work = WithoutMap(work)
    if plan.kept is None:
        made = (plan.pool or InlinePool()).outcomes(work, images)
        with closing(made):
            yield from zip(images, made, strict=True)
        return
    digest = work.digest()
    is_kept = [plan.kept.has(image, digest) for image in images]
    missing = [image for image, known in zip(images, is_kept, strict=True) if not known]
    made = (plan.pool or InlinePool()).outcomes(work, missing)
    with closing(made):
        for image, known in zip(images, is_kept, strict=True):
            outcome = _read_again(image, work, plan, digest) if known else next(made)
            if outcome.value is not None and not known:
                plan.kept.keep(image, digest, outcome.value)
            yield image, outcome


def _read_again(
    image: ImageSource, work: ImageWork, plan: PickingPlan, digest: str
) -> Outcome[PickedImage]:
    """Return what is kept of an image; a file that is damaged is made again, here."""
    kept = plan.kept
    found = None if kept is None else kept.read(image, digest, with_map=plan.with_maps)
    return Outcome(0, found) if found else next(InlinePool().outcomes(work, [image]))
