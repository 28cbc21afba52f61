"""Joins the Classify dock, the images, the project and the child processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_cryoml._widgets.classes import (
    Answering,
    Browsing,
    ClassState,
    Keeping,
    Labelling,
    Results,
    Training,
)
from napari_cryoml._widgets.classify._averaging import Averaging
from napari_cryoml._widgets.classify._desk import Desk
from napari_cryoml._widgets.classify._exporting import Exporting
from napari_cryoml._widgets.classify._linking import Linking
from napari_cryoml._widgets.classify._looking import Looking
from napari_cryoml._widgets.classify._sources import Sources
from napari_cryoml._widgets.classify._view import ClassifyView
from napari_cryoml._widgets.classify._wiring import connect_view, key_actions
from napari_cryoml._widgets.jobs import Background
from napari_cryoml._widgets.link import Links
from napari_cryoml.jobs import ChildJob, ChildService
from napari_cryoml.project import Project

LAYER_LOST = "A layer was deleted: crops and classes are kept, and the Picker brings its own back."
PICKER_CLOSED = "The Picker was closed: what was cut stays, but classes are no longer kept."


class ClassifyController:
    """The Classify dock of one viewer.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    view : ClassifyView
    start_job : callable
        Starts a job, as `ChildJob.start` does.
    start_service : callable
        Starts a service, as `ChildService.start` does.
    """

    def __init__(
        self,
        viewer: Any,
        view: ClassifyView,
        *,
        start_job: Callable[..., Any] = ChildJob.start,
        start_service: Callable[..., Any] = ChildService.start,
    ) -> None:
        self._viewer = viewer
        self.view = view
        self._closed = False
        self._background = Background()
        self.links = Links(viewer)
        desk = self.desk = Desk(view, self._background, self.links)
        self.keeping = Keeping(desk)
        self.sources = Sources(desk, self.keeping)
        self.labelling = Labelling(desk)
        self.browsing = Browsing(desk, start_service)
        self.linking = Linking(desk, self.labelling)
        self.answering = Answering(desk, self.keeping)
        self.training = Training(desk, self.keeping, self.answering, start_service)
        self.results = Results(desk, self.keeping)
        self.looking = Looking(viewer, desk, self.answering, self.linking)
        self.averaging = Averaging(viewer, desk, start_job)
        self.exporting = Exporting(desk)
        self._connect()
        connect_view(self)
        view.bind_keys(key_actions(self))
        viewer.events.theme.connect(self._on_theme)
        self._on_theme()
        desk.replace(None)
        self.links.begin()

    def _connect(self) -> None:
        self.sources.taken.connect(self._take)
        self.links.project_changed.connect(self._on_project)
        self.links.changed.connect(self._on_change)
        self.links.edited.connect(self.labelling.take_edit)
        self.links.lost.connect(self._on_lost)
        self.links.closed.connect(self._on_closed)

    @property
    def busy(self) -> bool:
        """Whether anything is being computed, read or written."""
        return (
            self._background.busy
            or self.browsing.busy
            or self.training.busy
            or self.averaging.running
        )

    def teardown(self) -> None:
        """End all work, and let go of images and project; once."""
        if self._closed:
            return
        self._closed = True
        self._viewer.events.theme.disconnect(self._on_theme)
        for part in (
            self.averaging,
            self.looking,
            self.training,
            self.browsing,
            self.exporting,
            self.results,
            self.labelling,
            self.linking,
            self.links,
        ):
            part.close()
        # What the dock still asks for as it closes has nobody to answer it.
        self.desk.state = None
        self._background.close()
        self.keeping.close()

    # What comes and goes

    def _take(self, state: ClassState, _remarks: tuple[str, ...]) -> None:
        self._restore()
        self.desk.replace(state)
        self.labelling.refresh()
        self.sources.tell()

    def _on_project(self, project: Project | None) -> None:
        """Keep to the project of the Picker, unless the crops came from a file of their own."""
        if self.keeping.is_own:
            return
        before = self.desk.project
        self.keeping.use(project)
        if project is None and before is not None and self.desk.state is not None:
            self.labelling.set_in_image(False)
        elif project is not None and before is not project and self.desk.state is not None:
            self.desk.replace(None)
        self._restore()
        self.labelling.refresh()

    def _on_change(self) -> None:
        self.sources.tell()
        self.labelling.show_undo()
        link = self.links.link
        wanted = self.keeping.choices().get("cut") is True
        if wanted and self.desk.state is None and link is not None and link.n_picks:
            self.sources.cut()

    def _on_lost(self, _sentence: str) -> None:
        self.desk.note(LAYER_LOST)

    def _on_closed(self) -> None:
        if self.desk.state is not None and not self.keeping.is_own:
            self.desk.note(PICKER_CLOSED)

    # Choices

    def keep_options(self) -> None:
        """Keep the box, the tilts and the options of systems."""
        source = self.view.source
        with self.desk.telling():
            self.keeping.choose(
                box=source.box.value(),
                size=source.size.value(),
                tilts=list(source.tilts),
                crops=source.form.values(),
                systems=self.view.train.values(),
            )

    def _restore(self) -> None:
        """Show what was chosen before in this project."""
        kept, view, desk = self.keeping.choices(), self.view, self.desk
        tilts = kept.get("tilts")
        view.source.show_values(
            box=kept.get("box"),
            size=kept.get("size"),
            tilts=(tilts[0], tilts[1]) if tilts else None,
            options=kept.get("crops"),
        )
        view.train.show_system(str(kept.get("system", view.train.chosen)), kept.get("systems"))
        desk.colour_by = str(kept.get("colour_by", desk.colour_by))
        desk.threshold = float(kept.get("threshold", desk.threshold))
        view.result.show_choices(desk.colour_by, desk.threshold)

    def _on_theme(self, _event: Any = None) -> None:
        self.view.set_theme(self._viewer.theme)
