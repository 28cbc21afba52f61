"""Everything that can be undone: a log of edits of labels, classes and settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations
from napari_cryoml.project._class_records import ClassRecords, check_class_list
from napari_cryoml.project._entries import JSON, Action, ClassEntry, Edit, Relabel
from napari_cryoml.project._label_records import LabelRecords
from napari_cryoml.project._packing import dump, dump_time, now
from napari_cryoml.project._setting_names import CLASSES


class EditLog(LabelRecords, ClassRecords):
    """Edits are rows that only ever change between done and undone, so undo survives closing.

    A new edit after an undo makes what was undone unreachable, as in any editor; it stays in the
    file, marked as discarded.
    """

    def annotate(
        self, image: str, *, add: Annotations | None = None, remove: Iterable[int] = ()
    ) -> Edit:
        """Add and remove labels of one image as one edit, committed before this returns.

        A label is moved or changed by removing it and adding another in the same call.

        Parameters
        ----------
        image : str
            Name of the image.
        add : Annotations, optional
            New labels, positions of shape (n, ndim) in pixel (z)yx.
        remove : iterable of int
            Ids of labels, from `annotation_ids`.

        Returns
        -------
        Edit
            With the ids of the new labels.

        Raises
        ------
        InputError
            If there is nothing to do, a position does not suit the image, a label to remove is
            not there, or the file cannot be written.
        """
        return self.annotate_many({image: Relabel(add, remove)})

    def annotate_many(self, changes: Mapping[str, Relabel]) -> Edit:
        """Add and remove labels of several images as one edit: one undo takes all back.

        Parameters
        ----------
        changes : mapping of str to Relabel
            What comes and goes, by name of the image.

        Returns
        -------
        Edit
            With the ids of the new labels by image.

        Raises
        ------
        InputError
            As `annotate` does; nothing has changed then in any image.
        """
        found = self._checked_changes(changes)
        with self._store.transaction():
            edit = self._begin_edit(image=found[0][0] if len(found) == 1 else None)
            self._write_changes(edit, found)
        return self._edit(edit, "made")

    def classify(self, ids: Sequence[str], classes: str | Sequence[str] | None) -> Edit | None:
        """Give rows of embeddings a class, as one edit; those that have it stay as they are.

        Parameters
        ----------
        ids : sequence of str
            Ids of rows, whichever embedding they are in.
        classes : str, sequence of str, or None
            Name of one class for all rows, or of one class a row; None or "" takes classes away.

        Returns
        -------
        Edit or None
            With the ids and classes of the rows that have changed; None if none has.

        Raises
        ------
        InputError
            If there are no rows, not as many classes as rows, or the file cannot be written.
        """
        if classes is None or isinstance(classes, str):
            classes = [classes or ""] * len(ids)
        if not len(ids) or len(classes) != len(ids):
            raise InputError(
                f"{len(classes)} classes were given for {len(ids)} rows: select some "
                "rows, and give each a class."
            )
        wanted = {str(one): str(name) for one, name in zip(ids, classes, strict=True)}
        known = self.classes()
        new = {one: name for one, name in wanted.items() if known.get(one, "") != name}
        if not new:
            return None
        with self._store.transaction():
            edit = self._begin_edit(setting=None)
            self._write_classes(edit, list(new), list(new.values()))
        return Edit(edit, "made", classified=tuple(new), classes=tuple(new.values()))

    def set_class_list(self, entries: Iterable[ClassEntry]) -> Edit | None:
        """Offer other classes, as an edit; rows keep the class that they have.

        Returns
        -------
        Edit or None
            None if the list is not new.

        Raises
        ------
        InputError
            If two classes have one name, a name is empty, a colour is not as "#RRGGBB", or the
            file cannot be written.
        """
        return self.set_setting(CLASSES, check_class_list(entries), undoable=True)

    def set_setting(self, key: str, value: JSON, *, undoable: bool = False) -> Edit | None:
        """Keep a value under a key.

        Parameters
        ----------
        key : str
        value : JSON
            None, a number, text, or lists and dictionaries of these.
        undoable : bool
            Whether `undo` shall bring back the former value; not for what changes with every
            movement of a slider.

        Returns
        -------
        Edit or None
            None if the value is not new or the change is not undoable.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        before, after = self._text_of(key), dump(value)
        if before == after:
            return None
        with self._store.transaction():
            edit = self._begin_edit(setting=key, before=before, after=after) if undoable else None
            self._put_text(key, after)
        return None if edit is None else self._edit(edit, "made")

    @property
    def can_undo(self) -> bool:
        """Whether `undo` would do something."""
        return self._undoable() is not None

    @property
    def can_redo(self) -> bool:
        """Whether `redo` would do something."""
        return self._redoable() is not None

    @property
    def edit_number(self) -> int:
        """The present state of the labels of all images; undo brings back a former number."""
        (number,) = self._store.rows(
            "SELECT coalesce(max(id), 0) FROM edits WHERE state = 'done' AND setting IS NULL "
            "AND id NOT IN (SELECT edit FROM class_edits)"
        )[0]
        return int(number)

    @property
    def last_edit(self) -> int:
        """Number of the edit that `undo` would take back, of whatever it is; 0 if there is none."""
        return self._undoable() or 0

    def undo(self) -> Edit | None:
        """Take back the last edit, and return the change that this is; None if there is none.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        return self._switch(self._undoable(), "undone")

    def redo(self) -> Edit | None:
        """Make the edit again that was undone last; None if there is none.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        return self._switch(self._redoable(), "redone")

    def _undoable(self) -> int | None:
        row = self._store.row("SELECT max(id) FROM edits WHERE state = 'done'")
        return None if row is None else row[0]

    def _redoable(self) -> int | None:
        row = self._store.row("SELECT min(id) FROM edits WHERE state = 'undone'")
        return None if row is None else row[0]

    def _begin_edit(self, **columns: Any) -> int:
        self._store.write("UPDATE edits SET state = 'discarded' WHERE state = 'undone'")
        names = ", ".join(columns)
        marks = ", ?" * len(columns)
        return self._store.write(
            f"INSERT INTO edits (made, state, {names}) VALUES (?, 'done'{marks})",  # noqa: S608
            dump_time(now()),
            *columns.values(),
        )

    def _switch(self, number: int | None, action: Action) -> Edit | None:
        if number is None:
            return None
        state = "undone" if action == "undone" else "done"
        with self._store.transaction():
            self._store.write("UPDATE edits SET state = ? WHERE id = ?", state, number)
            setting, before, after = self._store.rows(
                "SELECT setting, before, after FROM edits WHERE id = ?", number
            )[0]
            if setting is not None:
                self._put_text(setting, before if action == "undone" else after)
        return self._edit(number, action)

    def _edit(self, number: int, action: Action) -> Edit:
        (setting,) = self._store.rows("SELECT setting FROM edits WHERE id = ?", number)[0]
        if setting is not None:
            return Edit(number, action, setting=setting, value=self.setting(setting))
        ids, classes = self._class_change(number, action)
        changes = {} if ids else self._label_changes(number, action)
        return Edit(number, action, changes, classified=ids, classes=classes)
