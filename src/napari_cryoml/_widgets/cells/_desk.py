"""What the parts of the Cells dock's controller share: view, cells, project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.cells._state import CellState
from napari_cryoml._widgets.classes import ClassDesk

if TYPE_CHECKING:
    from napari_cryoml._widgets.cells._view import CellsView


class Desk(ClassDesk):
    """The state of one open Cells dock.

    Parameters
    ----------
    view : CellsView
    background : Background
    """

    nothing = "There are no cells yet: cut them out of an image, or open crops from a file."

    empty_gallery = (
        "Cut the cells of an image above, or open crops from a file: they are shown here to be "
        "given classes."
    )

    no_places = (
        "These cells lie in no image that is open: choose an image and its labels, and cut [U]."
    )

    no_project = (
        "There is no project to keep classes in: cut the cells of an image first [U], or open "
        "crops from a file."
    )

    view: CellsView

    @property
    def cells(self) -> CellState | None:
        """The cells on show."""
        return self.state if isinstance(self.state, CellState) else None

    def need_cells(self) -> CellState:
        """Return the cells on show.

        Raises
        ------
        InputError
            If there are none yet.
        """
        if self.cells is None:
            raise InputError(self.nothing)
        return self.cells
