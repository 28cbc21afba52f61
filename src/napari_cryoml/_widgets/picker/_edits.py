"""Edits of many places at once, and the way back from any edit."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy.typing as npt

from napari_cryoml._widgets.picker._desk import Desk
from napari_cryoml._widgets.picker._files import Files
from napari_cryoml._widgets.picker._session import Session
from napari_cryoml.project import Edit


class Edits:
    """Makes, takes back and shows edits that concern any number of images.

    Parameters
    ----------
    desk : Desk
    files : Files
    choose : callable
        Shows the image of a name.
    """

    def __init__(self, desk: Desk, files: Files, choose: Callable[[str], None]) -> None:
        self._desk = desk
        self._files = files
        self._choose = choose

    def label_places(self, places: Mapping[str, npt.ArrayLike], label: int) -> Edit | None:
        """Give places of several images a label, in one edit; None if all have it already.

        Parameters
        ----------
        places : mapping of str to array of shape (n, ndim)
            Pixel (z)yx, by name of the image.
        label : int
            `POSITIVE` or `NEGATIVE`.

        Raises
        ------
        InputError
            If no project is open, an image is not in it, or it cannot be written.
        """
        edit = self._desk.need_session().label_places(places, label)
        if edit is not None:
            self._show(edit)
        return edit

    def undo(self) -> Edit | None:
        """Take back the last edit, on whichever image it was, and return it."""
        return self._switch(lambda session: session.project.undo(), "There is nothing to undo.")

    def redo(self) -> Edit | None:
        """Make again the edit that was undone last, and return it."""
        return self._switch(lambda session: session.project.redo(), "There is nothing to redo.")

    def _switch(self, act: Callable[[Session], Edit | None], nothing: str) -> Edit | None:
        edit = None
        with self._desk.telling():
            edit = act(self._desk.need_session())
            self._desk.note(nothing if edit is None else _told(edit))
            if edit is not None:
                self._go_to(edit)
                self._show(edit)
                self._desk.edited.emit(edit)
        return edit

    def _go_to(self, edit: Edit) -> None:
        """Show an image whose labels have changed, unless one is on show."""
        if edit.images and self._desk.shown not in edit.images:
            sources = self._desk.need_session().sources
            readable = [name for name in edit.images if name in sources]
            self._choose((readable or edit.images)[0])

    def _show(self, edit: Edit) -> None:
        self._desk.show_diameter()
        self._desk.show_labels()
        self._desk.show_picks()
        others = [name for name in edit.images if name != self._desk.shown]
        if others:
            self._files.count_picks(self._desk.need_session(), others)
        self._desk.refresh()


def _told(edit: Edit) -> str:
    """Return what to say about an edit that shows elsewhere."""
    if edit.classified:
        number = f"{len(edit.classified):,} rows of the map"
        return f"The classes of {number} were {'taken back' if edit.action == 'undone' else 'set'}."
    return f"Labels of {len(edit.images)} images have changed." if len(edit.images) > 1 else ""
