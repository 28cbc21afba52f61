"""The class of each row, as numbers: a million texts would take seconds to look through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

Rows = npt.NDArray[np.intp]


class RowClasses:
    """The classes of the rows of a map.

    Parameters
    ----------
    codes : array of shape (n,), int32
        Number in `names` of each row's class; -1 for none.
    names : sequence of str
    """

    def __init__(self, codes: npt.NDArray[np.int32], names: Sequence[str] = ()) -> None:
        self.codes = codes
        self.names = list(names)

    @classmethod
    def none(cls, n: int) -> RowClasses:
        """Return `n` rows without a class."""
        return cls(np.full(n, -1, np.int32))

    @classmethod
    def of(cls, texts: npt.ArrayLike) -> RowClasses:
        """Return the classes of rows by name, "" for none."""
        codes, names = factorised(np.asarray(texts))
        return cls(codes.astype(np.int32), names)

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def texts(self) -> npt.NDArray[np.str_]:
        """Name of each row's class, "" for none."""
        return np.array([*self.names, ""], np.str_)[self.codes]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows each class has that has some, by name in alphabetical order."""
        counts = np.bincount(self.codes[self.codes >= 0], minlength=len(self.names)).tolist()
        found = {name: n for name, n in zip(self.names, counts, strict=True) if n}
        return dict(sorted(found.items()))

    def put(self, rows: Rows, names: str | Sequence[str]) -> None:
        """Give rows one class, or each its own; "" takes it away."""
        if isinstance(names, str):
            self.codes[rows] = self._code(names)
        else:
            self.codes[rows] = [self._code(name) for name in names]

    def put_known(self, known: Mapping[str, str], ids: Sequence[str]) -> None:
        """Give rows the classes that are known by their ids; others keep theirs."""
        if known:
            found = [(row, known[one]) for row, one in enumerate(ids) if one in known]
            rows = np.array([row for row, _ in found], np.intp)
            self.put(rows, [name for _, name in found])

    def _code(self, name: str) -> int:
        if not name:
            return -1
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)


def factorised(values: npt.NDArray[np.generic]) -> tuple[Rows, list[str]]:
    """Return the number of each text, -1 for "" and "nan", and the texts as they come."""
    texts = values.astype(np.str_).astype(object)
    codes, names = pd.factorize(texts)
    kept = [name not in ("", "nan") for name in names]
    number = np.where(kept, np.cumsum(kept) - 1, -1) if len(names) else np.empty(0, np.intp)
    known = [str(name) for name, keep in zip(names, kept, strict=True) if keep]
    return np.asarray(number, np.intp)[codes], known
