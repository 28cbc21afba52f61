"""The job that picks images as a microscope writes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from pydantic import Field

from napari_cryoml._errors import InputError
from napari_cryoml._registry import Config
from napari_cryoml.data import ImageSource, Picks
from napari_cryoml.jobs import Command, Event
from napari_cryoml.picking._events import ImageDone
from napari_cryoml.picking._image_work import ImageWork
from napari_cryoml.picking._pick import PickingPlan, event_of, outcomes_of

_NAP_S = 0.2  # between two signs of life while nothing comes

State = tuple[int, int]
"""Bytes and time of change of a file."""


class WatchConfig(Config):
    """How a folder is watched."""

    every: float = Field(5.0, gt=0, description="Seconds between two looks into the folder.")
    settled: int = Field(
        2,
        ge=1,
        description="Looks at which a new file must be the same before it is opened: it may still "
        "be written.",
    )
    patience: float = Field(
        600.0,
        ge=0,
        description="Seconds after which a file that does not change and cannot be read is left "
        "out; it is tried again when it changes.",
    )
    idle_minutes: float | None = Field(
        None, gt=0, description="End after this long without a new image; none to go on."
    )


@dataclass(slots=True)
class _File:
    """What is known of a file: as it was last seen, and what was made of it."""

    state: State
    looks: int = 0
    unread_since: float | None = None
    finished: State | None = None


@dataclass(slots=True)
class Folder:
    """The images of a folder that are ready to be picked.

    Time is that of a clock that never goes back, and files are told apart by their size and time
    of change; a clock that is set wrong changes nothing.

    Parameters
    ----------
    path : Path
    config : WatchConfig
    list_images : callable
        Returns the paths of the images in a folder.
    open_image : callable
        Opens one of them, or raises InputError.
    """

    path: Path
    config: WatchConfig
    list_images: Callable[[Path], list[Path]]
    open_image: Callable[[Path], ImageSource]
    _files: dict[Path, _File] = field(default_factory=dict)

    def look(self, now: float) -> tuple[list[ImageSource], list[str]]:
        """Return the images that are ready, and sentences on files that are given up.

        Parameters
        ----------
        now : float
            Seconds of a clock that never goes back.

        Raises
        ------
        InputError
            If the folder cannot be listed.
        """
        ready: list[ImageSource] = []
        given_up: list[str] = []
        for path in self.list_images(self.path):
            known = self._seen(path)
            if known is None or known.finished == known.state or known.looks < self.config.settled:
                continue
            try:
                ready.append(self.open_image(path))
                known.finished = known.state
            except InputError as error:
                given_up += self._waited(known, now, str(error))
        return ready, given_up

    def _seen(self, path: Path) -> _File | None:
        """Return what is known of a file after another look; None if it has gone meanwhile."""
        try:
            found = path.stat()
        except OSError:
            return None
        state = (found.st_size, found.st_mtime_ns)
        known = self._files.setdefault(path, _File(state))
        if known.state != state:
            known.state, known.looks, known.unread_since = state, 0, None
        known.looks += 1
        return known

    def _waited(self, known: _File, now: float, error: str) -> list[str]:
        """Wait for a file that cannot be read yet; say so once the patience is at an end."""
        if known.unread_since is None:
            known.unread_since = now
        if now - known.unread_since < self.config.patience:
            return []
        known.finished = known.state
        return [f"Left out: {error}"]


def watch_folder(
    folder: Folder,
    work: ImageWork,
    write: Callable[[Picks], object],
    *,
    is_written: Callable[[ImageSource], bool],
    plan: PickingPlan | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Generator[Event, Command | None, int]:
    """Pick the images of a folder as they come: a job that ends when it is told to.

    Parameters
    ----------
    folder : Folder
    work : ImageWork
        Picks an image.
    write : callable
        Writes the picks of an image, whole or not at all.
    is_written : callable
        Whether the picks of an image, as it is now, are there: a restarted job goes on.
    plan : PickingPlan, optional
        Workers, and where what is done is kept.
    sleep, clock : callables
        Of `time`.

    Yields
    ------
    ImageDone
        One an image, once its picks are written; an `Event` with a message for one that is left
        out, and without one while nothing comes.

    Returns
    -------
    int
        Images picked.

    Raises
    ------
    InputError
        If the folder cannot be listed, or picks cannot be written.
    """
    done, last_new = 0, clock()
    while True:
        ready, given_up = folder.look(clock())
        fresh = [image for image in ready if not is_written(image)]
        for event in chain(map(_said, given_up), _picked(fresh, work, write, plan)):
            done += isinstance(event, ImageDone)
            last_new = clock()
            if (yield replace(event, done=done, total=0)) is Command.STOP:
                return done
        limit = folder.config.idle_minutes
        if limit is not None and clock() - last_new > 60 * limit:
            return done
        for _ in _naps(folder.config.every, sleep):
            if (yield Event(done=done, total=0)) is Command.STOP:
                return done


def _said(sentence: str) -> Event:
    return Event(done=0, total=0, message=sentence)


def _picked(
    images: Sequence[ImageSource],
    work: ImageWork,
    write: Callable[[Picks], object],
    plan: PickingPlan | None,
) -> Iterator[Event]:
    """Pick images that are ready, and write what is found before it is told."""
    with closing(outcomes_of(images, work, plan or PickingPlan())) as outcomes:
        for image, outcome in outcomes:
            if outcome.value is not None:
                write(outcome.value.picks)
            yield event_of(image, outcome, 0, 0)


def _naps(seconds: float, sleep: Callable[[float], None]) -> Iterator[None]:
    """Sleep in pieces, so that a stop is heard soon."""
    left = seconds
    while left > 0:
        yield
        sleep(min(_NAP_S, left))
        left -= _NAP_S
