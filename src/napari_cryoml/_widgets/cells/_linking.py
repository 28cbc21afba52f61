"""Image, gallery and map follow each other."""

from __future__ import annotations

from typing import Any

from napari_cryoml._napari._cell_view import CellView
from napari_cryoml._widgets.cells._desk import Desk
from napari_cryoml._widgets.cells._sources import Sources
from napari_cryoml._widgets.classes import Browsing, Labelling, Show
from napari_cryoml._widgets.frame import Connections


class Linking:
    """Takes clicks on cells in the image, and brings cells to its middle.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    desk : Desk
    sources : Sources
    labelling : Labelling
    browsing : Browsing
    """

    def __init__(
        self,
        viewer: Any,
        desk: Desk,
        sources: Sources,
        labelling: Labelling,
        browsing: Browsing,
    ) -> None:
        self._viewer = viewer
        self._desk = desk
        self._sources = sources
        self._labelling = labelling
        self._browsing = browsing
        self.cells = CellView(viewer)
        self._connections = Connections(
            (desk.replaced, self._attach),
            (desk.in_image, self._on_mode),
            (self.cells.mouse.clicked, self._on_click),
        )

    def close(self) -> None:
        """Let go of the viewer."""
        self._connections.close()
        self.cells.close()

    def _attach(self) -> None:
        cells = self._desk.cells
        in_image = cells is not None and cells.in_image
        self.cells.watch(self._sources.layer if in_image else None)

    def _on_mode(self, on: bool) -> None:
        if on:
            self.cells.let_click()

    def _on_click(self, number: int, mode: str) -> None:
        """Give a cell that was clicked the chosen class, or point at it in gallery and map."""
        cells = self._desk.cells
        row = -1 if cells is None else cells.row_at(number)
        if row < 0 or mode != "replace":
            return
        if self._labelling.in_image:
            self._labelling.give_current(row)
        self.show_in_gallery(row)
        self.show_on_map(row)

    def show_in_gallery(self, row: int) -> None:
        """Point at a cell in the gallery; if it is not among those on show, all are shown."""
        grid = self._desk.view.gallery.crops.grid
        if not grid.point_to(row):
            self._browsing.choose(Show())
            grid.point_to(row)

    def show_on_map(self, row: int) -> None:
        """Ring a cell, or its protein, on the map of the Explorer, if it is there."""
        cells, explorer = self._desk.cells, _explorer(self._viewer)
        if cells is None or explorer is None or explorer.desk.state is None:
            return
        names = [cells.ids[row], *([] if cells.proteins is None else [str(cells.proteins[row])])]
        found = explorer.desk.state.rows_of(names)
        explorer.view.ring([int(found[0])] if len(found) else [])

    def look_at(self, row: int) -> None:
        """Bring a cell to the middle of its image."""
        cells = self._desk.cells
        if cells is None or row < 0:
            return
        numbers, places = cells.numbers_in_image, cells.places
        if numbers is None or places is None:
            self._desk.note("These cells come from files: their image is not open.")
            return
        self.cells.look_at(places.positions[row], int(numbers[row]))

    def on_crop(self, row: int, how: str) -> None:
        """Take a click on a crop: it is ringed on the map; with Shift its image is shown."""
        self.show_on_map(row)
        if how == "shift+left":
            self.look_at(row)


def _explorer(viewer: Any) -> Any | None:
    from napari_cryoml._widgets.embedding import explorers

    return explorers.of(viewer)
