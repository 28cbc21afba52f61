"""The jobs the Picker starts in a child process; importing them needs no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, ImageSource
from napari_cryoml.jobs import ClusterConfig, Command, Event, Job, look_at_cluster, open_pool

_MOST_BLOBS = 1000
"""Blobs kept of an image, those below the threshold counted in."""

if TYPE_CHECKING:
    from napari_cryoml.picking import PickerConfig, PickingPlan
    from napari_cryoml.picking.live import LiveConfig, LiveService


DoneT = TypeVar("DoneT")


def look_at_workers(cluster: ClusterConfig) -> Job[str]:
    """Return a sentence on the workers that are there."""
    where = cluster.scheduler or f"{cluster.workers} processes"
    yield Event(done=0, total=0, message=f"Looking at {where}…")
    return look_at_cluster(cluster).sentence()


def train(
    images: Sequence[ImageSource],
    labels: Mapping[str, Annotations],
    config: PickerConfig,
    *,
    out: Path,
    start: Path | None,
    preview: ImageSource,
    live: LiveConfig | None = None,
) -> Job[Path]:
    """Train a picker, and pick the image the user looks at: as it goes, and with what is kept.

    With `live`, live picking is measured on the labels that validation has held out.
    """
    from napari_cryoml.features import user_cache_folder
    from napari_cryoml.picking import pick_images, train_picker

    model = yield from train_picker(
        images,
        labels,
        config,
        out=out,
        start=start,
        preview=preview,
        live=live,
        folder=user_cache_folder(),
    )
    try:
        yield from pick_images([preview], model, device=config.device)
    except InputError as error:
        yield Event(done=1, total=1, message=str(error))
    return model


def live_service(images: Sequence[ImageSource]) -> LiveService:
    """Make the service behind live picking; it runs in a child process."""
    from napari_cryoml.features import user_cache_folder
    from napari_cryoml.picking.live import LiveService

    return LiveService(images, user_cache_folder())


def pick_live(
    images: Sequence[ImageSource],
    labels: Mapping[str, Annotations],
    config: LiveConfig,
    cluster: ClusterConfig | None = None,
) -> Job[None]:
    """Pick images with what live picking learns from the labels."""
    from napari_cryoml.features import user_cache_folder
    from napari_cryoml.picking.live import pick_live

    folder = user_cache_folder()
    yield from _spread(
        lambda plan: pick_live(images, labels, config, folder=folder, plan=plan), cluster
    )


def pick_blobs(
    images: Sequence[ImageSource], config: PickerConfig, cluster: ClusterConfig | None = None
) -> Job[None]:
    """Pick the strongest blobs of the diameter; 0 is the score of the published threshold."""
    from napari_cryoml.picking import DogConfig, pick_with_baseline

    blobs = DogConfig(ratio=1.1, level=3, contrast="auto")
    config = config.model_copy(update={"particles_per_image": _MOST_BLOBS})
    yield from _spread(lambda plan: pick_with_baseline(images, blobs, config, plan=plan), cluster)


def pick(
    images: Sequence[ImageSource],
    model: Path,
    *,
    device: str,
    cluster: ClusterConfig | None = None,
) -> Job[None]:
    """Pick images with a trained model; what is found leaves with the events."""
    from napari_cryoml.picking import pick_images

    yield from _spread(lambda plan: pick_images(images, model, device=device, plan=plan), cluster)


def _spread(
    make: Callable[[PickingPlan], Job[DoneT]], cluster: ClusterConfig | None
) -> Job[DoneT | None]:
    """Carry out a job of picking by the workers there are, or in this process."""
    from napari_cryoml.picking import PickingPlan

    wanted = cluster is not None and cluster.is_wanted
    looking = Event(done=0, total=0, message="Looking for the workers.")
    if wanted and (yield looking) is Command.STOP:
        return None
    with open_pool(cluster) as pool:
        found = Event(done=0, total=0, message=f"{pool.where}.")
        if wanted and (yield found) is Command.STOP:
            return None
        return (yield from make(PickingPlan(pool)))
