"""Labels and undoable settings: a log of edits, with undo and redo."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations
from napari_cryoml.project._entries import JSON, Action, Edit
from napari_cryoml.project._image_records import ImageRecords
from napari_cryoml.project._packing import checked, dump, dump_time, now
from napari_cryoml.project._setting_records import SettingRecords
from napari_cryoml.project._store import Row

_LIVE = "SELECT id, label, z, y, x FROM live_labels WHERE image = ? ORDER BY id"
_ADDED = "SELECT id, label, z, y, x FROM labels WHERE edit = ? ORDER BY id"
_REMOVED = (
    "SELECT id, label, z, y, x FROM labels "
    "WHERE id IN (SELECT label FROM removals WHERE edit = ?) ORDER BY id"
)


class EditLog(ImageRecords, SettingRecords):
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
        entry = self.image(image)
        fresh = Annotations.empty(entry.ndim) if add is None else add
        gone = sorted({int(label) for label in remove})
        _check_positions(fresh, entry.name, entry.ndim)
        self._check_live(gone, image)
        if not len(fresh) and not gone:
            raise InputError("Choose at least one place to label or one label to remove.")
        with self._store.transaction():
            edit = self._begin_edit(image=entry.id)
            self._store.write_all(
                "INSERT INTO labels (image, edit, label, z, y, x) VALUES (?, ?, ?, ?, ?, ?)",
                [(entry.id, edit, *row) for row in _rows(fresh)],
            )
            self._store.write_all(
                "INSERT INTO removals (label, edit) VALUES (?, ?)",
                [(label, edit) for label in gone],
            )
        return self._edit(edit, "made")

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

    def annotations(self, image: str) -> Annotations:
        """Return the labels of an image, oldest first.

        Raises
        ------
        InputError
            If there is no such image.
        """
        return self._labels(self._live_rows(image), self.image(image).ndim)

    def annotation_ids(self, image: str) -> npt.NDArray[np.int64]:
        """Return the ids of the labels of an image, shape (n,), in the order of `annotations`."""
        return _ids(self._live_rows(image))

    def counts(self) -> dict[str, tuple[int, int]]:
        """Return the numbers of positive and negative labels of every image."""
        rows = self._store.rows(
            "SELECT images.name, coalesce(sum(live.label), 0), count(live.id) FROM images "
            "LEFT JOIN live_labels AS live ON live.image = images.id "
            "GROUP BY images.id ORDER BY images.id"
        )
        return {name: (positive, total - positive) for name, positive, total in rows}

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
            "SELECT coalesce(max(id), 0) FROM edits WHERE state = 'done' AND setting IS NULL"
        )[0]
        return int(number)

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
        image, setting = self._store.rows(
            "SELECT images.name, edits.setting FROM edits "
            "LEFT JOIN images ON images.id = edits.image WHERE edits.id = ?",
            number,
        )[0]
        if setting is not None:
            return Edit(number, action, setting=setting, value=self.setting(setting))
        came, went = self._store.rows(_ADDED, number), self._store.rows(_REMOVED, number)
        if action == "undone":
            came, went = went, came
        ndim = self.image(image).ndim
        return Edit(
            id=number,
            action=action,
            image=image,
            added=self._labels(came, ndim),
            added_ids=_ids(came),
            removed=self._labels(went, ndim),
            removed_ids=_ids(went),
        )

    def _live_rows(self, image: str) -> list[Row]:
        return self._store.rows(_LIVE, self.image(image).id)

    def _check_live(self, ids: list[int], image: str) -> None:
        missing = set(ids) - set(self.annotation_ids(image).tolist()) if ids else set()
        if missing:
            raise InputError(
                f"{len(missing)} of the labels to remove are not in {image!r} (any more): "
                f"look at the labels again, and remove what is there."
            )

    def _labels(self, rows: list[Row], ndim: int) -> Annotations:
        with checked("A label", self._store.path):
            positions = np.array([row[-ndim:] for row in rows], np.float64).reshape(-1, ndim)
            if not np.isfinite(positions).all():
                raise ValueError("a position is not a number")
            return Annotations(positions, np.array([row[1] for row in rows], np.int8))


def _ids(rows: list[Row]) -> npt.NDArray[np.int64]:
    return np.array([row[0] for row in rows], np.int64)


def _rows(labels: Annotations) -> list[Row]:
    depth = [None] * (3 - labels.positions.shape[1])
    pairs = zip(labels.labels.tolist(), labels.positions.tolist(), strict=True)
    return [(label, *depth, *position) for label, position in pairs]


def _check_positions(labels: Annotations, image: str, ndim: int) -> None:
    if len(labels) and labels.positions.shape[1] != ndim:
        raise InputError(
            f"Labels of {image!r} need {ndim} coordinates each, as the image has; "
            f"{labels.positions.shape[1]} were given."
        )
    if not np.isfinite(labels.positions).all():
        raise InputError(f"A label of {image!r} has no finite position: leave it out.")
