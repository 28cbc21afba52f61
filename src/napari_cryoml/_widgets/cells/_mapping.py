"""The way to the Explorer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.cells._desk import Desk
from napari_cryoml._widgets.cells._linking import Linking
from napari_cryoml._widgets.cells._map_tab import CLASSIFIER
from napari_cryoml._widgets.cells._state import CellState
from napari_cryoml._widgets.classes import Answering, Keeping
from napari_cryoml._widgets.frame import Connections
from napari_cryoml.classification import FeatureSystem

if TYPE_CHECKING:
    from napari_cryoml._widgets.embedding import ExplorerController

PLUGIN, EXPLORER = "napari-cryoml", "Explorer"


class Mapping:
    """Has the Explorer map cells or proteins.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    desk : Desk
    keeping : Keeping
    answering : Answering
    linking : Linking
    """

    def __init__(
        self, viewer: Any, desk: Desk, keeping: Keeping, answering: Answering, linking: Linking
    ) -> None:
        self._viewer = viewer
        self._desk = desk
        self._keeping = keeping
        self._answering = answering
        self._linking = linking
        self._connections = Connections((desk.replaced, self.show), (desk.predicted, self.show))

    def close(self) -> None:
        """Let go of the desk."""
        self._connections.close()

    def show(self) -> None:
        """Show what can be mapped, and by what."""
        cells, tab = self._desk.cells, self._desk.view.map
        if cells is None:
            tab.show_source("", 0)
            tab.show_classifier("")
            return
        names = set() if cells.proteins is None else set(cells.proteins.tolist()) - {""}
        text = f"{len(cells):,} cells" + (f" of {len(names):,} proteins." if names else ".")
        tab.show_source(text, len(names))
        fitted = cells.fitted
        network = fitted is not None and not isinstance(fitted.system, FeatureSystem)
        tab.show_classifier(fitted.system.name if fitted is not None and network else "")

    def run(self) -> None:
        """Map cells or proteins in the Explorer, which is opened if it is not."""
        desk = self._desk
        with desk.telling():
            cells = desk.need_cells()
            by, name = desk.view.map.chosen
            if name == CLASSIFIER:
                self._answering.save(self._place(), lambda path: self._run_network(Path(path), by))
                return
            self._start(cells, desk.view.map.config(), by)

    def _run_network(self, path: Path, by: str) -> None:
        from napari_cryoml.embedding import encoders

        with self._desk.telling():
            config = encoders.create("classifier", model=path, layer="vectors")
            self._start(self._desk.need_cells(), config, by)

    def _start(self, cells: CellState, config: Any, by: str) -> None:
        explorer = open_explorer(self._viewer)
        look_at = partial(self._look_at, cells.ids)
        if by == "protein":
            explorer.map_proteins(cells.crops, config, look_at)
        else:
            explorer.map_cells(cells.crops, config, look_at)
        self._desk.note("")

    def _look_at(self, ids: Sequence[str], row: int) -> None:
        """Bring a cell of the map to the middle of its image, if the dock still has it."""
        cells = self._desk.cells
        if cells is None or ids[row] not in cells.ids:
            self._desk.note("This cell is on the map alone: its image is no longer in this dock.")
            return
        self._linking.look_at(cells.ids.index(ids[row]))

    def _place(self) -> Path:
        """Return where the network in use is written for the encoder to read."""
        place = self._keeping.model_place()
        if place is None:
            raise InputError(
                "There is no project to keep the network in: save the model under “Train”, and "
                "choose the encoder “classifier” with that file."
            )
        return place


def open_explorer(viewer: Any) -> ExplorerController:
    """Return the Explorer of a viewer, opened if it is not.

    Raises
    ------
    InputError
        If the viewer has no window to open it in.
    """
    from napari_cryoml._widgets.embedding import explorers

    found = explorers.of(viewer)
    if found is None and getattr(viewer, "window", None) is not None:
        viewer.window.add_plugin_dock_widget(PLUGIN, EXPLORER)
        found = explorers.of(viewer)
    if found is None:
        raise InputError("The Explorer is not open: open it from the Plugins menu, then map again.")
    return found
