"""What a click or a changed Points layer means for the labels of an image."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import NEGATIVE, POSITIVE, Annotations

NEW = -1


@dataclass(frozen=True, slots=True, eq=False)
class LabelSet:
    """Labels of one image together with their ids in the project.

    Parameters
    ----------
    annotations : Annotations
    ids : array of shape (n,)
    """

    annotations: Annotations
    ids: npt.NDArray[np.int64]

    @classmethod
    def empty(cls, ndim: int) -> LabelSet:
        """Return the labels of an image nobody has labelled."""
        return cls(Annotations.empty(ndim), np.empty(0, np.int64))

    def same_as(self, other: LabelSet) -> bool:
        """Return whether both hold the same rows in the same order."""
        return (
            np.array_equal(self.ids, other.ids)
            and np.array_equal(self.annotations.positions, other.annotations.positions)
            and np.array_equal(self.annotations.labels, other.annotations.labels)
        )


@dataclass(frozen=True, slots=True, eq=False)
class LabelEdit:
    """One edit of the labels of an image: what comes and which ids go.

    Parameters
    ----------
    add : Annotations
    remove : list of int
        Ids of the labels that go.
    note : str
        One sentence for the user where the click could not be taken as it was; else empty.
    """

    add: Annotations
    remove: list[int] = field(default_factory=list)
    note: str = ""

    def __bool__(self) -> bool:
        return bool(len(self.add) or self.remove)


def click(
    known: LabelSet,
    position: npt.ArrayLike,
    label: int,
    *,
    shape: tuple[int, ...],
    reach_px: float,
) -> LabelEdit:
    """Return the edit that a click with `label` at `position` makes.

    A click on a label of the other kind turns it over; a negative click on a negative takes it
    away; a positive click on a positive does nothing, so a double click leaves one label.

    Parameters
    ----------
    known : LabelSet
        Labels of the image before the click.
    position : array of shape (ndim,)
        Pixel (z)yx.
    label : int
        `POSITIVE` or `NEGATIVE`.
    shape : tuple of int
        Shape of the image in pixels; a click outside is refused.
    reach_px : float
        A label this near is the one that was clicked on.
    """
    place = np.asarray(position, dtype=np.float64)
    nothing = Annotations.empty(place.size)
    if not inside(place[None], shape)[0]:
        return LabelEdit(nothing, note="That place is outside the image: click on the image.")
    new = Annotations(place[None], np.array([label], np.int8))
    hit = _nearest(known, place, reach_px)
    if hit is None:
        return LabelEdit(new)
    identity = int(known.ids[hit])
    old = int(known.annotations.labels[hit])
    if old != label:
        place = known.annotations.positions[hit]
        return LabelEdit(Annotations(place[None], np.array([label], np.int8)), [identity])
    if label == NEGATIVE:
        return LabelEdit(nothing, [identity])
    return LabelEdit(nothing, note="This particle is labelled already.")


def inside(positions: npt.NDArray[np.float64], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Return which positions, shape (n, ndim), lie within the pixels of an image of `shape`."""
    high = np.asarray(shape, dtype=np.float64) - 0.5
    return np.asarray(((positions >= -0.5) & (positions <= high)).all(axis=1))


def changes(
    known: LabelSet, rows: LabelSet
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], list[int]]:
    """Compare the rows of a layer with the labels it last showed.

    Parameters
    ----------
    known, rows : LabelSet
        What was shown, and what the layer holds now. A row with an unknown or repeated id (a
        pasted point) counts as new.

    Returns
    -------
    new : array of int
        Rows that were added.
    moved : array of int
        Rows whose position or label changed.
    gone : list of int
        Ids whose row is gone.
    """
    at = {int(identity): row for row, identity in enumerate(known.ids)}
    new, moved, seen = [], [], set()
    for row, identity in enumerate(int(value) for value in rows.ids):
        if identity not in at or identity in seen:
            new.append(row)
            continue
        seen.add(identity)
        old = at[identity]
        same_place = np.array_equal(
            known.annotations.positions[old], rows.annotations.positions[row]
        )
        if not same_place or known.annotations.labels[old] != rows.annotations.labels[row]:
            moved.append(row)
    gone = [identity for identity in at if identity not in seen]
    return np.array(new, np.intp), np.array(moved, np.intp), gone


def merge(known: LabelSet, rows: LabelSet, *, shape: tuple[int, ...], reach_px: float) -> LabelEdit:
    """Return the one edit that leads from `known` to what a layer holds now.

    A single new row is a click; several (a paste) come as they are. Rows outside the image are
    left out, and a label dragged outside stays where it was.
    """
    new, moved, gone = changes(known, rows)
    table = rows.annotations
    if len(new) == 1 and not len(moved) and not gone:
        label = int(table.labels[new[0]])
        return click(known, table.positions[new[0]], label, shape=shape, reach_px=reach_px)
    taken = np.concatenate([new, moved])
    within = inside(table.positions[taken], shape)
    note = "" if within.all() else "Labels outside the image were left out."
    kept = taken[within]
    replaced = [int(rows.ids[row]) for row in moved if row in kept]
    add = Annotations(table.positions[kept].copy(), table.labels[kept].copy())
    return LabelEdit(add, gone + replaced, note)


def _nearest(known: LabelSet, place: npt.NDArray[np.float64], reach_px: float) -> int | None:
    if not len(known.ids):
        return None
    distances = np.linalg.norm(known.annotations.positions - place, axis=1)
    nearest = int(np.argmin(distances))
    return nearest if distances[nearest] <= reach_px else None


LABEL_NAMES = {POSITIVE: "particle", NEGATIVE: "not a particle"}
