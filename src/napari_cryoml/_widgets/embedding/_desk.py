"""What the parts of the Explorer's controller share: view, map, link to the images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal

from napari_cryoml._widgets.embedding._colouring import Colouring, colouring, palette_of
from napari_cryoml._widgets.embedding._history import Mask
from napari_cryoml._widgets.embedding._selection_row import NOTHING
from napari_cryoml._widgets.embedding._state import DENSITY, MapState
from napari_cryoml._widgets.jobs import Background
from napari_cryoml._widgets.link import RowsDesk
from napari_cryoml.project import Project

if TYPE_CHECKING:
    from napari_cryoml._napari._map_link import MapLink
    from napari_cryoml._widgets.embedding._view import ExplorerView
    from napari_cryoml._widgets.link import PickerLink


class Desk(RowsDesk[MapState]):
    """The state of one open Explorer.

    Parameters
    ----------
    view : ExplorerView
    background : Background
    methods : sequence of str
        The kinds of maps that can be made.
    """

    nothing = "There is no map yet: map the picks, or open a file of vectors."

    mapped = Signal()
    """The map on show has changed."""

    pointed = Signal(int, str)
    """A row was clicked in the image or in the gallery, and "replace", "add" or "subtract"."""

    edited = Signal(object)
    """An `Edit` was taken back or made again by the Picker."""

    named = Signal()
    """Labels or classes of rows have changed."""

    selected = Signal()
    """Other rows are selected."""

    view: ExplorerView

    def __init__(self, view: ExplorerView, background: Background, methods: Sequence[str]) -> None:
        super().__init__(view, background)
        self.methods = tuple(methods)
        self.link: MapLink | None = None
        self.picker: PickerLink | None = None
        self.colouring = Colouring()

    def replace(self, state: MapState | None) -> None:
        """Take another map, or none."""
        super().replace(state)
        self.show_map(refit=True)
        self.show_colours()
        self.show_selection()

    @property
    def edit(self) -> int:
        """Number of the last edit of the project that is done; -1 without a project."""
        return -1 if self.project is None else self.project.last_edit

    @property
    def can_undo(self) -> bool:
        """Whether an edit of the project can be undone."""
        return self.project is not None and self.project.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether an edit of the project can be made again."""
        return self.project is not None and self.project.can_redo

    def editor(self) -> Project | PickerLink | None:
        """Return who takes edits back: the Picker if it shows the project, else the project."""
        picker = self.picker
        return picker if picker is not None and picker.project is self.project else self.project

    def select(self, mask: Mask) -> None:
        """Select these rows, as a step that can be undone."""
        if self.need_state().history.select(mask, self.edit):
            self.show_selection()

    def class_colours(self) -> dict[str, str]:
        """Return the colour of each class, as "#RRGGBB"; it stays as classes come and grow."""
        names = [] if self.state is None else list(self.state.classes.counts)
        known = {} if self.project is None else class_list(self.project)
        return palette_of(names) | {name: known[name] for name in names if name in known}

    # What is on show

    def show_map(self, *, refit: bool = False) -> None:
        """Show the map of the method that was chosen.

        Parameters
        ----------
        refit : bool, default False
            Whether to show all of it; else the view stays where it is.
        """
        if self.state is not None:
            if self.state.method:
                self.view.show_layout(self.state.layout, refit=refit)
            self.view.show_method(self._methods(self.state), self.state.method)
        self.mapped.emit()

    def _methods(self, state: MapState) -> list[str]:
        return [*self.methods, *(name for name in state.layouts if name not in self.methods)]

    def show_colours(self) -> None:
        """Show the colours of the column that was chosen; another one if that has gone."""
        state = self.state
        if state is None:
            return
        if state.colour not in state.names:
            state.colour = DENSITY
        self.colouring = colouring(state, self.class_colours())
        self.view.show_colours(state.names, state.colour)
        self.view.show_colouring(self.colouring, state.colour)

    def show_selection(self) -> None:
        """Show which rows are selected, and how many."""
        state = self.state
        mask = np.zeros(0, bool) if state is None else state.selection
        self.view.show_selection(mask)
        self.show_counts()
        self.selected.emit()

    def show_counts(self) -> None:
        """Show how many rows are selected, the classes, and what can be undone."""
        state = self.state
        if state is None:
            self.view.show_counts(NOTHING, 0)
            self.view.show_undo(False, False)
            return
        rows = state.selected
        self.view.show_counts(selection_text(state), len(rows))
        self.view.show_classes(state.classes.counts)
        history = state.history
        self.view.show_undo(history.can_undo or self.can_undo, history.can_redo or self.can_redo)


def class_list(project: Project) -> dict[str, str]:
    """Return the colours that the project has for classes."""
    return {entry.name: entry.colour for entry in project.class_list()}


def selection_text(state: MapState) -> str:
    """Return how many rows are selected, of how many, in how many images."""
    rows = state.selected
    n_out = int((~state.placed).sum()) if state.method else 0
    out = f" {n_out:,} have no place on this map." if n_out else ""
    if not len(rows):
        return f"{len(state):,} rows. Draw around some to select them.{out}"
    n_images = state.images_of(rows)
    within = f" in {n_images:,} image{'s' * (n_images != 1)}" if n_images else ""
    return f"{len(rows):,} of {len(state):,} selected{within}."
