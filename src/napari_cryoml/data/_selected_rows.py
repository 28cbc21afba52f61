"""Some rows of an array that stays where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class SelectedRows:
    """Some rows of an array on disk, read when they are asked for; indexed as numpy's are.

    Parameters
    ----------
    array : array of shape (n, ...)
        Or what takes row numbers as its first index.
    rows : array of shape (k,)
    """

    array: Any
    rows: npt.NDArray[np.intp]

    @property
    def shape(self) -> tuple[int, ...]:
        """(k, ...)."""
        return (len(self.rows), *self.array.shape[1:])

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return int(self.array.ndim)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return np.dtype(self.array.dtype)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: Any) -> npt.NDArray[Any]:
        first, rest = (key[0], key[1:]) if isinstance(key, tuple) else (key, ())
        return np.asarray(self.array[(self.rows[first], *rest)])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.asarray(self[...], dtype=dtype)


def rows_of(array: Any, index: npt.NDArray[np.intp]) -> Any:
    """Return rows of an array: of one in memory a copy, of any other a `SelectedRows`."""
    if isinstance(array, SelectedRows):
        return SelectedRows(array.array, array.rows[index])
    if isinstance(array, np.ndarray) and not isinstance(array, np.memmap):
        return array[index]
    return SelectedRows(array, index)
