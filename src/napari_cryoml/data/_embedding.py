"""Vectors of particles, subtomograms, cells or proteins, and what is known about each."""

from __future__ import annotations

from collections.abc import Mapping
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
        kind = np.float16 if vectors.dtype == np.float16 else np.float32
        object.__setattr__(self, "vectors", np.asarray(vectors, dtype=kind))
        object.__setattr__(self, "ids", np.asarray(self.ids, dtype=np.str_))
        if self.images is not None:
            object.__setattr__(self, "images", np.asarray(self.images, dtype=np.str_))
        if self.positions is not None:
            object.__setattr__(self, "positions", np.asarray(self.positions, dtype=np.float64))
        self._check()

    def _check(self) -> None:
        if (self.images is None) != (self.positions is None):
            raise InputError("An embedding has images and positions both, or neither.")
        if self.positions is not None and (
            self.positions.ndim != 2 or self.positions.shape[1] not in (2, 3)
        ):
            raise InputError(
                f"Positions must be a table of yx or zyx rows; an array of shape "
                f"{self.positions.shape} was given."
            )
        columns = {"ids": self.ids, **self.table}
        if self.images is not None and self.positions is not None:
            columns |= {"images": self.images, "positions": self.positions}
        for name, values in columns.items():
            if len(values) != len(self):
                raise InputError(f"{len(self)} vectors need {len(self)} {name}, not {len(values)}.")
        unique, counts = np.unique(self.ids, return_counts=True)
        if len(unique) != len(self):
            raise InputError(
                f"Each row of an embedding needs an id of its own; {unique[counts.argmax()]!r} "
                f"stands for {counts.max()} rows."
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
        return replace(self, table={**self.table, **columns})

    def rows_of(self, ids: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """Return the row of each id, -1 for one that is not here."""
        wanted = np.asarray(ids, dtype=np.str_)
        if not len(self):
            return np.full(len(wanted), -1, np.intp)
        order = np.argsort(self.ids, kind="stable")
        found = np.searchsorted(self.ids, wanted, sorter=order).clip(max=len(self) - 1)
        rows = order[found]
        return np.where(self.ids[rows] == wanted, rows, -1).astype(np.intp)
