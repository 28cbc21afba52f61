"""Labels and classes for the selected rows, each as one edit."""

from __future__ import annotations

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.embedding._desk import Desk
from napari_cryoml._widgets.embedding._keeping import Keeping
from napari_cryoml._widgets.embedding._state import CLASS
from napari_cryoml.data import NEGATIVE, POSITIVE
from napari_cryoml.project import Edit

_WORDS = {POSITIVE: "particles", NEGATIVE: "no particles"}


class Naming:
    """What the user says about rows.

    Parameters
    ----------
    desk : Desk
    keeping : Keeping
    """

    def __init__(self, desk: Desk, keeping: Keeping) -> None:
        self._desk = desk
        self._keeping = keeping
        self._known = -1
        self._rows: dict[int, dict[str, int]] = {}

    def particles(self) -> None:
        """Label the selected rows as particles."""
        self._label(POSITIVE)

    def negatives(self) -> None:
        """Label the selected rows as no particles."""
        self._label(NEGATIVE)

    def label_row(self, row: int, label: int) -> None:
        """Label one row."""
        with self._desk.telling():
            self._label_rows(np.array([row]), label)

    def classify(self, name: str) -> None:
        """Give the selected rows a class; "" takes theirs away."""
        with self._desk.telling():
            rows = self._desk.need_state().need_selected("to give them a class")
            self.classify_rows(rows, name)

    def classify_by_digit(self, row: int, digit: int) -> None:
        """Give one row the class of a number, counted from 1; 0 takes its class away."""
        with self._desk.telling():
            names = list(self._desk.need_state().classes.counts)
            if digit > len(names):
                raise InputError(f"There are {len(names)} classes: {digit} is none of them.")
            self.classify_rows(np.array([row]), names[digit - 1] if digit else "")

    def classify_rows(self, rows: np.ndarray, names: str | list[str]) -> None:
        """Give rows one class, or each its own."""
        state = self._desk.need_state()
        ids = state.embedding.ids[rows].tolist()
        kept = self._keeping.classify(ids, names)
        if kept:
            # Undo comes soon, if it comes: to find ids among a million takes half a second.
            self._rows = {self._desk.edit: dict(zip(ids, rows.tolist(), strict=True))}
        state.classes.put(rows, names)
        self._keeping.tell()
        if isinstance(names, str):
            what = f"are “{names}” now" if names else "have no class now"
            unkept = "" if kept else " They are not kept: there is no project."
            self._desk.note(f"{len(rows):,} rows {what}.{unkept}")
        if state.colour != CLASS and CLASS in state.names:
            state.colour = CLASS
        self._show()

    def refresh(self) -> None:
        """Read the labels anew, if anything was edited since."""
        desk, state = self._desk, self._desk.state
        if state is None or desk.edit == self._known:
            return
        self._known = desk.edit
        if desk.link is not None and desk.link.can_label:
            state.labels = desk.link.labels()
        self._show()

    def take_edit(self, edit: Edit | None) -> None:
        """Show what an edit has changed that was taken back or made again."""
        state = self._desk.state
        if state is not None and edit is not None and edit.classified:
            known = dict(zip(edit.classified, edit.classes, strict=True))
            row_of = self._rows.get(edit.id)
            if row_of is None:
                rows = state.rows_of(known)
            else:
                rows = np.array([row_of[one] for one in known], np.intp)
            ids = state.embedding.ids[rows].tolist()
            state.classes.put(rows, [known[one] for one in ids])
        self.refresh()

    def begin(self) -> None:
        """Read the labels, for there is another map or another link."""
        self._known, self._rows = -2, {}
        self.refresh()

    def _label(self, label: int) -> None:
        with self._desk.telling():
            rows = self._desk.need_state().need_selected("to label them")
            self._label_rows(rows, label)

    def _label_rows(self, rows: np.ndarray, label: int) -> None:
        desk = self._desk
        if desk.link is None or not desk.link.can_label:
            raise InputError(
                "Labels go to the Picker: open it with the images of these rows. Classes can be "
                "given without it."
            )
        edit = desk.link.label(rows, label)
        n_images = desk.need_state().images_of(rows)
        if edit is None:
            desk.note(f"All {len(rows):,} were labelled as {_WORDS[label]} before.")
        else:
            desk.note(
                f"{len(rows):,} picks in {n_images:,} image{'s' * (n_images != 1)} are labelled as "
                f"{_WORDS[label]}. Undo [Ctrl+Z] takes back all of them."
            )
        self.refresh()

    def _show(self) -> None:
        self._desk.show_colours()
        self._desk.show_counts()
        self._desk.named.emit()
