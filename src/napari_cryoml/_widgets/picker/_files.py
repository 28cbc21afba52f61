"""Opens images and projects, and finds images whose files were moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from napari.layers import Image
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_cryoml._errors import InputError
from napari_cryoml._napari._picker_layer_book import TAG
from napari_cryoml._widgets.frame import project_place
from napari_cryoml._widgets.jobs import Background
from napari_cryoml._widgets.picker._desk import Desk
from napari_cryoml._widgets.picker._live import LIVE_OPTIONS
from napari_cryoml._widgets.picker._opening import (
    PROJECT_NAME,
    Opened,
    find_again,
    open_paths,
    paths_of_layers,
    sources_by_name,
)
from napari_cryoml._widgets.picker._results import Results
from napari_cryoml._widgets.picker._session import Session
from napari_cryoml.data import ImageSource
from napari_cryoml.project import OPTIONS, PROJECT_SUFFIX, Project

FIND_MISSING = "“Find missing images…” under “Open images…”"
_SCORES_A_TICK = 20
_END = object()


class Files:
    """What is open.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    desk : Desk
    results : Results
    choose : callable
        Shows the image of a name.
    """

    left = Signal()
    """A project was closed."""

    def __init__(
        self, viewer: Any, desk: Desk, results: Results, choose: Callable[[str], None]
    ) -> None:
        self._viewer = viewer
        self._desk = desk
        self._results = results
        self._choose = choose
        self._noting = Background()

    def close(self) -> None:
        """End what is done beside."""
        self._noting.close()

    def _tell(self, sentence: str) -> None:
        self._desk.note(sentence, error=True)

    def open_paths(self, paths: list[Path]) -> None:
        """Open images, folders or one project file."""
        chosen = [Path(path) for path in paths]
        if len(chosen) == 1 and chosen[0].suffix == PROJECT_SUFFIX:
            with self._desk.telling():
                self._open_file(chosen[0])
            return
        self._desk.note("Opening…")
        current = self._desk.session.project.path if self._desk.session else None
        self._desk.background.run(
            open_paths, chosen, current, on_done=self.take_opened, on_error=self._tell
        )

    def _open_file(self, path: Path) -> None:
        """Open a project, unless it is the one on show: of that there would only be a copy."""
        session = self._desk.session
        if session is not None and path.resolve() == session.project.path.resolve():
            self._desk.note(f"{path.name} is open already.")
            return
        self._open_project(Project.open(path, read_only=None))

    def open_layers(self) -> None:
        """Take the images that are open in napari."""
        layers = [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, Image) and TAG not in layer.metadata
        ]
        with self._desk.telling():
            folder = (
                self._desk.session.folder
                if self._desk.session
                else project_place(Path.cwd(), PROJECT_NAME)[0].parent
            )
            self.open_paths(paths_of_layers(layers, folder))
            for layer in layers:
                layer.visible = False

    def take_opened(self, opened: Opened) -> None:
        """Put images into their project, which is opened first where it is another one."""
        self._desk.note("")
        with self._desk.telling():
            if self._desk.session is not None and opened.project in (
                None,
                self._desk.session.project.path,
            ):
                self._desk.session.add(opened.sources)
                self._after_opening()
                self._note_contents(self._desk.session)
            elif opened.project is not None:
                self._open_project(_opened(opened.project), opened.sources)
            if opened.remarks:
                self._desk.note(" ".join(opened.remarks))

    def _open_project(self, project: Project, sources: list[ImageSource] | None = None) -> None:
        self._leave_session()
        self._desk.session = Session(project, {})
        self._desk.view.show_notice(_notice(project))
        if sources:
            self._desk.session.add(sources)
        places = self._find_files(project)
        self._after_opening()
        known = self._desk.session
        self._desk.background.run(
            sources_by_name,
            places,
            on_done=lambda found: self._take_sources(known, found),
            on_error=self._tell,
        )

    def _find_files(self, project: Project) -> dict[str, Path]:
        places: dict[str, Path] = {}
        missing = []
        for entry in project.images():
            try:
                places[entry.name] = project.locate(entry)
            except InputError:
                missing.append(entry.name)
        self._desk.view.show_missing(len(missing))
        if missing:
            self._desk.note(
                f"{len(missing)} of the images are gone ({missing[0]}…). If they have moved, "
                f"choose their folder with {FIND_MISSING}: they are known by their content; "
                "labels and picks are kept.",
                error=True,
            )
        return places

    def explain(self, name: str) -> NoReturn:
        """Say why an image cannot be shown.

        Raises
        ------
        InputError
            Always.
        """
        try:
            self._desk.need_session().project.locate(name)
        except InputError as error:
            raise InputError(
                f"The file of {name} is gone: put it back, or choose the folder it is in now with "
                f"{FIND_MISSING}. Images are known by their content."
            ) from error
        raise InputError(f"{name} is still being opened, or cannot be read: try again.")

    def find_missing(self, folder: Path) -> None:
        """Look in a folder for the images whose files are gone."""
        with self._desk.telling():
            session = self._desk.need_session()
            missing = [name for name in session.names if name not in session.sources]
            if not missing:
                self._desk.note("No image is missing.")
                return
            self._desk.note(f"Looking for {len(missing)} images…")
            self._desk.background.run(
                find_again,
                session.project,
                folder,
                {name: session.entries[name].shape for name in missing},
                on_done=lambda found: self._take_found(session, found, len(missing)),
                on_error=self._tell,
            )

    def _take_found(
        self, session: Session, answer: tuple[dict[str, ImageSource], set[str]], wanted: int
    ) -> None:
        if session is not self._desk.session:
            return
        found, by_name = answer
        with self._desk.telling():
            with session.project.transaction():
                for name in by_name:
                    session.project.relocate(name, found[name].path or "")
            self._desk.view.show_missing(wanted - len(found))
            self._desk.note(_told(len(found), len(by_name), wanted), error=len(found) < wanted)
            self._take_sources(session, found)

    def _take_sources(self, session: Session, found: dict[str, ImageSource]) -> None:
        if session is not self._desk.session:
            return
        session.sources = {
            name: found[name] for name in session.names if name in found
        } | session.sources
        self._note_contents(session)
        if self._desk.shown is None and session.current is not None:
            self._choose(session.current)

    def _note_contents(self, session: Session) -> None:
        """Note beside all else by what images are found again once they have moved."""
        if not session.project.read_only:
            self._noting.run(
                session.project.note_contents,
                on_done=lambda _noted: None,
                on_error=lambda sentence: (
                    self._tell(sentence) if session is self._desk.session else None
                ),
            )

    def _leave_session(self) -> None:
        session = self._desk.session
        if session is not None:
            self._results.leave_session()
            self.left.emit()
            self._desk.session = None
            self._desk.view.show_notice("")
            session.close()

    def _after_opening(self) -> None:
        session = self._desk.need_session()
        options = session.project.setting(OPTIONS)
        if isinstance(options, dict):
            self._desk.view.set_options(options)
        live_options = session.project.setting(LIVE_OPTIONS)
        if isinstance(live_options, dict):
            self._desk.view.set_live_options(live_options)
        self._desk.layers.set_threshold(session.threshold)
        self._desk.show_diameter()
        self._desk.refresh()
        self.count_picks(session)
        if session.current in session.sources:
            self._choose(str(session.current))

    def count_picks(self, session: Session, names: Iterable[str] | None = None) -> None:
        """Count the picks of some images again, or of all, between the events of the GUI."""
        self._load_scores(session, session.load_scores(names))

    def _load_scores(self, session: Session, steps: Iterator[None]) -> None:
        """Read the scores of all picks, a few images between two events of the GUI."""
        if session is not self._desk.session:
            return
        with self._desk.telling():
            for _ in range(_SCORES_A_TICK):
                if next(steps, _END) is _END:
                    self._desk.refresh()
                    return
            QTimer.singleShot(0, lambda: self._load_scores(session, steps))


def _opened(path: Path) -> Project:
    return Project.open(path, read_only=None) if path.exists() else Project.create(path)


def _notice(project: Project) -> str:
    why = project.why_read_only
    return f"Only to look at, nothing here can be changed. {why}" if why else ""


def _told(found: int, by_name: int, wanted: int) -> str:
    sentence = f"{found} of {wanted} missing images were found."
    if by_name:
        sentence += f" {by_name} of them only by name and size: look whether they are the same."
    return sentence
