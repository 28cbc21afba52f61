"""The classes of rows of embeddings as they are now."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from napari_cryoml._errors import InputError
from napari_cryoml.project._entries import Action, ClassEntry
from napari_cryoml.project._packing import checked, pack_texts, unpack_texts
from napari_cryoml.project._setting_names import CLASSES
from napari_cryoml.project._setting_records import SettingRecords

_NUMBER = (
    "SELECT coalesce(max(class_edits.edit), 0) FROM class_edits "
    "JOIN edits ON edits.id = class_edits.edit WHERE edits.state = 'done' AND edits.id < ?"
)
_DONE = (
    "SELECT class_edits.edit, ids, class_edits.after FROM class_edits "
    "JOIN edits ON edits.id = class_edits.edit WHERE edits.state = 'done' ORDER BY edits.id"
)
_NO_EDIT = 2**62
_COLOUR = re.compile("#[0-9A-Fa-f]{6}")


class ClassRecords(SettingRecords):
    """Which class each row has that has one; a row is known by its id in whatever embedding."""

    # The classes after an edit, by its number: edits are done and undone in a line, so the last
    # one that is done stands for all.
    _classes_at: tuple[int, dict[str, str]] = (-1, {})

    def classes(self) -> dict[str, str]:
        """Return the class of each row that has one, by the row's id."""
        if self._classes_at[0] != self._last_class_edit():
            self._classes_at = self._replayed_classes()
        return dict(self._classes_at[1])

    def class_list(self) -> list[ClassEntry]:
        """Return the classes that rows can have, in the order in which they are offered."""
        value = self.setting(CLASSES)
        with checked("The list of classes", self._store.path):
            entries = [ClassEntry(*map(str, entry)) for entry in value or []]
            _check_entries(entries)
            return entries

    def _last_class_edit(self, before: int = _NO_EDIT) -> int:
        return int(self._store.rows(_NUMBER, before)[0][0])

    def _replayed_classes(self) -> tuple[int, dict[str, str]]:
        rows = self._store.rows(_DONE)
        classes: dict[str, str] = {}
        with checked("A class", self._store.path):
            for _, ids, after in rows:
                names = unpack_texts(ids)
                _apply(classes, names, unpack_texts(after, len(names)))
        return (rows[-1][0] if rows else 0), classes

    def _write_classes(self, edit: int, ids: Sequence[str], names: Sequence[str]) -> None:
        known = self.classes()
        self._store.write(
            "INSERT INTO class_edits (edit, ids, before, after) VALUES (?, ?, ?, ?)",
            edit,
            pack_texts(ids),
            pack_texts([known.get(one, "") for one in ids]),
            pack_texts(names),
        )
        _apply(known, ids, names)
        self._classes_at = edit, known

    def _class_change(self, edit: int, action: Action) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the ids of the rows that an edit classifies, and the class of each after it."""
        which = "before" if action == "undone" else "after"
        row = self._store.row(f"SELECT ids, {which} FROM class_edits WHERE edit = ?", edit)  # noqa: S608
        if row is None:
            return (), ()
        with checked("A class", self._store.path):
            ids = unpack_texts(row[0])
            names = unpack_texts(row[1], len(ids))
        self._follow_classes(edit, action, ids, names)
        return tuple(ids), tuple(names)

    def _follow_classes(
        self, edit: int, action: Action, ids: Sequence[str], names: Sequence[str]
    ) -> None:
        """Take an edit over into the known classes, if they are those of just before it."""
        earlier = self._last_class_edit(edit)
        before, after = (edit, earlier) if action == "undone" else (earlier, edit)
        if self._classes_at[0] == before:
            known = dict(self._classes_at[1])
            _apply(known, ids, names)
            self._classes_at = after, known


def check_class_list(entries: Iterable[ClassEntry]) -> list[list[str]]:
    """Return a list of classes as it is kept.

    Raises
    ------
    InputError
        If two have one name, a name is empty, or a colour is none.
    """
    found = list(entries)
    try:
        _check_entries(found)
    except ValueError as error:
        raise InputError(f"The list of classes cannot be kept: {error}.") from error
    return [[entry.name, entry.colour, entry.key] for entry in found]


def _check_entries(entries: Sequence[ClassEntry]) -> None:
    names = [entry.name for entry in entries]
    if "" in names:
        raise ValueError("a class needs a name")
    if len(set(names)) != len(names):
        raise ValueError("two classes have one name")
    for entry in entries:
        if not _COLOUR.fullmatch(entry.colour):
            raise ValueError(f"the colour of {entry.name!r} must be as #RRGGBB")


def _apply(classes: dict[str, str], ids: Sequence[str], names: Sequence[str]) -> None:
    classes.update(zip(ids, names, strict=True))
    if "" in names:
        for one in [one for one, name in zip(ids, names, strict=True) if not name]:
            classes.pop(one, None)
