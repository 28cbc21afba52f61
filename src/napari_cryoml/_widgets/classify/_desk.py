"""What the parts of the Classify dock's controller share: view, crops, project, link."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.classify._palette import classes_of
from napari_cryoml._widgets.classify._state import ClassifyState
from napari_cryoml._widgets.jobs import Background
from napari_cryoml._widgets.link import Links
from napari_cryoml.project import ClassEntry, Edit, Project

if TYPE_CHECKING:
    from napari_cryoml._napari._map_link import MapLink
    from napari_cryoml._widgets.classify._view import ClassifyView
    from napari_cryoml._widgets.link import PickerLink

NO_CROPS = "There are no crops yet: cut the picks, or open boxes from a file."


class Desk:
    """The state of one open Classify dock.

    Parameters
    ----------
    view : ClassifyView
    background : Background
    links : Links
    """

    replaced = Signal()
    """There are other crops, or none any more."""

    labelled = Signal()
    """Crops have other classes than before, or there are other classes."""

    predicted = Signal()
    """There are other predictions, or none any more."""

    rated = Signal()
    """The threshold, or what picks are coloured by, has changed."""

    looked = Signal(int)
    """A crop was clicked: its row."""

    def __init__(self, view: ClassifyView, background: Background, links: Links) -> None:
        self.view = view
        self.background = background
        self.links = links
        self.state: ClassifyState | None = None
        self.project: Project | None = None
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

    def need_state(self) -> ClassifyState:
        """Return the crops.

        Raises
        ------
        InputError
            If there are none yet.
        """
        if self.state is None:
            raise InputError(NO_CROPS)
        return self.state

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

    def note(self, text: str, *, error: bool = False) -> None:
        """Show one sentence, or take the last one away."""
        self.view.show_message(text, error=error)

    def warn(self, text: str) -> None:
        """Show what went wrong, in one sentence."""
        self.note(text, error=True)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Show a user's mistake as a sentence."""
        try:
            yield
        except InputError as error:
            self.warn(str(error))

    def replace(self, state: ClassifyState | None) -> None:
        """Take other crops, or none."""
        self.state = state
        self.view.show_empty(state is None)
        self.replaced.emit()

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

    def take_back(self) -> Edit | None:
        """Undo the last edit of the project, and have the Picker show it if it is its own."""
        if self.picker is not None:
            return self.picker.undo()
        return None if self.project is None else self.project.undo()

    def make_again(self) -> Edit | None:
        """Redo the edit of the project that was undone last."""
        if self.picker is not None:
            return self.picker.redo()
        return None if self.project is None else self.project.redo()

    @property
    def folder(self) -> Path:
        """Where files are offered to be written: beside the project, or at home."""
        return Path.home() if self.project is None else self.project.path.parent
