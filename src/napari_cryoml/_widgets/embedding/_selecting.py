"""Lassos, clicks, groups and classes to selected rows; undo and redo of whatever was last."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from napari_cryoml._widgets.embedding._desk import Desk
from napari_cryoml._widgets.embedding._history import Mask
from napari_cryoml._widgets.embedding._state import CLUSTER
from napari_cryoml.project import Edit


class Selecting:
    """Which rows are selected.

    Parameters
    ----------
    desk : Desk
    take_edit : callable
        Shows an edit of the project that was undone or made again.
    """

    def __init__(self, desk: Desk, take_edit: Callable[[Edit | None], None]) -> None:
        self._desk = desk
        self._take_edit = take_edit

    def take(self, mask: Mask, mode: str) -> None:
        """Take a lasso or a rectangle: "replace", "add" or "subtract"."""
        with self._desk.telling():
            state = self._desk.need_state()
            if not mask.any():
                self._desk.note("There are no points in that outline; the selection stays.")
                return
            self._desk.note("")
            self._desk.select(state.combine(mask, mode))

    def click(self, row: int, mode: str) -> None:
        """Take a click on one point; -1 on none, which selects nothing unless it adds."""
        with self._desk.telling():
            state = self._desk.need_state()
            mask = np.zeros(len(state), bool)
            if row >= 0:
                mask[row] = True
            elif mode != "replace":
                return
            self._desk.select(state.combine(mask, mode))

    def rows(self, rows: npt.ArrayLike) -> None:
        """Select these rows."""
        with self._desk.telling():
            mask = np.zeros(len(self._desk.need_state()), bool)
            mask[np.asarray(rows, np.intp)] = True
            self._desk.select(mask)

    def group(self, number: int) -> None:
        """Select the rows of a group; -1 those that are in none."""
        with self._desk.telling():
            self.rows(np.flatnonzero(self._desk.need_state().column(CLUSTER) == number))

    def category(self, name: str) -> None:
        """Select the rows of a category of the column that the map is coloured by."""
        colours = self._desk.colouring
        if colours.codes is not None and name in colours.names:
            self.rows(np.flatnonzero(colours.codes == colours.names.index(name)))

    def clear(self) -> None:
        """Select nothing."""
        if self._desk.state is not None:
            self._desk.select(np.zeros(len(self._desk.state), bool))

    # Undo

    def undo(self) -> None:
        """Take back whatever was last: a selection, or an edit of the project."""
        with self._desk.telling():
            desk, history = self._desk, self._desk.need_state().history
            if desk.can_undo and history.comes_before(desk.edit):
                self._tell(desk.take_back())
            elif history.undo():
                self._desk.note("")
                self._desk.show_selection()
            else:
                self._desk.note("There is nothing to undo.")

    def redo(self) -> None:
        """Make again what was undone last."""
        with self._desk.telling():
            desk, history = self._desk, self._desk.need_state().history
            if desk.can_redo and history.waits_for(desk.edit):
                self._tell(desk.make_again())
            elif history.redo():
                self._desk.note("")
                self._desk.show_selection()
            else:
                self._desk.note("There is nothing to redo.")

    def _tell(self, edit: Edit | None) -> None:
        self._take_edit(edit)
        if edit is not None:
            self._desk.note(edit_text(edit))


def edit_text(edit: Edit) -> str:
    """Return what an edit has changed, in a sentence."""
    again = {"made": "made", "undone": "taken back", "redone": "made again"}[edit.action]
    if edit.classified:
        return f"The classes of {len(edit.classified):,} rows were {again}."
    n_labels = sum(max(len(one.added), len(one.removed)) for one in edit.changes.values())
    if n_labels:
        return f"{n_labels:,} labels in {len(edit.images):,} images were {again}."
    return f"A change of the {edit.setting or 'project'} was {again}."
