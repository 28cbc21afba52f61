"""Vectors of particles, subtomograms, cells or proteins, and what is known about each."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """One vector a row.

    Parameters
    ----------
    vectors : array of shape (n, d), float16 or float32
        May hold NaN where a row could not be embedded.
    ids : array of shape (n,), str
        Unique, and the same for the same particle, cell or protein whenever it is embedded.
    images : array of shape (n,), str, optional
        Name of the image a row lies in; None for rows without images, as proteins are.
    positions : array of shape (n, ndim), float64, optional
        Pixel (z)yx in that image at its own sampling; None without images.
    table : mapping of str to array of shape (n,)
        Whatever else is known: scores, classes, clusters, map coordinates; numbers, bool or str.
        Objects become numbers if all of them are, or else text, with "" for None.
    provenance : mapping
        How the vectors were made, as JSON takes it: encoder, options, seed, versions, box and
        pixel size.
    """

    vectors: npt.NDArray[np.floating[Any]]
    ids: npt.NDArray[np.str_]
    images: npt.NDArray[np.str_] | None = None
    positions: npt.NDArray[np.float64] | None = None
    table: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        vectors = np.asarray(self.vectors)
        if vectors.ndim != 2:
            raise InputError(
                f"Vectors must be a table of n rows and d columns; an array of shape "
                f"{vectors.shape} was given."
            )
        if vectors.dtype.kind not in "biuf":
            raise InputError(f"Vectors must be numbers; values of type {vectors.dtype} were given.")
        kind = np.float16 if vectors.dtype == np.float16 else np.float32
        object.__setattr__(self, "vectors", np.asarray(vectors, dtype=kind))
        object.__setattr__(self, "ids", np.asarray(self.ids, dtype=np.str_))
        if self.images is not None:
            object.__setattr__(self, "images", np.asarray(self.images, dtype=np.str_))
        if self.positions is not None:
            object.__setattr__(self, "positions", np.asarray(self.positions, dtype=np.float64))
        object.__setattr__(self, "table", _plain_columns(self.table))
        self._check_places()
        self._check_lengths(self.table)
        self._check_ids()

    def _check_places(self) -> None:
        if (self.images is None) != (self.positions is None):
            raise InputError("An embedding has images and positions both, or neither.")
        if self.positions is not None and (
            self.positions.ndim != 2 or self.positions.shape[1] not in (2, 3)
        ):
            raise InputError(
                f"Positions must be a table of yx or zyx rows; an array of shape "
                f"{self.positions.shape} was given."
            )

    def _check_lengths(self, table: Mapping[str, npt.NDArray[Any]]) -> None:
        parts = {"ids": self.ids, "images": self.images, "positions": self.positions}
        parts |= {f"values of {name!r}": values for name, values in table.items()}
        for name, values in parts.items():
            if values is not None and len(values) != len(self):
                raise InputError(f"{len(self)} vectors need {len(self)} {name}, not {len(values)}.")

    def _check_ids(self) -> None:
        # A set is twice as quick as sorting a million names.
        if len(set(self.ids.tolist())) != len(self):
            unique, counts = np.unique(self.ids, return_counts=True)
            raise InputError(
                "Each row of an embedding needs an id of its own; "
                f"{str(unique[counts.argmax()])!r} stands for {counts.max()} rows."
            )

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def n_features(self) -> int:
        """Length of a vector."""
        return int(self.vectors.shape[1])

    @property
    def finite(self) -> npt.NDArray[np.bool_]:
        """Which rows have a whole vector of finite numbers, shape (n,)."""
        return np.isfinite(self.vectors).all(axis=1)

    def take(self, index: npt.NDArray[Any] | slice) -> Embedding:
        """Return the rows at `index` (a mask, row numbers or a slice)."""
        return replace(
            self,
            vectors=self.vectors[index],
            ids=self.ids[index],
            images=None if self.images is None else self.images[index],
            positions=None if self.positions is None else self.positions[index],
            table={name: np.asarray(values)[index] for name, values in self.table.items()},
        )

    def with_columns(self, **columns: npt.NDArray[Any]) -> Embedding:
        """Return the embedding with further columns in its table; same names are replaced."""
        added = _plain_columns(columns)
        self._check_lengths(added)
        other = copy(self)  # its ids need no second look
        object.__setattr__(other, "table", {**self.table, **added})
        return other

    def rows_of(self, ids: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """Return the row of each id, -1 for one that is not here."""
        wanted = np.asarray(ids, dtype=np.str_)
        if not len(self):
            return np.full(len(wanted), -1, np.intp)
        order = np.argsort(self.ids, kind="stable")
        found = np.searchsorted(self.ids, wanted, sorter=order).clip(max=len(self) - 1)
        rows = order[found]
        return np.where(self.ids[rows] == wanted, rows, -1).astype(np.intp)


def _plain_columns(columns: Mapping[str, npt.ArrayLike]) -> dict[str, npt.NDArray[Any]]:
    return {str(name): _plain_column(values, str(name)) for name, values in columns.items()}


def _plain_column(values: npt.ArrayLike, name: str) -> npt.NDArray[Any]:
    column = np.asarray(values)
    if column.dtype.kind == "O":
        column = _of_objects(column)
    if column.ndim != 1 or column.dtype.kind not in "biufU":
        raise InputError(
            f"The column {name!r} should hold a number, a truth value or a text a row; an array of "
            f"shape {column.shape} and type {column.dtype} was given."
        )
    return column


def _of_objects(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return objects, as pandas has them, as numbers if they are, else as text."""
    values = column.tolist()
    if values and all(isinstance(value, int | float | np.number) for value in values):
        return np.array(values)
    return np.array(["" if value is None else str(value) for value in values], dtype=np.str_)
