"""What the parts of the Classify dock's controller share: view, crops, project, link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.classify._palette import classes_of
from napari_cryoml._widgets.classify._state import ClassifyState
from napari_cryoml._widgets.jobs import Background
from napari_cryoml._widgets.link import Links, RowsDesk
from napari_cryoml.project import ClassEntry, Edit, Project

if TYPE_CHECKING:
    from napari_cryoml._napari._map_link import MapLink
    from napari_cryoml._widgets.classify._view import ClassifyView
    from napari_cryoml._widgets.link import PickerLink


class Desk(RowsDesk[ClassifyState]):
    """The state of one open Classify dock.

    Parameters
    ----------
    view : ClassifyView
    background : Background
    links : Links
    """

    nothing = "There are no crops yet: cut the picks, or open boxes from a file."

    labelled = Signal()
    """Crops have other classes than before, or there are other classes."""

    predicted = Signal()
    """There are other predictions, or none any more."""

    rated = Signal()
    """The threshold, or what picks are coloured by, has changed."""

    looked = Signal(int)
    """A crop was clicked: its row."""

    view: ClassifyView

    def __init__(self, view: ClassifyView, background: Background, links: Links) -> None:
        super().__init__(view, background)
        self.links = links
        self.current = ""
        self.threshold = 0.0
        self.colour_by = "class"

    @property
    def link(self) -> MapLink | None:
        """Who shows the images."""
        return self.links.link

    @property
    def picker(self) -> PickerLink | None:
        """The link to the Picker, if the project is its own."""
        picker = self.links.picker
        return picker if picker is not None and picker.project is self.project else None

    def need_project(self) -> Project:
        """Return the project.

        Raises
        ------
        InputError
            If there is none, so that classes could not be kept.
        """
        if self.project is None:
            raise InputError(
                "There is no project to keep classes in: open the images in the Picker, or boxes "
                "from a file."
            )
        return self.project

    # Classes

    def entries(self) -> list[ClassEntry]:
        """Return the classes there are, with a colour and a key each."""
        return classes_of(self.project)

    def colours(self) -> dict[str, str]:
        """Return the colour of each class, as "#RRGGBB"."""
        return {entry.name: entry.colour for entry in self.entries()}

    # Edits

    def tell(self, edit: Edit | None) -> None:
        """Have other docks on the same project hear of an edit."""
        if edit is not None and self.picker is not None:
            self.picker.tell(edit)

    def editor(self) -> Project | PickerLink | None:
        """Return who takes edits back: the Picker if it shows the project, else the project."""
        return self.picker or self.project
