"""Crops of which some have a class, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import CellSplit, Crops, MissingWedge

UNKNOWN = -1
"""Number of the class of a crop that has none."""

LEAST_LABELS = 2
"""Labels that a class needs."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledCrops:
    """Crops of which some have a class.

    Parameters
    ----------
    crops : Crops
    classes : tuple of str
        Names of the classes, by number.
    labels : array of shape (n,), intp
        Number of the class of each crop; -1 where it is not known.
    wedge : MissingWedge, optional
        Tilts of the tomograms; None where nothing is missing or nothing is known.
    split : CellSplit, optional
        Which crops are trained on, choose the epoch and measure the result; drawn by the system
        by default.
    least : int, default 2
        Labels that each class needs; with 1 nothing tells how good the result is.

    Raises
    ------
    InputError
        If lengths do not fit, fewer than two classes have labels, or a class has too few.
    """

    crops: Crops
    classes: tuple[str, ...]
    labels: npt.NDArray[np.intp]
    wedge: MissingWedge | None = None
    split: CellSplit | None = None
    least: int = LEAST_LABELS

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(self.classes))
        object.__setattr__(self, "labels", np.asarray(self.labels, np.intp))
        self._check_lengths()
        self._check_classes()

    @classmethod
    def of(
        cls,
        crops: Crops,
        names: Mapping[str, str] | str,
        *,
        classes: Sequence[str] | None = None,
        wedge: MissingWedge | None = None,
        split: CellSplit | None = None,
        least: int = LEAST_LABELS,
    ) -> LabelledCrops:
        """Return crops with the classes that are known of them by name.

        Parameters
        ----------
        crops : Crops
        names : mapping of str to str, or str
            The class of a crop by its id, or the name of a column of the crops that holds it; ""
            and NaN stand for no class.
        classes : sequence of str, optional
            All classes in their order; those that have labels, in alphabetical order, by default.
        wedge : MissingWedge, optional
            What the crops say of it by default.
        split : CellSplit, optional
        least : int, default 2
            As in making it.

        Raises
        ------
        InputError
            As in making it; if there is no such column, a label belongs to no crop, or is of none
            of the classes.
        """
        given = _by_column(crops, names) if isinstance(names, str) else _by_id(crops, names)
        names_given, places = np.unique(given, return_inverse=True)
        known = [name for name in names_given.tolist() if name] if classes is None else classes
        numbers = {name: number for number, name in enumerate(known)} | {"": UNKNOWN}
        _refuse_others(names_given, numbers)
        labels = np.array([numbers[name] for name in names_given.tolist()], np.intp)[places]
        if wedge is None:
            wedge = getattr(crops, "wedge", None)
        return cls(crops, tuple(known), labels, wedge, split, least)

    @property
    def labelled(self) -> npt.NDArray[np.intp]:
        """Rows that have a class, in their order."""
        return np.flatnonzero(self.labels != UNKNOWN)

    @property
    def counts(self) -> npt.NDArray[np.intp]:
        """Labels of each class, shape (L,)."""
        return np.bincount(self.labels[self.labelled], minlength=len(self.classes))

    def _check_lengths(self) -> None:
        if self.labels.shape != (len(self.crops),):
            raise InputError(
                f"{len(self.crops)} crops need one class each, or -1; {self.labels.size} were "
                "given: labels and crops must be of one set."
            )
        if len(set(self.classes)) != len(self.classes):
            raise InputError(f"Two classes have one name among {', '.join(self.classes)}.")
        if len(self.labels) and not (
            self.labels.min() >= UNKNOWN and self.labels.max() < len(self.classes)
        ):
            raise InputError(
                f"Classes are numbered from 0 to {len(self.classes) - 1}, and -1 stands for none; "
                f"{self.labels.min()} to {self.labels.max()} were given."
            )

    def _check_classes(self) -> None:
        counts = self.counts
        some = [name for name, count in zip(self.classes, counts, strict=True) if count]
        if len(some) < 2:
            had = f"only {some[0]!r} has labels" if some else "no crop is labelled"
            raise InputError(f"Two classes are needed to tell crops apart; {had}: label some more.")
        few = np.flatnonzero(counts < self.least)
        if len(few):
            name, count = self.classes[few[0]], counts[few[0]]
            labels = {0: "no label", 1: "one label"}.get(int(count), f"{count} labels")
            raise InputError(
                f"The class {name!r} has {labels}; it needs {self.least} or more: label another, "
                "or leave the class out."
            )


def _by_column(crops: Crops, column: str) -> npt.NDArray[np.str_]:
    columns: Mapping[str, npt.NDArray[Any]] = getattr(crops, "columns", {})
    if column not in columns:
        raise InputError(
            f"The crops have no column {column!r} with classes; there are "
            f"{', '.join(columns) or 'none'}."
        )
    values, places = np.unique(np.asarray(columns[column]), return_inverse=True)
    return np.array([_word(value) for value in values.tolist()], np.str_)[places]


def _word(value: Any) -> str:
    """Return a class as text; numbers of a table may have become floats."""
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:g}"
    return str(value).strip()


def _by_id(crops: Crops, names: Mapping[str, str]) -> npt.NDArray[np.str_]:
    ids = crops.ids.tolist()
    lost = set(names) - set(ids)
    if lost and len(lost) == len(names):
        raise InputError(
            f"None of the {len(names)} labels belongs to a crop: the first is of "
            f"{next(iter(names))!r}, the first crop is {ids[0] if ids else 'missing'!r}; choose "
            "the crops that were labelled."
        )
    if lost:
        raise InputError(
            f"{len(lost)} of {len(names)} labels belong to no crop, the first to "
            f"{min(lost)!r}: choose the crops that were labelled, or take these labels out."
        )
    return np.array([str(names.get(name, "")).strip() for name in ids], np.str_)


def _refuse_others(given: npt.NDArray[np.str_], numbers: Mapping[str, int]) -> None:
    others = set(given.tolist()) - set(numbers)
    if others:
        known = ", ".join(name for name in numbers if name)
        raise InputError(
            f"A label is of {min(others)!r}, which is no class: choose one of {known}."
        )
