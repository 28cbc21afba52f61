"""Joins the dock, the map, the images, the project and the child processes of the Explorer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from napari_cryoml._widgets.embedding import _work
from napari_cryoml._widgets.embedding._averaging import Averaging
from napari_cryoml._widgets.embedding._browsing import Browsing
from napari_cryoml._widgets.embedding._crop_line import CropLine
from napari_cryoml._widgets.embedding._desk import Desk
from napari_cryoml._widgets.embedding._exporting import Exporting
from napari_cryoml._widgets.embedding._finding import Finding
from napari_cryoml._widgets.embedding._grouping import Grouping
from napari_cryoml._widgets.embedding._keeping import Keeping
from napari_cryoml._widgets.embedding._linking import Linking
from napari_cryoml._widgets.embedding._maps import Maps
from napari_cryoml._widgets.embedding._naming import Naming
from napari_cryoml._widgets.embedding._proteins import Compared, Proteins
from napari_cryoml._widgets.embedding._selecting import Selecting
from napari_cryoml._widgets.embedding._sources import Sources
from napari_cryoml._widgets.embedding._state import DENSITY, SCORE
from napari_cryoml._widgets.embedding._taken import Taken
from napari_cryoml._widgets.embedding._view import ExplorerView
from napari_cryoml._widgets.embedding._wiring import connect_view, key_actions
from napari_cryoml._widgets.jobs import Background, ServiceLine
from napari_cryoml.data import Crops
from napari_cryoml.embedding import projections
from napari_cryoml.jobs import ChildJob, ChildService
from napari_cryoml.project import Project

OTHER_PROJECT = (
    "Another project is open in the Picker: the map on show stays as it is, and what is made of it "
    "is not kept there. Maps of the new project are under “Open…”."
)


class ExplorerController:
    """The Explorer of one viewer.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    view : ExplorerView
    start_job : callable
        Starts a job, as `ChildJob.start` does.
    start_service : callable
        Starts a service, as `ChildService.start` does.
    """

    def __init__(
        self,
        viewer: Any,
        view: ExplorerView,
        *,
        start_job: Callable[..., Any] = ChildJob.start,
        start_service: Callable[..., Any] = ChildService.start,
    ) -> None:
        self._viewer = viewer
        self.view = view
        self._closed = False
        self._sought: tuple[str, ...] = ()
        self._background = Background()
        desk = self.desk = Desk(view, self._background, list(projections))
        self._line = ServiceLine(start_service)
        self._crops = CropLine(desk, start_service)
        self.keeping = Keeping(desk)
        self.linking = Linking(viewer, desk)
        self.naming = Naming(desk, self.keeping)
        self.selecting = Selecting(desk, self.naming.take_edit)
        self.browsing = Browsing(desk, self._crops)
        self.averaging = Averaging(desk, self._crops)
        self.maps = Maps(desk, self._line, self.keeping)
        self.grouping = Grouping(desk, self._line, self.keeping)
        self.finding = Finding(
            desk, self._line, self.keeping, self.naming.classify_rows, self.selecting.rows
        )
        self.sources = Sources(desk, self.linking, self.keeping, start_job)
        self.exporting = Exporting(desk)
        self.proteins = Proteins(desk, start_job, self.selecting.rows)
        self._connect()
        connect_view(self)
        view.bind_keys(key_actions(self))
        viewer.events.theme.connect(self._on_theme)
        self._on_theme()
        desk.replace(None)
        self.linking.begin()

    def _connect(self) -> None:
        desk = self.desk
        self.sources.taken.connect(self._take)
        self.proteins.compared.connect(self._take_compared)
        self.linking.project_changed.connect(self._on_project)
        self.linking.rows_changed.connect(self.naming.refresh)
        self.linking.rows_changed.connect(self._seek_crops)
        desk.pointed.connect(self._on_pointed)
        desk.edited.connect(self.naming.take_edit)
        desk.selected.connect(self.averaging.begin)

    @property
    def busy(self) -> bool:
        """Whether anything is being computed, read or written."""
        return (
            self.sources.running
            or self._line.busy
            or self._crops.busy
            or self.averaging.busy
            or self.proteins.running
            or self._background.busy
            or self.keeping.busy
        )

    def teardown(self) -> None:
        """End all work, and let go of images and project; once."""
        if self._closed:
            return
        self._closed = True
        self._viewer.events.theme.disconnect(self._on_theme)
        self._line.close()
        self.sources.close()
        self.proteins.close()
        self._crops.close()
        self._background.close()
        for part in (self.averaging, self.browsing, self.grouping, self.finding, self.linking):
            part.close()
        self.keeping.close()

    def open_paths(self, paths: list[Path]) -> None:
        """Open a file of vectors."""
        self.sources.open_paths(paths)

    def map_cells(self, crops: Crops, config: Any, look_at: Callable[[int], object]) -> None:
        """Map cells that another dock has cut.

        Parameters
        ----------
        crops : Crops
        config : CropEncoderConfig
        look_at : callable
            Brings a crop (its number) to the middle of its image.

        Raises
        ------
        InputError
            If something is being embedded already.
        """
        self.sources.map_crops(crops, config, partial(self.sources.of_cells, crops, look_at))

    def map_proteins(self, crops: Crops, config: Any, look_at: Callable[[int], object]) -> None:
        """Map proteins by the mean vectors of their cells; parameters are those of `map_cells`."""
        self.sources.map_crops(crops, config, partial(self.sources.of_proteins, crops, look_at))
        self.view.show_tab("Proteins")

    def _take_compared(self, compared: Compared) -> None:
        """Show proteins in two conditions on one map."""
        self.keeping.pass_by()
        self.sources.taken.emit(self.sources.of_rows(compared.vectors, compared.cells))
        self.proteins.show_moves(compared)

    def map_or_stop(self) -> None:
        """Embed the picks; while something runs, stop it."""
        if self.sources.running:
            self.sources.stop()
        elif self.maps.running:
            self.maps.stop()
        else:
            self.sources.map_picks()

    # What is chosen

    def choose_method(self, method: str) -> None:
        """Show the map of a method."""
        with self.desk.telling():
            self.keeping.choose(method=method)
        if self.desk.state is not None:
            self.maps.show(method)

    def choose_colour(self, name: str) -> None:
        """Colour the map by a column."""
        with self.desk.telling():
            self.desk.need_state().colour = name
            self.desk.show_colours()
            self.keeping.choose(colour=name)

    def keep_options(self) -> None:
        """Keep the options of maps and encoders."""
        with self.desk.telling():
            self.keeping.choose(options=self.view.options.values())

    # What comes and goes

    def _take(self, taken: Taken) -> None:
        """Show other rows."""
        self._line.close()
        self._restore_choices()
        desk = self.desk
        choices = self.keeping.choices()
        method = taken.method or str(choices.get("method", self.view.chosen_method()))
        usual = SCORE if SCORE in taken.state.names else DENSITY
        taken.state.colour = str(choices.get("colour", usual))
        with desk.telling():
            desk.replace(taken.state)
            self._line.serve(_work.map_service, taken.vectors)
            self.browsing.begin(taken.crops)
            self.naming.begin()
            self._show_kept()
            self.maps.begin(method, taken.remarks)
        self._sought = ()
        self._seek_crops()

    def _seek_crops(self) -> None:
        """Cut the crops of rows that were read, from images that are open by now."""
        link, state = self.desk.link, self.desk.state
        if link is None or state is None or self._crops.open:
            return
        sought, self._sought = self._sought, tuple(link.images)
        if state.embedding.images is not None and link.images and sought != self._sought:
            self._background.run(
                _work.crops_of_embedding,
                state.embedding,
                link,
                on_done=partial(self._take_crops, state),
                on_error=lambda _: None,
            )

    def _take_crops(self, state: Any, found: Any) -> None:
        if state is self.desk.state:
            self.browsing.begin(found[0])
            self.averaging.begin()

    def _on_project(self, project: Project | None) -> None:
        """Keep to the project of the Picker, and show the map that it keeps."""
        if project is None:
            if self.keeping.is_borrowed:
                self.keeping.leave()
            return
        with self.desk.telling():
            if self.keeping.project is not None and not self.keeping.is_borrowed:
                return  # a file of vectors keeps to the project of its own
            self.keeping.use(project)
            self._show_kept()
            last = self.keeping.last
            if self.keeping.has_map:
                self.naming.begin()
            elif self.desk.state is not None:
                self.desk.note(OTHER_PROJECT)
            elif last is not None:
                self.sources.open_kept(last)

    def _show_kept(self) -> None:
        self.view.show_kept({entry.id: entry.name for entry in self.keeping.entries()})

    def _restore_choices(self) -> None:
        options = self.keeping.choices().get("options")
        if isinstance(options, dict):
            self.view.options.show_values(options)

    def _on_pointed(self, row: int, mode: str) -> None:
        """Take a click on a pick in the image: it is ringed, with Shift or Alt selected."""
        self.view.ring([row] if row >= 0 else [])
        if mode != "replace":
            self.selecting.click(row, mode)

    def _on_theme(self, _event: Any = None) -> None:
        self.view.set_theme(self._viewer.theme)
