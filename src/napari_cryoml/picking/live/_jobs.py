"""The job that picks a list of images from labels, without a network."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from napari_cryoml.data import Annotations, ImageSource, Picks, PicksTable, ScoreMap
from napari_cryoml.features import FeatureCache, FeatureMap
from napari_cryoml.jobs import Command, Event, Job
from napari_cryoml.picking._pick import pick_each
from napari_cryoml.picking.live._config import LiveConfig
from napari_cryoml.picking.live._engine import LivePicker
from napari_cryoml.picking.live._messages import LiveFigures
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
    LiveFigures
        At the end.

    Returns
    -------
    PicksTable
        Of the images done; a stopped job returns what it has.

    Raises
    ------
    InputError
        If nothing is labelled, a labelled image cannot be used, or no image at all can be picked.
    """
    command = yield Event(done=0, total=len(images), message="Learning from the labels.")
    if command is Command.STOP:
        return PicksTable.of([])
    clock = _Clock()
    picker = LivePicker.of([*labelled, *images], _TimedCache(clock, folder=folder))
    with clock.measure("fit"):
        model = picker.fit(labels, config)

    def pick(image: ImageSource) -> tuple[ScoreMap, Picks]:
        features = picker.features(image.name, config)
        with clock.measure("score"):
            return model.pick(image, features)

    where = describe_device(choose_device(config.device))
    table = yield from pick_each(images, pick, where)
    yield LiveFigures(
        done=len(table),
        total=len(images),
        seconds=clock.averages(),
        prior=model.prior,
        threshold=model.threshold,
        notes=model.notes,
    )
    return table


class _Clock:
    """Adds up what kinds of work take, each without what is measured inside it."""

    def __init__(self) -> None:
        self._spent: dict[str, list[float]] = {"features": [], "fit": [], "score": []}
        self._inside = 0.0

    @contextmanager
    def measure(self, kind: str) -> Iterator[None]:
        """Count what is done within as one piece of work."""
        start, before = time.perf_counter(), self._inside
        self._inside = 0.0
        yield
        whole = time.perf_counter() - start
        self._spent[kind].append(whole - self._inside)
        self._inside = before + whole

    def averages(self) -> dict[str, float]:
        """Return seconds for a piece of each kind of work."""
        return {kind: sum(each) / max(len(each), 1) for kind, each in self._spent.items()}


class _TimedCache(FeatureCache):
    """Tells a clock how long features take that are not at hand."""

    def __init__(self, clock: _Clock, folder: Path | None) -> None:
        super().__init__(folder=folder)
        self._clock = clock

    def get_or_make(self, key: str, make: Callable[[], FeatureMap]) -> FeatureMap:
        def timed() -> FeatureMap:
            with self._clock.measure("features"):
                return make()

        return super().get_or_make(key, timed)
