"""Where the rows come from: picks that are embedded, a file, or what the project keeps."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from psygnal import Signal

from napari_cryoml import io
from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml._widgets.embedding import _work
from napari_cryoml._widgets.embedding._desk import Desk
from napari_cryoml._widgets.embedding._keeping import Keeping
from napari_cryoml._widgets.embedding._linking import Linking
from napari_cryoml._widgets.embedding._row_cells import PROTEIN, RowCells
from napari_cryoml._widgets.embedding._scratch import Scratch
from napari_cryoml._widgets.embedding._taken import Taken, taken_of
from napari_cryoml._widgets.frame import own_project
from napari_cryoml._widgets.jobs import JobWatcher
from napari_cryoml._widgets.link import crops_of_picks
from napari_cryoml.data import Crops, Embedding
from napari_cryoml.jobs import Event
from napari_cryoml.project import Project

OF_PROTEINS = "tsne"
"""The map that proteins begin with, as in Razdaibiedina and Brechalov 2022."""

SUFFIXES = (".parquet", ".h5ad", ".csv", ".tsv")
MADE_OF = "explorer_file"
"""Setting of a project of our own: the file it belongs to, its size and time."""


class Sources:
    """Brings rows to the map.

    Parameters
    ----------
    desk : Desk
    linking : Linking
    keeping : Keeping
    start_job : callable
        Starts a job, as `ChildJob.start` does.
    """

    taken = Signal(object)
    """There are other rows: a `Taken`."""

    def __init__(
        self, desk: Desk, linking: Linking, keeping: Keeping, start_job: Callable[..., Any]
    ) -> None:
        self._desk = desk
        self._linking = linking
        self._keeping = keeping
        self._start_job = start_job
        self._crops: Crops | None = None
        self._remarks: tuple[str, ...] = ()
        self._preparing = False
        self._scratch = Scratch()
        self._stopping = False
        self._finish: Callable[[Embedding], Taken] | None = None
        self.watcher = JobWatcher()
        self.watcher.received.connect(self._on_event)
        self.watcher.ended.connect(self._on_end)

    @property
    def running(self) -> bool:
        """Whether picks are being embedded."""
        return self.watcher.running or self._preparing

    def close(self) -> None:
        """End the job that runs."""
        self.watcher.close()
        self._scratch.close()

    # Picks

    def map_picks(self) -> None:
        """Embed all picks."""
        desk = self._desk
        with desk.telling():
            if self.running:
                return
            link = self._linking.need()
            config = desk.view.encoder_config()
            self._preparing = True
            desk.view.begin_job("embedding", "Collecting the picks.")
            desk.background.run(
                crops_of_picks,
                link,
                list(self._keeping.classes()),
                on_done=lambda found: self._start(found[0], found[1], config),
                on_error=self._give_up,
            )

    # Cells of another dock

    def map_crops(self, crops: Crops, config: Any, finish: Callable[[Embedding], Taken]) -> None:
        """Embed crops that somebody else has cut, and show what `finish` makes of the vectors.

        Parameters
        ----------
        crops : Crops
        config : CropEncoderConfig
        finish : callable
            Takes a row a crop and returns what is shown; beside the GUI's thread.

        Raises
        ------
        InputError
            If something is being embedded already.
        """
        if self.running:
            raise InputError("Crops are being embedded in the Explorer: stop that first, or wait.")
        self._desk.view.begin_job("embedding", "Describing the cells.")
        self._start(crops, (), config)
        self._finish = finish

    def of_cells(
        self, crops: Crops, look_at: Callable[[int], object], embedding: Embedding
    ) -> Taken:
        """Return a map of cells; beside the GUI's thread."""
        taken = taken_of(embedding, {}, crops, self._scratch)
        numbers = {one: row for row, one in enumerate(crops.ids.tolist())}
        crop_of = [numbers[one] for one in embedding.ids.tolist()]
        taken.state.look_at = lambda row: look_at(crop_of[row])
        return taken

    def of_proteins(
        self, crops: Crops, look_at: Callable[[int], object], embedding: Embedding
    ) -> Taken:
        """Return a map of proteins, each the mean of its cells; beside the GUI's thread.

        Raises
        ------
        InputError
            If nobody says which protein a cell shows.
        """
        from napari_cryoml.embedding import group_vectors

        return self.of_rows(
            group_vectors(embedding, PROTEIN), RowCells.of(crops, embedding, look_at)
        )

    def of_rows(self, embedding: Embedding, cells: RowCells) -> Taken:
        """Return a map of rows that stand for cells; from any thread."""
        notes = tuple(map(str, embedding.provenance.get("notes", ())))
        taken = taken_of(embedding, {}, cells.crops, self._scratch, notes)
        taken.state.row_cells = cells
        return replace(taken, method=OF_PROTEINS)

    def _show_finished(self, embedding: Embedding) -> None:
        finish, self._finish, self._crops = self._finish, None, None
        self._keeping.pass_by()
        if finish is not None:
            self._desk.background.run(
                finish, embedding, on_done=self.taken.emit, on_error=self._desk.warn
            )

    def stop(self) -> None:
        """Stop embedding and take what is done; a second time, take nothing."""
        if self._stopping:
            self.watcher.cancel()
            return
        self._stopping = True
        self.watcher.stop()
        self._desk.view.show_running("stopping")

    def _start(self, crops: Crops, remarks: tuple[str, ...], config: Any) -> None:
        self._preparing, self._stopping, self._finish = False, False, None
        self._crops, self._remarks = crops, remarks
        try:
            job = self._start_job(_work.embed, crops, config)
        except InputError as error:
            self._give_up(str(error))
            return
        self._desk.note("")
        self.watcher.watch(job)

    def _on_event(self, event: Event) -> None:
        rate = getattr(event, "rate", 0.0)
        speed = f" {rate:,.0f} a second." if rate else ""
        text = event.message or f"{event.done:,} of {event.total:,} picks have a vector.{speed}"
        self._desk.view.show_progress(event.done, event.total, text)

    def _on_end(self, job: Any) -> None:
        self._stopping = False
        self._desk.view.end_job("")
        if job.state == "failed":
            self._desk.warn(job.error)
        elif job.state == "cancelled":
            self._desk.note("Embedding was cancelled.")
        elif not len(job.result):
            self._desk.note("Stopped before any pick had a vector.")
        elif self._finish is not None:
            self._show_finished(job.result)
        else:
            self._take_job(job.result)

    def _take_job(self, embedding: Embedding) -> None:
        name = f"{len(embedding):,} picks, {embedding.provenance.get('encoder', 'vectors')}"
        self._keeping.add(name, embedding)
        crops, self._crops = self._crops, None
        self._desk.background.run(
            taken_of,
            embedding,
            self._keeping.classes(),
            crops,
            self._scratch,
            (*self._remarks, *embedding.provenance.get("notes", ())),
            on_done=self.taken.emit,
            on_error=self._desk.warn,
        )

    def _give_up(self, sentence: str) -> None:
        self._preparing = False
        self._desk.view.end_job("")
        self._desk.warn(sentence)

    # Files, and what is kept

    def open_paths(self, paths: list[Path]) -> None:
        """Open a file of vectors."""
        desk = self._desk
        with desk.telling():
            if self.running:
                raise InputError("Picks are being embedded: stop that first, or wait.")
            found = [Path(path) for path in paths if Path(path).suffix.lower() in SUFFIXES]
            if not found:
                raise InputError(
                    f"{Path(paths[0]).name} holds no vectors: choose a .parquet, .h5ad or .csv "
                    "file. Images are opened in the Picker."
                )
            desk.note(f"Reading {found[0].name}…")
            with_own = self._linking.project is None
            desk.background.run(
                _open,
                found[0],
                None if with_own else self._keeping.classes(),
                self._scratch,
                on_done=self._take_file,
                on_error=desk.warn,
            )

    def open_kept(self, number: int) -> None:
        """Show an embedding that the project keeps."""
        with self._desk.telling():
            if self.running:
                raise InputError("Picks are being embedded: stop that first, or wait.")
            self._desk.note("Reading from the project…")
            self._keeping.read(number, self._taken_kept, self._take_read)

    def _taken_kept(self, embedding: Embedding, classes: Mapping[str, str]) -> Taken:
        return taken_of(embedding, classes, None, self._scratch)

    def _take_file(self, opened: _Opened) -> None:
        if opened.project is not None:
            self._keeping.use(opened.project, own=True)
        if opened.number is not None:
            self._keeping.resume(opened.number)
        else:
            self._keeping.add(opened.name, opened.taken.state.embedding)
        self._take_read(opened.taken)

    def _take_read(self, taken: Taken) -> None:
        self._desk.note("")
        said = self._on_images(taken.state.embedding)
        self.taken.emit(replace(taken, remarks=taken.remarks + said))

    def _on_images(self, embedding: Embedding) -> tuple[str, ...]:
        """Say how many rows lie in the images that are open."""
        link = self._desk.link
        if link is None or embedding.images is None or not link.images:
            return ()
        n_here = self._linking.matching(embedding)
        if n_here == len(embedding):
            return ()
        return (
            f"{n_here:,} of {len(embedding):,} rows lie in the images that are open in "
            f"{link.title}; the others are on the map alone.",
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    """A file of vectors and the project of our own that belongs to it."""

    name: str
    taken: Taken
    project: Project | None = None
    number: int | None = None


def _open(path: Path, classes: Mapping[str, str] | None, scratch: Scratch) -> _Opened:
    """Read a file, and find or make its project; beside the GUI's thread.

    Parameters
    ----------
    path : Path
    classes : mapping of str to str, optional
        By id, where there is a project; None to find or make one for this file.
    scratch : Scratch
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InputWarning)
        embedding = io.read_embedding(path)
    remarks = [str(one.message) for one in caught if issubclass(one.category, InputWarning)]
    if classes is not None:
        return _Opened(path.name, taken_of(embedding, classes, None, scratch, remarks))
    try:
        project, remark = own_project(path)
    except InputError as error:
        remarks.append(f"Nothing is kept. {error}")
        return _Opened(path.name, taken_of(embedding, {}, None, scratch, remarks))
    remarks += [remark] if remark else []
    number = _kept_of(project, path)
    if number is not None:
        embedding = project.embedding(number)
    else:
        project.set_setting(MADE_OF, _signature(path))
    taken = taken_of(embedding, project.classes(), None, scratch, remarks)
    return _Opened(path.name, taken, project, number)


def _kept_of(project: Project, path: Path) -> int | None:
    """Return the number of the embedding that was read from this very file."""
    if project.setting(MADE_OF) != _signature(path):
        return None
    entries = project.embeddings()
    return entries[-1].id if entries else None


def _signature(path: Path) -> list[Any]:
    stat = path.stat()
    return [path.name, stat.st_size, stat.st_mtime_ns]
