"""What the parts of the Classify dock's controller share: view, crops, project, link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_cryoml._widgets.classes import ClassDesk
from napari_cryoml._widgets.jobs import Background
from napari_cryoml._widgets.link import Links
from napari_cryoml.project import Edit, Project

if TYPE_CHECKING:
    from napari_cryoml._napari._map_link import MapLink
    from napari_cryoml._widgets.classify._view import ClassifyView
    from napari_cryoml._widgets.link import PickerLink


class Desk(ClassDesk):
    """The state of one open Classify dock.

    Parameters
    ----------
    view : ClassifyView
    background : Background
    links : Links
    """

    view: ClassifyView

    def __init__(self, view: ClassifyView, background: Background, links: Links) -> None:
        super().__init__(view, background)
        self.links = links

    @property
    def link(self) -> MapLink | None:
        """Who shows the images."""
        return self.links.link

    @property
    def picker(self) -> PickerLink | None:
        """The link to the Picker, if the project is its own."""
        picker = self.links.picker
        return picker if picker is not None and picker.project is self.project else None

    def tell(self, edit: Edit | None) -> None:
        """Have other docks on the same project hear of an edit."""
        if edit is not None and self.picker is not None:
            self.picker.tell(edit)

    def editor(self) -> Project | PickerLink | None:
        """Return who takes edits back: the Picker if it shows the project, else the project."""
        return self.picker or self.project
