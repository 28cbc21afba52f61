"""The jobs the Picker starts in a child process; importing them needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, ImageSource
from napari_cryoml.jobs import Event, Job

_MOST_BLOBS = 1000
"""Blobs kept of an image, those below the threshold counted in."""

if TYPE_CHECKING:
    from napari_cryoml.picking import PickerConfig
    from napari_cryoml.picking.live import LiveConfig, LiveService


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
    images: Sequence[ImageSource], labels: Mapping[str, Annotations], config: LiveConfig
) -> Job[None]:
    """Pick images with what live picking learns from the labels."""
    from napari_cryoml.features import user_cache_folder
    from napari_cryoml.picking.live import pick_live

    yield from pick_live(images, labels, config, folder=user_cache_folder())


def pick_blobs(images: Sequence[ImageSource], config: PickerConfig) -> Job[None]:
    """Pick the strongest blobs of the diameter; 0 is the score of the published threshold."""
    from napari_cryoml.picking import DogConfig, pick_with_baseline

    blobs = DogConfig(ratio=1.1, level=3, contrast="auto")
    config = config.model_copy(update={"particles_per_image": _MOST_BLOBS})
    yield from pick_with_baseline(images, blobs, config)


def pick(images: Sequence[ImageSource], model: Path, *, device: str) -> Job[None]:
    """Pick images with a trained model; what is found leaves with the events."""
    from napari_cryoml.picking import pick_images

    yield from pick_images(images, model, device=device)
