"""The classes, and which crop has which: each change is an edit that can be undone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.classes._class_desk import ClassDesk
from napari_cryoml._widgets.classes._class_list import ClassRow
from napari_cryoml._widgets.classes._class_state import Rows
from napari_cryoml._widgets.classes._palette import next_colour, next_key
from napari_cryoml.project import CLASSES, ClassEntry, Edit

NO_CLASS = "Choose a class in the list first, or add one [N]: clicks give the chosen one."


class Labelling:
    """What the user says about crops.

    Parameters
    ----------
    desk : ClassDesk
    """

    def __init__(self, desk: ClassDesk) -> None:
        self._desk = desk
        self.in_image = False
        desk.predicted.connect(self.show)
        desk.rated.connect(self.show)

    def close(self) -> None:
        """Let go of the desk, and of the clicks on the image."""
        self._desk.predicted.disconnect(self.show)
        self._desk.rated.disconnect(self.show)
        self.set_in_image(False)

    # Classes

    def choose(self, name: str) -> None:
        """Have clicks give this class from now on."""
        self._desk.current = name
        self.show()

    def add(self) -> None:
        """Add a class, and let its name be typed in."""
        with self._desk.telling():
            self._desk.need_project()
            entries = self._desk.entries()
            names = {entry.name for entry in entries}
            number = next(n for n in range(1, len(names) + 2) if f"class {n}" not in names)
            entry = ClassEntry(
                f"class {number}",
                next_colour(one.colour for one in entries),
                next_key(one.key for one in entries),
            )
            self._desk.current = entry.name
            self._set_list([*entries, entry])
            self._desk.view.classes.edit_name(entry.name)

    def rename(self, before: str, after: str) -> None:
        """Give a class another name, everywhere."""
        with self._desk.telling():
            entries = self._desk.entries()
            if after in {entry.name for entry in entries}:
                raise InputError(f"There is a class {after!r} already: choose another name.")
            if self._desk.current == before:
                self._desk.current = after
            renamed = [
                ClassEntry(after, entry.colour, entry.key) if entry.name == before else entry
                for entry in entries
            ]
            self._classify_all_of(before, after)
            self._set_list(renamed)

    def recolour(self, name: str, colour: str) -> None:
        """Give a class another colour."""
        with self._desk.telling():
            self._set_list(
                ClassEntry(entry.name, colour, entry.key) if entry.name == name else entry
                for entry in self._desk.entries()
            )

    def remove(self, name: str) -> None:
        """Take a class away, and from all crops that have it."""
        with self._desk.telling():
            entries = self._desk.entries()
            n = self._classify_all_of(name, "")
            if self._desk.current == name:
                self._desk.current = ""
            self._set_list(entry for entry in entries if entry.name != name)
            self._desk.note(
                f"The class {name!r} was removed, and taken from {n:,} crops. Undo [Ctrl+Z] twice "
                "brings both back."
                if n
                else ""
            )

    def _classify_all_of(self, name: str, after: str) -> int:
        project = self._desk.need_project()
        ids = [one for one, known in project.classes().items() if known == name]
        if ids:
            self._desk.tell(project.classify(ids, after))
        return len(ids)

    def _set_list(self, entries: Iterable[ClassEntry]) -> None:
        self._desk.tell(self._desk.need_project().set_class_list(entries))
        self.refresh()

    # Crops

    def knows(self, digit: int) -> bool:
        """Whether a digit stands for a class, or for none of them, which is 0."""
        return not digit or str(digit) in {entry.key for entry in self._desk.entries()}

    def give_digit(self, row: int, digit: int) -> None:
        """Give a crop the class of a key; 0 takes its class away."""
        with self._desk.telling():
            entries = self._desk.entries()
            found = [entry.name for entry in entries if entry.key == str(digit)]
            if digit and not found:
                n = len(entries)
                raise InputError(
                    f"No class has the key {digit}: there {'is' if n == 1 else 'are'} {n} so far. "
                    "Add one [N]."
                )
            self._give(np.array([row]), found[0] if digit else "")

    def give_current(self, row: int) -> None:
        """Give a crop the chosen class; one that has it loses it."""
        with self._desk.telling():
            state = self._desk.need_state()
            if not self._desk.current:
                raise InputError(NO_CLASS)
            code = int(state.classes.codes[row])
            has = code >= 0 and state.classes.names[code] == self._desk.current
            self._give(np.array([row]), "" if has else self._desk.current)

    def take(self, row: int) -> None:
        """Take the class of a crop away."""
        with self._desk.telling():
            self._give(np.array([row]), "")

    def give(self, row: int, name: str) -> None:
        """Give a crop a class by its name."""
        with self._desk.telling():
            self._give(np.array([row]), name)

    def _give(self, rows: Rows, name: str) -> None:
        desk = self._desk
        state, project = desk.need_state(), desk.need_project()
        edit = project.classify([state.ids[row] for row in rows.tolist()], name)
        if edit is not None:
            desk.note("")
            desk.tell(edit)
            self.refresh()

    # Clicks on the image

    def toggle_in_image(self) -> None:
        """Have clicks in the image give the chosen class, or not any more."""
        self.set_in_image(not self.in_image)

    def set_in_image(self, on: bool) -> None:
        """Have clicks in the image give the chosen class, or not."""
        desk = self._desk
        is_there = desk.state is not None and desk.state.in_image
        if on and not (is_there and desk.entries()):
            desk.warn(NO_CLASS if is_there else desk.no_places)
            on = False
        was, self.in_image = self.in_image, on
        desk.view.classes.show_label_mode(on)
        if was != on:
            desk.in_image.emit(on)
        if on and not desk.current:
            self.choose(desk.entries()[0].name)

    # What comes from elsewhere

    def refresh(self) -> None:
        """Take over what the project says of these crops, and show it."""
        desk = self._desk
        state, project = desk.state, desk.project
        names = [entry.name for entry in desk.entries()]
        if desk.current not in names:
            desk.current = names[0] if names else ""
        if state is not None and project is not None:
            before = state.classes.texts
            state.set_classes(project.classes())
            if not np.array_equal(before, state.classes.texts):
                desk.labelled.emit()
        self.show()

    def take_edit(self, edit: Edit | None) -> None:
        """Show what an edit has changed, whoever made it."""
        if edit is not None and (edit.classified or edit.setting == CLASSES):
            self.refresh()
        else:
            self.show_undo()

    def show(self) -> None:
        """Show the classes with their counts."""
        desk = self._desk
        rows = class_rows(desk)
        state = desk.state
        text = ""
        if state is not None and rows:
            text = f"{int(state.labelled.sum()):,} of {len(state):,} crops have a class."
        desk.view.classes.show_classes(rows, desk.current, text)
        self.show_undo()

    def show_undo(self) -> None:
        """Show whether anything can be taken back or made again."""
        project = self._desk.project
        self._desk.view.classes.show_undo(
            project is not None and project.can_undo, project is not None and project.can_redo
        )

    def undo(self) -> None:
        """Take the last edit back."""
        with self._desk.telling():
            self.take_edit(self._desk.take_back())

    def redo(self) -> None:
        """Make the edit again that was taken back last."""
        with self._desk.telling():
            self.take_edit(self._desk.make_again())


def class_rows(desk: ClassDesk) -> list[ClassRow]:
    """Return the list of classes with what is labelled and predicted of each."""
    state = desk.state
    counts = {} if state is None else state.classes.counts
    predicted: dict[str, int] | None = None
    if state is not None and state.fitted is not None:
        names = state.predicted[state.sure(desk.threshold)]
        found, numbers = np.unique(names, return_counts=True)
        predicted = dict(zip(found.tolist(), numbers.tolist(), strict=True))
    return [
        ClassRow(
            entry.name,
            entry.colour,
            entry.key,
            counts.get(entry.name, 0),
            None if predicted is None else predicted.get(entry.name, 0),
        )
        for entry in desk.entries()
    ]
