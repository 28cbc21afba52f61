"""What the docks share that show rows: picks on a map, or crops in a gallery."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from psygnal import Signal

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.crops import write_average
from napari_cryoml._widgets.frame import Telling
from napari_cryoml._widgets.jobs import Background
from napari_cryoml.project import Edit, Project

if TYPE_CHECKING:
    from napari_cryoml._widgets.link._picker_link import PickerLink
    from napari_cryoml.averaging import ClassAverage, SubtomogramAverage

StateT = TypeVar("StateT")


class RowsDesk(Telling, Generic[StateT]):
    """Rows that are replaced as a whole, and the project that keeps what is said of them.

    Parameters
    ----------
    view : Dock
        With ``show_message`` and ``show_empty``.
    background : Background
    """

    replaced = Signal()
    """There are other rows, or none any more."""

    nothing = "There is nothing yet."
    """What is said where rows are needed and there are none."""

    def __init__(self, view: Any, background: Background) -> None:
        self.view = view
        self.background = background
        self.state: StateT | None = None
        self.project: Project | None = None

    def need_state(self) -> StateT:
        """Return what is on show.

        Raises
        ------
        InputError
            If there is nothing yet.
        """
        if self.state is None:
            raise InputError(self.nothing)
        return self.state

    def replace(self, state: StateT | None) -> None:
        """Take other rows, or none."""
        self.state = state
        self.view.show_empty(state is None)
        self.replaced.emit()

    def here(self, hear: Callable[[Any], object]) -> Callable[[Any], object]:
        """Return what passes on answers until there are other rows."""
        state = self.state
        return lambda said: hear(said) if state is self.state else None

    @property
    def folder(self) -> Path:
        """Where files are offered to be written: beside the project, or at home."""
        return Path.home() if self.project is None else self.project.path.parent

    def save_average(self, made: ClassAverage | SubtomogramAverage | None) -> None:
        """Write an average and its halves to files that the user names."""
        path = None if made is None else self.view.ask_average_path(self.folder)
        if path is not None:
            self.background.run(write_average, made, path, on_done=self.note, on_error=self.warn)

    # Edits

    def editor(self) -> Project | PickerLink | None:
        """Return who takes edits back: the Picker if it shows the project, else the project."""
        return self.project

    def take_back(self) -> Edit | None:
        """Undo the last edit of the project, and have the Picker show it if it is its own."""
        editor = self.editor()
        return None if editor is None else editor.undo()

    def make_again(self) -> Edit | None:
        """Redo the edit of the project that was undone last."""
        editor = self.editor()
        return None if editor is None else editor.redo()
