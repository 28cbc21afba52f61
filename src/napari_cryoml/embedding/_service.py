"""Maps, clusters and classes of one table of vectors, in a process of their own."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.embedding._messages import (
    ClusterRequest,
    FewShotRequest,
    MapRequest,
    NoveltyRequest,
    PlaceRequest,
    ProjectRequest,
    SpreadRequest,
)
from napari_cryoml.jobs import Command, Event

COMPILING = "Compiling UMAP, once: a few seconds."

_LOOK_S = 0.2


class MapService:
    """Answers whatever the explorer asks about its vectors; see `jobs.ChildService`.

    All but few-shot classes are answered with a job, which sends events and can be stopped.

    Parameters
    ----------
    vectors : array of shape (n, d), or path
        float16 or float32; or the file of them as numpy writes it, which is mapped into memory
        and must not change.

    Raises
    ------
    InputError
        If the file cannot be used.
    """

    def __init__(self, vectors: npt.NDArray[np.floating[Any]] | str | Path) -> None:
        if isinstance(vectors, str | Path):
            vectors = _mapped(Path(vectors))
        self._vectors = vectors
        self._warming: threading.Thread | None = None

    def answer(self, request: MapRequest) -> Any:
        """Return the job, or the reply, that a request asks for; see `_messages`."""
        answers: dict[type, Callable[[Any], Any]] = {
            ProjectRequest: self._project,
            PlaceRequest: self._place,
            ClusterRequest: self._cluster,
            NoveltyRequest: self._novelty,
            SpreadRequest: self._spread,
            FewShotRequest: self._few_shot,
        }
        return answers[type(request)](request)

    def idle(self) -> bool:
        """Begin to compile what maps need, in a thread, so that requests need not wait for it."""
        if self._warming is None:
            self._warming = threading.Thread(target=_warm_up, daemon=True)
            self._warming.start()
        return False

    def _project(self, request: ProjectRequest) -> Generator[Event, Command | None, Any]:
        from napari_cryoml.embedding._projection import UmapConfig, project

        is_stopped = False
        if isinstance(request.config, UmapConfig):
            is_stopped = yield from self._wait_for_compiler()
        job = project(self._rows(request.rows), request.config, start=request.start)
        return (yield from _stopped(job) if is_stopped else job)

    def _wait_for_compiler(self) -> Generator[Event, Command | None, bool]:
        """Wait until UMAP is compiled; return whether to stop."""
        self.idle()
        while self._warming is not None and self._warming.is_alive():
            if (yield Event(done=0, total=0, message=COMPILING)) is Command.STOP:
                return True
            self._warming.join(_LOOK_S)
        return False

    def _place(self, request: PlaceRequest) -> Generator[Event, Command | None, Any]:
        from napari_cryoml.embedding._projection import place

        yield _beginning(f"Placing {len(request.vectors)} rows.")
        return place(self._vectors, request.layout, request.vectors, request.config)

    def _cluster(self, request: ClusterRequest) -> Generator[Event, Command | None, Any]:
        from napari_cryoml.embedding._clusters import cluster

        return (yield from cluster(self._rows(request.rows), request.config))

    def _novelty(self, request: NoveltyRequest) -> Generator[Event, Command | None, Any]:
        from napari_cryoml.embedding._novelty import novelty

        yield _beginning("Comparing all rows with those that are labelled.")
        return novelty(self._vectors, request.classes, request.config)

    def _spread(self, request: SpreadRequest) -> Generator[Event, Command | None, Any]:
        from napari_cryoml.embedding._spreading import spread_labels

        yield _beginning(f"Neighbours of {len(self._vectors)} rows.")
        return spread_labels(self._vectors, request.classes, request.config)

    def _few_shot(self, request: FewShotRequest) -> Any:
        from napari_cryoml.embedding._few_shot import few_shot

        return few_shot(self._vectors, request.rows, request.negatives)

    def _rows(self, rows: npt.NDArray[np.intp] | None) -> npt.NDArray[np.floating[Any]]:
        return self._vectors if rows is None else self._vectors[rows]


def _mapped(path: Path) -> npt.NDArray[np.floating[Any]]:
    try:
        vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: vectors cannot be read from this file: {error}.") from error
    if getattr(vectors, "ndim", 0) != 2 or vectors.dtype.kind != "f":
        raise InputError(
            f"{path}: a table of n rows and d columns of numbers was expected; the file holds "
            f"{getattr(vectors, 'dtype', 'several arrays')} of shape "
            f"{getattr(vectors, 'shape', ())}."
        )
    return vectors


def _warm_up() -> None:
    from napari_cryoml.embedding._projection import warm_up

    try:
        warm_up()
    except Exception:
        # Nobody has asked for it; if it matters, the next map meets the same trouble.
        traceback.print_exc()


def _beginning(message: str) -> Event:
    return Event(done=0, total=1, message=message)


def _stopped(job: Generator[Event, Command | None, Any]) -> Generator[Event, Command | None, Any]:
    """Stop a job at its first event, and pass on what follows."""
    try:
        yield next(job)
        event = job.send(Command.STOP)
        while True:
            yield event
            event = next(job)
    except StopIteration as end:
        return end.value
