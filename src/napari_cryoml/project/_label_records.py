"""The labels of the images as they are now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations
from napari_cryoml.project._content_records import ContentRecords
from napari_cryoml.project._entries import Action, LabelChange, Relabel
from napari_cryoml.project._packing import checked
from napari_cryoml.project._store import Row

_LIVE = "SELECT id, label, z, y, x FROM live_labels WHERE image = ? ORDER BY id"
_IMAGES = (
    "SELECT name FROM images WHERE id IN (SELECT image FROM labels WHERE edit = ?1 UNION "
    "SELECT labels.image FROM removals JOIN labels ON labels.id = removals.label "
    "WHERE removals.edit = ?1) ORDER BY id"
)
_ADDED = "SELECT id, label, z, y, x FROM labels WHERE edit = ? AND image = ? ORDER BY id"
_REMOVED = (
    "SELECT id, label, z, y, x FROM labels "
    "WHERE id IN (SELECT label FROM removals WHERE edit = ?) AND image = ? ORDER BY id"
)


class LabelRecords(ContentRecords):
    """Labels by image; those that have gone stay in the file, as rows that do not live."""

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

    def _checked_changes(
        self, changes: Mapping[str, Relabel]
    ) -> list[tuple[int, list[Row], list[int]]]:
        """Return the number of each image, the rows that come and the ids that go.

        Raises
        ------
        InputError
            If there is nothing to do, a position does not suit the image, or a label to remove is
            not there.
        """
        found = []
        for name, change in changes.items():
            entry = self.image(name)
            fresh = Annotations.empty(entry.ndim) if change.add is None else change.add
            gone = sorted({int(label) for label in change.remove})
            _check_positions(fresh, entry.name, entry.ndim)
            self._check_live(gone, name)
            found.append((entry.id, _rows(fresh), gone))
        if not any(rows or gone for _, rows, gone in found):
            raise InputError("Choose at least one place to label or one label to remove.")
        return found

    def _write_changes(self, edit: int, changes: list[tuple[int, list[Row], list[int]]]) -> None:
        for image, rows, gone in changes:
            self._store.write_all(
                "INSERT INTO labels (image, edit, label, z, y, x) VALUES (?, ?, ?, ?, ?, ?)",
                [(image, edit, *row) for row in rows],
            )
            self._store.write_all(
                "INSERT INTO removals (label, edit) VALUES (?, ?)",
                [(label, edit) for label in gone],
            )

    def _label_changes(self, edit: int, action: Action) -> dict[str, LabelChange]:
        """Return what an edit does to the labels of each image it concerns."""
        names = [name for (name,) in self._store.rows(_IMAGES, edit)]
        return {name: self._label_change(edit, name, action) for name in names}

    def _label_change(self, edit: int, name: str, action: Action) -> LabelChange:
        entry = self.image(name)
        came = self._store.rows(_ADDED, edit, entry.id)
        went = self._store.rows(_REMOVED, edit, entry.id)
        if action == "undone":
            came, went = went, came
        return LabelChange(
            added=self._labels(came, entry.ndim),
            added_ids=_ids(came),
            removed=self._labels(went, entry.ndim),
            removed_ids=_ids(went),
        )

    def _live_rows(self, image: str) -> list[Row]:
        return self._store.rows(_LIVE, self.image(image).id)

    def _check_live(self, ids: Iterable[int], image: str) -> None:
        wanted = set(ids)
        missing = wanted - set(self.annotation_ids(image).tolist()) if wanted else set()
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
