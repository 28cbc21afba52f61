"""What a project tells about its contents."""

from __future__ import annotations

from collections.abc import Mapping
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


def _no_labels() -> Annotations:
    return Annotations.empty(2)


def _no_ids() -> npt.NDArray[np.int64]:
    return np.empty(0, np.int64)


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
    image : str or None
        Name of the image whose labels have changed; None for a setting.
    added, removed : Annotations
        Labels that have come and gone now.
    added_ids, removed_ids : array of shape (n,), int64
        Their ids; a label has one id for ever.
    setting : str or None
        Key of the setting that has changed; None for labels.
    value : JSON
        The value of the setting now; None if it is no longer set.
    """

    id: int
    action: Action
    image: str | None = None
    added: Annotations = field(default_factory=_no_labels)
    added_ids: npt.NDArray[np.int64] = field(default_factory=_no_ids)
    removed: Annotations = field(default_factory=_no_labels)
    removed_ids: npt.NDArray[np.int64] = field(default_factory=_no_ids)
    setting: str | None = None
    value: JSON = None


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
