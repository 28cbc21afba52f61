"""The job that picks a list of images from labels, without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from napari_cryoml.data import Annotations, ImageSource, Picks, PicksTable, ScoreMap
from napari_cryoml.features import FeatureCache
from napari_cryoml.jobs import Event, Job
from napari_cryoml.picking._pick import pick_each
from napari_cryoml.picking.live._config import LiveConfig
from napari_cryoml.picking.live._engine import LivePicker
from napari_cryoml.training import choose_device, describe_device


def pick_live(
    images: Sequence[ImageSource],
    labels: Mapping[str, Annotations],
    config: LiveConfig,
    *,
    labelled: Sequence[ImageSource] = (),
    folder: Path | None = None,
) -> Job[PicksTable]:
    """Fit the live picker to labels, and pick images.

    Parameters
    ----------
    images : sequence of ImageSource
        To be picked.
    labels : mapping of str to Annotations
        By the name of the image, in pixels of the image.
    config : LiveConfig
    labelled : sequence of ImageSource, optional
        Labelled images that are not among `images`.
    folder : Path, optional
        Where features are kept on disk.

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
        If nothing is labelled, a labelled image cannot be used, or no image at all can be picked.
    """
    yield Event(done=0, total=len(images), message="Learning from the labels.")
    picker = LivePicker.of([*labelled, *images], FeatureCache(folder=folder))
    model = picker.fit(labels, config)

    def pick(image: ImageSource) -> tuple[ScoreMap, Picks]:
        return model.pick(image, picker.features(image.name, config))

    where = describe_device(choose_device(config.device))
    return (yield from pick_each(images, pick, where))
