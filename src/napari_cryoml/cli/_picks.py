"""What comes out of picking a list of images: where it goes, and what is told of it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.cli._options import check_folder, check_output
from napari_cryoml.cli._output import say
from napari_cryoml.data import ImageSource, Picks, PicksTable
from napari_cryoml.jobs import Event
from napari_cryoml.picking import ImageDone, ImagePicked


class PickedImages:
    """Collects what a picking job says, and writes heat maps as they come.

    Parameters
    ----------
    images : sequence of ImageSource
    heatmaps : path or None
        Folder of the heat maps, if they are wanted.

    Raises
    ------
    InputError
        If two heat maps would have one name, or the folder cannot be written to.
    """

    def __init__(self, images: Sequence[ImageSource], heatmaps: Path | None) -> None:
        self._heatmaps = heatmaps
        self._counts: dict[str, int] = {}
        self._left_out: list[str] = []
        self._device = ""
        if heatmaps is not None:
            check_folder(heatmaps)
            _check_heatmap_names(images)

    def take(self, event: Event) -> None:
        """Note one event of the job."""
        if not isinstance(event, ImageDone):
            if event.done:  # before the first image, a job says what it prepares
                self._left_out.append(event.message)
            return
        self._counts[event.image] = len(event.picks)
        self._device = event.device
        if self._heatmaps is not None and isinstance(event, ImagePicked):
            self._write(event, self._heatmaps)

    def _write(self, event: ImagePicked, folder: Path) -> None:
        try:
            write_heatmap(event, folder)
        except InputError as error:
            # The picks of all images are worth more than the maps of the rest.
            warnings.warn(f"No more heat maps: {error}", InputWarning, stacklevel=2)
            self._heatmaps = None

    def tell(self) -> None:
        """Print which images were left out, and why."""
        for sentence in self._left_out:
            say(sentence)

    def figures(self) -> dict[str, Any]:
        """Return numbers of picks by image, where it was done, and what was left out."""
        figures: dict[str, Any] = {"images": self._counts, "device": self._device}
        return figures | ({"left_out": self._left_out} if self._left_out else {})


def write_heatmap(event: ImagePicked, folder: Path) -> None:
    """Write the score map of an image as MRC, with the pixel size of its own grid."""
    from napari_cryoml.io import write_mrc

    folder.mkdir(parents=True, exist_ok=True)
    size, step = event.picks.pixel_size, float(event.score_map.scale.mean())
    path = folder / _heatmap_name(event.image)
    write_mrc(path, event.score_map.values, size * step if size else None)


def _heatmap_name(image: str) -> str:
    """Return ``a_scores.mrc`` for ``a.mrc``, and ``stack_3_scores.mrc`` for ``stack.mrcs#3``."""
    name, _, index = image.partition("#")
    return "_".join([Path(name).stem, *([index] if index else []), "scores.mrc"])


def _check_heatmap_names(images: Sequence[ImageSource]) -> None:
    first: dict[str, str] = {}
    for image in images:
        other = first.setdefault(_heatmap_name(image.name), image.name)
        if other != image.name:
            raise InputError(
                f"The heat maps of {other!r} and {image.name!r} would have one name: rename one "
                "of the images, or pick them into two folders."
            )


def check_picks_output(out: Path, images: Sequence[ImageSource]) -> None:
    """Write one pick an image beside `out`, so that no work is lost at the end.

    Raises
    ------
    InputError
        If the format is not known, or cannot hold picks of these images.
    """
    from napari_cryoml.io import write_picks

    check_output(out)
    score = np.zeros(1, np.float32)
    table = PicksTable.of(
        Picks(image.name, np.zeros((1, len(image.shape))), score, image.pixel_size, 1.0)
        for image in images
    )
    shapes = {image.name: image.shape for image in images}
    with TemporaryDirectory(prefix=".", dir=out.parent) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        try:
            write_picks(table, Path(folder) / out.name, shapes=shapes)
        except InputError as error:
            raise InputError(str(error).replace(folder, str(out.parent))) from error
