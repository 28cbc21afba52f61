"""Joins the dock, the layers, the project and the jobs of the Picker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtCore import QTimer

from napari_cryoml._napari._picker_display import DisplayImage
from napari_cryoml._widgets.jobs import Background, stop_timer
from napari_cryoml._widgets.picker._asking import Asking
from napari_cryoml._widgets.picker._desk import Desk
from napari_cryoml._widgets.picker._edits import Edits
from napari_cryoml._widgets.picker._export import Export
from napari_cryoml._widgets.picker._files import Files
from napari_cryoml._widgets.picker._keys import KeyBindings
from napari_cryoml._widgets.picker._labelling import Labelling
from napari_cryoml._widgets.picker._live import Live
from napari_cryoml._widgets.picker._questions import Questions
from napari_cryoml._widgets.picker._reader import ImageReader
from napari_cryoml._widgets.picker._recipes import Recipes
from napari_cryoml._widgets.picker._results import Results
from napari_cryoml._widgets.picker._review import Review
from napari_cryoml._widgets.picker._session import Session
from napari_cryoml._widgets.picker._spotlight import Spotlight
from napari_cryoml._widgets.picker._view import PickerView
from napari_cryoml._widgets.picker._wiring import connect_view, key_actions
from napari_cryoml._widgets.picker._workers import Workers
from napari_cryoml.jobs import ChildJob, ChildService
from napari_cryoml.picking.live import LiveConfig
from napari_cryoml.project import Edit

REDRAW_MS = 250
"""How long to wait until the canvas has surely drawn what has changed."""


class PickerController:
    """The Picker of one viewer.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    view : PickerView
    start_job : callable
        Starts a job, as `ChildJob.start` does.
    start_service : callable
        Starts a service, as `ChildService.start` does.
    """

    def __init__(
        self,
        viewer: Any,
        view: PickerView,
        *,
        start_job: Callable[..., Any] = ChildJob.start,
        start_service: Callable[..., Any] = ChildService.start,
    ) -> None:
        self._viewer = viewer
        self.view = view
        self._closed = False
        self._background = Background()
        self.desk = Desk(viewer, view, self._background)
        self.labelling = Labelling(viewer, self.desk)
        self.workers = Workers(self.desk, start_job)
        self.results = Results(self.desk, start_job, self.workers.config)
        self.live = Live(self.desk, start_service)
        spotlight = self._spotlight = Spotlight(viewer, self.desk, self.choose)
        self.questions = Questions(
            Asking(self.desk, spotlight, self.live),
            Review(self.desk, spotlight, self.live),
        )
        self.export = Export(self.desk, self.live.save)
        self.files = Files(viewer, self.desk, self.results, self.choose)
        self.recipes = Recipes(self.desk, self.files, self.live, self.results)
        self.edits = Edits(self.desk, self.files, self.choose)
        self._reader = ImageReader(self._background, self._show, self._show_error)
        self.files.left.connect(self._leave)
        self._restore_timer = _wait_for_redraw(self._restore)
        self._settle_timer = _wait_for_redraw(self.desk.layers.settle)
        self.desk.layers.lost.connect(self._on_layer_lost)
        self.desk.diameter_shown.connect(self.results.show_derived)
        self._keys = KeyBindings(viewer, key_actions(self))
        connect_view(self)
        viewer.events.theme.connect(self._on_theme)
        self._on_theme()

    @property
    def session(self) -> Session | None:
        """The open project."""
        return self.desk.session

    @property
    def layers(self) -> Any:
        """The layers of the Picker."""
        return self.desk.layers

    @property
    def busy(self) -> bool:
        """Whether a job runs or a file is being read."""
        return bool(self.results.jobs.kind) or self.reading

    @property
    def reading(self) -> bool:
        """Whether a file is being read."""
        return self._background.busy

    def teardown(self) -> None:
        """End all work, give back keys, mouse and layers, and close the project; once."""
        if self._closed:
            return
        self._closed = True
        self.desk.closing.emit()
        stop_timer(self._restore_timer)
        stop_timer(self._settle_timer)
        self.questions.close()
        self.live.close()
        self.results.close()
        self.workers.close()
        self.files.close()
        self._background.close()
        self._keys.close()
        self.labelling.close()
        self.desk.layers.lost.disconnect(self._on_layer_lost)
        self.desk.layers.close()
        self._viewer.events.theme.disconnect(self._on_theme)
        session, self.desk.session = self.desk.session, None
        if session is not None:
            session.close()

    def open_paths(self, paths: list[Path]) -> None:
        """Open images, folders or one project file."""
        self.files.open_paths(paths)

    # Going through the images

    def choose(self, name: str) -> None:
        """Show an image of the list."""
        with self.desk.telling():
            session = self.desk.need_session()
            session.choose(name)
            source = session.sources.get(name)
            if source is None:
                self.files.explain(name)
            self.desk.refresh()
            if not self._reader.show(source):
                self.desk.note(f"Reading {name}…")

    def step(self, direction: str) -> None:
        """Show the "next", "previous" or next "unlabelled" image."""
        session = self.session
        if session is None:
            return
        name = session.neighbour(session.current, direction)
        if name is not None:
            self.choose(name)
        elif direction == "unlabelled":
            self.desk.note("All images have labels.")

    def _show(self, display: DisplayImage) -> None:
        session = self.session
        if session is None:
            return
        first = self.desk.layers.image is None
        with self.desk.telling():
            self.desk.note("")
            self.desk.layers.show_image(display)
            self.desk.show_diameter()
            self.desk.show_labels()
            self.desk.show_picks()
            self.desk.show_scores()
            self.desk.show_box()
            self.desk.show_pick_counts(session.threshold)
        self._settle_timer.start()
        if first or self.desk.layers.layer("labels") is not None:
            self.labelling.start()
        following = session.neighbour(display.name, "next")
        if following in session.sources:
            self._reader.prefetch(session.sources[following])
        self._spotlight.on_image_shown()
        self.desk.image_shown.emit(display.name)
        self.results.pick_shown()

    def _leave(self) -> None:
        self._reader.clear()
        self.questions.leave_session()
        self.live.leave_session()

    def _show_error(self, sentence: str) -> None:
        self.desk.note(sentence, error=True)

    # Picks

    def pick_all(self) -> None:
        """Pick all images, live or with the trained model."""
        with self.desk.telling():
            self.results.pick_all(self._live_config())

    def train(self) -> None:
        """Train a network, and measure live picking beside it."""
        with self.desk.telling():
            self.results.train(self._live_config())

    def _live_config(self) -> LiveConfig | None:
        session = self.session
        return self.live.config(session) if session is not None and session.is_live else None

    def use_model(self) -> None:
        """Have the trained model pick from now on."""
        self.view.show_offer(False)
        self.switch_live(False)

    def switch_live(self, on: bool | None = None) -> None:
        """Turn live picking on or off; None to change over."""
        self.questions.leave_session()
        self.live.toggle(on)
        self.results.pick_shown(again=True)

    # Undo

    def undo(self) -> Edit | None:
        """Take back the last edit, on whichever image it was, and return it."""
        return self.edits.undo()

    def redo(self) -> Edit | None:
        """Make again the edit that was undone last, and return it."""
        return self.edits.redo()

    # Wiring

    def _on_theme(self, _event: Any = None) -> None:
        self.view.set_theme(self._viewer.theme)

    def _on_layer_lost(self, _role: str) -> None:
        self._restore_timer.start()

    def _restore(self) -> None:
        self.desk.layers.restore()
        self._settle_timer.start()


def _wait_for_redraw(then: Callable[[], object]) -> QTimer:
    timer = QTimer()
    timer.setSingleShot(True)
    timer.setInterval(REDRAW_MS)
    timer.timeout.connect(then)
    return timer
