"""The job that picks a list of images from labels, without a network."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from napari_cryoml.data import Annotations, ImageSource, PicksTable
from napari_cryoml.features import FeatureCache, FeatureMap
from napari_cryoml.jobs import Command, Event, Job, relay
from napari_cryoml.picking._events import ImageDone
from napari_cryoml.picking._pick import PickingPlan, pick_each
from napari_cryoml.picking.live._config import LiveConfig
from napari_cryoml.picking.live._engine import LivePicker
from napari_cryoml.picking.live._live_work import LiveWork
from napari_cryoml.picking.live._messages import LiveFigures


def pick_live(
    images: Sequence[ImageSource],
    labels: Mapping[str, Annotations],
    config: LiveConfig,
    *,
    labelled: Sequence[ImageSource] = (),
    folder: Path | None = None,
    plan: PickingPlan | None = None,
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
    plan : PickingPlan, optional
        Workers, and where what is done is kept.

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
    cache = _TimedCache(clock, folder=folder)
    picker = LivePicker.of([*labelled, *images], cache)
    with clock.measure("fit"):
        model = picker.fit(labels, config)
    cache.stop()

    def note(event: Event) -> Event:
        clock.add(event.seconds if isinstance(event, ImageDone) else {})
        return event

    work = LiveWork(model, folder, picker.cache)
    table, _ = yield from relay(pick_each(images, work, plan), note)
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

    def add(self, seconds: Mapping[str, float]) -> None:
        """Count work that was measured elsewhere."""
        for kind, spent in seconds.items():
            self._spent[kind].append(spent)

    def averages(self) -> dict[str, float]:
        """Return seconds for a piece of each kind of work."""
        return {kind: sum(each) / max(len(each), 1) for kind, each in self._spent.items()}


class _TimedCache(FeatureCache):
    """Tells a clock how long features take that are not at hand."""

    def __init__(self, clock: _Clock, folder: Path | None) -> None:
        super().__init__(folder=folder)
        self._clock: _Clock | None = clock

    def stop(self) -> None:
        """Tell the clock no more."""
        self._clock = None

    def get_or_make(self, key: str, make: Callable[[], FeatureMap]) -> FeatureMap:
        clock = self._clock
        if clock is None:
            return super().get_or_make(key, make)

        def timed() -> FeatureMap:
            with clock.measure("features"):
                return make()

        return super().get_or_make(key, timed)
