"""What a project tells about its contents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import Annotations

JSON: TypeAlias = Any
"""None, bool, int, float, str, or lists and dictionaries of these."""

Action: TypeAlias = Literal["made", "undone", "redone"]


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """One image of a project.

    Parameters
    ----------
    id : int
        Number of the image in its project.
    name : str
        Unique in the project.
    path : Path
        Where the file was when it was added, absolute; `Project.locate` finds where it is now.
    shape : tuple of int
        (y, x) or (z, y, x) in pixels.
    pixel_size : float or None
        Angstrom per pixel, where the file says so.
    """

    id: int
    name: str
    path: Path
    shape: tuple[int, ...]
    pixel_size: float | None

    @property
    def ndim(self) -> int:
        """Number of image axes, 2 or 3."""
        return len(self.shape)


@dataclass(frozen=True, slots=True, eq=False)
class LabelChange:
    """Labels of one image that come and go together.

    Parameters
    ----------
    added, removed : Annotations
        Labels that have come and gone.
    added_ids, removed_ids : array of shape (n,), int64
        Their ids; a label has one id for ever.
    """

    added: Annotations
    added_ids: npt.NDArray[np.int64]
    removed: Annotations
    removed_ids: npt.NDArray[np.int64]


_NO_IDS = np.empty(0, np.int64)
_NO_CHANGE = LabelChange(Annotations.empty(2), _NO_IDS, Annotations.empty(2), _NO_IDS)


@dataclass(frozen=True, slots=True, eq=False)
class Edit:
    """A change that has just been applied to the project.

    What `Project.undo` returns is the reverse of what was made, so whoever shows the project
    treats all three actions alike.

    Parameters
    ----------
    id : int
        Number of the edit; edits that were made later have larger numbers.
    action : {"made", "undone", "redone"}
    changes : mapping of str to LabelChange
        What has changed in the labels, by image; empty for settings and classes.
    setting : str or None
        Key of the setting that has changed; None for labels and classes.
    value : JSON
        The value of the setting now; None if it is no longer set.
    classified : tuple of str
        Ids of the rows whose class has changed.
    classes : tuple of str
        The class each of them has now; "" for none.
    """

    id: int
    action: Action
    changes: Mapping[str, LabelChange] = field(default_factory=dict)
    setting: str | None = None
    value: JSON = None
    classified: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    @property
    def images(self) -> tuple[str, ...]:
        """Names of all images whose labels have changed, in their order in the project."""
        return tuple(self.changes)

    @property
    def image(self) -> str | None:
        """Name of the first image whose labels have changed; None if those of none have."""
        return next(iter(self.changes), None)

    @property
    def added(self) -> Annotations:
        """Labels of `image` that have come."""
        return self._first.added

    @property
    def added_ids(self) -> npt.NDArray[np.int64]:
        """Ids of the labels of `image` that have come."""
        return self._first.added_ids

    @property
    def removed(self) -> Annotations:
        """Labels of `image` that have gone."""
        return self._first.removed

    @property
    def removed_ids(self) -> npt.NDArray[np.int64]:
        """Ids of the labels of `image` that have gone."""
        return self._first.removed_ids

    @property
    def _first(self) -> LabelChange:
        return next(iter(self.changes.values()), _NO_CHANGE)


@dataclass(frozen=True, slots=True, eq=False)
class Relabel:
    """What is to be done to the labels of one image.

    Parameters
    ----------
    add : Annotations, optional
        New labels, positions of shape (n, ndim) in pixel (z)yx.
    remove : iterable of int
        Ids of labels, from `Project.annotation_ids`.
    """

    add: Annotations | None = None
    remove: Iterable[int] = ()


@dataclass(frozen=True, slots=True)
class ClassEntry:
    """A class that rows of embeddings can have.

    Parameters
    ----------
    name : str
    colour : str
        As "#RRGGBB".
    key : str
        Key on the keyboard that gives it; "" for none.
    """

    name: str
    colour: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class EmbeddingEntry:
    """One embedding of a project, without its vectors.

    Parameters
    ----------
    id : int
    made : datetime
        When it was added, with time zone.
    name : str
    n_rows, n_features : int
    provenance : mapping
        How the vectors were made.
    columns : mapping of str to mapping
        What was worked out from them since, oldest first, by name of the column: what the one who
        added it had to say about it.
    """

    id: int
    made: datetime
    name: str
    n_rows: int
    n_features: int
    provenance: Mapping[str, JSON]
    columns: Mapping[str, Mapping[str, JSON]]


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One trained model of a project.

    Parameters
    ----------
    id : int
    made : datetime
        When it was added, with time zone.
    summary : mapping
        What the one who added it had to say about it.
    size : int
        Bytes of the checkpoint.
    edit : int
        `Project.edit_number` of the labels it was trained on.
    """

    id: int
    made: datetime
    summary: Mapping[str, JSON]
    size: int
    edit: int


@dataclass(frozen=True, slots=True)
class JobEntry:
    """One job that has ended.

    Parameters
    ----------
    id : int
    kind : str
        "train", "pick" or another name.
    started, finished : datetime
        With time zone.
    state : str
        "done", "failed" or "cancelled".
    summary : mapping
        What the one who ran it had to say about it.
    """

    id: int
    kind: str
    started: datetime
    finished: datetime
    state: str
    summary: Mapping[str, JSON]
