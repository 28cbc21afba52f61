"""What the parts of a dock that classifies crops share: view, crops, project, classes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from psygnal import Signal

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.classes._class_state import ClassState
from napari_cryoml._widgets.classes._palette import classes_of
from napari_cryoml._widgets.jobs import Background
from napari_cryoml._widgets.link import RowsDesk
from napari_cryoml.project import ClassEntry, Edit, Project

if TYPE_CHECKING:
    from napari_cryoml._widgets.classes._class_gallery import ClassGallery
    from napari_cryoml._widgets.classes._class_group import ClassGroup
    from napari_cryoml._widgets.classes._result_tab import ResultTab
    from napari_cryoml._widgets.classes._train_tab import TrainTab


class ClassView(Protocol):
    """A dock in which crops are classified."""

    classes: ClassGroup
    gallery: ClassGallery
    train: TrainTab
    result: ResultTab

    def show_message(self, text: str, *, error: bool = False) -> None:
        """Show one sentence, or none."""

    def show_empty(self, empty: bool) -> None:
        """Show that there are no crops yet, or that there are some."""

    def ask_save_model_path(self, folder: Path) -> Path | None:
        """Ask where to write the classifier."""

    def ask_load_model_path(self) -> Path | None:
        """Ask for the file of a classifier."""


class ClassDesk(RowsDesk[ClassState]):
    """The state of one open dock.

    Parameters
    ----------
    view : ClassView
    background : Background
    """

    nothing = "There are no crops yet: cut the picks, or open boxes from a file."

    empty_gallery = (
        "Cut crops of the picks above, or open boxes from a file: they are shown here to be given "
        "classes."
    )
    """What the gallery says while there are no crops."""

    no_places = "Cut crops of the picks first [U]."
    """What is said where clicks in the image are to give classes, and nothing lies in it."""

    no_project = (
        "There is no project to keep classes in: open the images in the Picker, or boxes from a "
        "file."
    )

    labelled = Signal()
    """Crops have other classes than before, or there are other classes."""

    predicted = Signal()
    """There are other predictions, or none any more."""

    rated = Signal()
    """The threshold, or what is shown in the image by what colour, has changed."""

    looked = Signal(int)
    """A crop was clicked in the image: its row."""

    in_image = Signal(bool)
    """Whether clicks in the image give classes from now on."""

    view: ClassView

    def __init__(self, view: ClassView, background: Background) -> None:
        super().__init__(view, background)
        self.current = ""
        self.threshold = 0.0
        self.colour_by = "class"

    def need_project(self) -> Project:
        """Return the project.

        Raises
        ------
        InputError
            If there is none, so that classes could not be kept.
        """
        if self.project is None:
            raise InputError(self.no_project)
        return self.project

    def entries(self) -> list[ClassEntry]:
        """Return the classes there are, with a colour and a key each."""
        return classes_of(self.project)

    def colours(self) -> dict[str, str]:
        """Return the colour of each class, as "#RRGGBB"."""
        return {entry.name: entry.colour for entry in self.entries()}

    def tell(self, edit: Edit | None) -> None:
        """Have other docks on the same project hear of an edit, if there are any."""
