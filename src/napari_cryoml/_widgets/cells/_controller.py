"""Joins the Cells dock, the layers, the project and the child processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_cryoml._napari._cell_view import OwnLayers
from napari_cryoml._widgets.cells._checking import Checking
from napari_cryoml._widgets.cells._desk import Desk
from napari_cryoml._widgets.cells._exporting import Exporting
from napari_cryoml._widgets.cells._linking import Linking
from napari_cryoml._widgets.cells._mapping import Mapping
from napari_cryoml._widgets.cells._showing import Showing
from napari_cryoml._widgets.cells._sources import Sources
from napari_cryoml._widgets.cells._state import CellState
from napari_cryoml._widgets.cells._suggesting import Suggesting
from napari_cryoml._widgets.cells._view import CellsView
from napari_cryoml._widgets.cells._watching import Watching
from napari_cryoml._widgets.cells._wiring import connect_view, key_actions
from napari_cryoml._widgets.classes import (
    Answering,
    Browsing,
    Keeping,
    Labelling,
    Results,
    Training,
)
from napari_cryoml._widgets.jobs import Background
from napari_cryoml.jobs import ChildService

CHOICES, MODEL_FILE = "cells", "{stem}_cells.safetensors"
"""Setting of what was chosen in the dock, and file of its classifier."""

USUAL = "measurements"
"""System that answers after every label while no other does."""


class CellsController:
    """The Cells dock of one viewer.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    view : CellsView
    start_service : callable
        Starts a service, as `ChildService.start` does.
    """

    def __init__(
        self,
        viewer: Any,
        view: CellsView,
        *,
        start_service: Callable[..., Any] = ChildService.start,
    ) -> None:
        self._viewer = viewer
        self.view = view
        self._closed = False
        self._background = Background()
        own = OwnLayers(viewer)
        desk = self.desk = Desk(view, self._background)
        self.keeping = Keeping(desk, CHOICES, MODEL_FILE)
        self.sources = Sources(viewer, desk, self.keeping, own)
        self.labelling = Labelling(desk)
        self.browsing = Browsing(desk, start_service)
        self.linking = Linking(viewer, desk, self.sources, self.labelling, self.browsing)
        self.answering = Answering(desk, self.keeping)
        self.training = Training(desk, self.keeping, self.answering, start_service, USUAL)
        self.results = Results(desk, self.keeping)
        self.showing = Showing(desk, self.sources, own)
        self.suggesting = Suggesting(desk, self.browsing, self.training)
        self.checking = Checking(desk, self.browsing, self.training, self.labelling, self.linking)
        self.watching = Watching(desk)
        self.training.set_watch(self.watching.watch)
        self.mapping = Mapping(viewer, desk, self.keeping, self.answering, self.linking)
        self.exporting = Exporting(desk)
        self.sources.taken.connect(self._take)
        connect_view(self)
        view.bind_keys(key_actions(self))
        viewer.events.theme.connect(self._on_theme)
        self._on_theme()
        desk.replace(None)
        self.sources.list_layers()
        self.labelling.refresh()

    @property
    def busy(self) -> bool:
        """Whether anything is being computed, read or written."""
        return self._background.busy or self.browsing.busy or self.training.busy

    def teardown(self) -> None:
        """End all work, and let go of layers and project; once."""
        if self._closed:
            return
        self._closed = True
        self._viewer.events.theme.disconnect(self._on_theme)
        for part in (
            self.training,
            self.browsing,
            self.exporting,
            self.mapping,
            self.watching,
            self.checking,
            self.showing,
            self.results,
            self.labelling,
            self.linking,
            self.sources,
        ):
            part.close()
        # What the dock still asks for as it closes has nobody to answer it.
        self.desk.state = None
        self._background.close()
        self.keeping.close()

    def _take(self, state: CellState) -> None:
        is_first = self.desk.state is None
        self._restore()
        self.desk.replace(state)
        self.labelling.refresh()
        if is_first:
            self.view.source.show_options(False)

    # Choices

    def keep_options(self) -> None:
        """Keep sizes and options of crops and systems."""
        with self.desk.telling():
            self.keeping.choose(
                source=self.view.source.values(),
                systems=self.view.train.values(),
                follow=self.view.train.follows,
            )

    def _restore(self) -> None:
        """Show what was chosen before in this project, unless cells are cut with it just now."""
        kept, view, desk = self.keeping.choices(), self.view, self.desk
        view.train.show_system(str(kept.get("system", view.train.chosen)), kept.get("systems"))
        desk.colour_by = str(kept.get("colour_by", desk.colour_by))
        desk.threshold = float(kept.get("threshold", desk.threshold))
        view.result.show_choices(desk.colour_by, desk.threshold)

    def _on_theme(self, _event: Any = None) -> None:
        self.view.set_theme(self._viewer.theme)
