"""The cells of proteins that are there in two conditions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import Embedding
from napari_cryoml.embedding._members import Members, finite_rows, rows_asked, text_column
from napari_cryoml.embedding._shift_test import TwoConditions


@dataclass(frozen=True, slots=True, eq=False)
class ConditionCells:
    """Cells by protein, each in one of two conditions, on plates.

    Parameters
    ----------
    vectors : array of shape (n, d)
    members : Members
        Proteins that have cells in both conditions, and their rows.
    pair : tuple of str
        Condition before and after.
    after : array of shape (n,), bool
    plates : array of shape (n,), str, or None
        None if cells are compared without regard to plates.
    one_sided : int
        Proteins that were left out, for they have cells in one condition only.
    """

    vectors: npt.NDArray[np.floating[Any]]
    members: Members
    pair: tuple[str, str]
    after: npt.NDArray[np.bool_]
    plates: npt.NDArray[np.str_] | None
    one_sided: int

    @classmethod
    def of(
        cls,
        embedding: Embedding,
        by: str,
        condition: str,
        pair: tuple[str, str] | None,
        rows: npt.ArrayLike | None = None,
        plate: str = "",
    ) -> ConditionCells:
        """Return the cells that can be compared; see `displacements`."""
        names, conditions = text_column(embedding, by), text_column(embedding, condition)
        asked = rows_asked(embedding, rows)
        before, after = two_conditions(conditions[asked], condition, pair)
        usable = (names != "") & finite_rows(embedding.vectors)
        usable &= np.isin(conditions, [before, after])
        members = Members.of(names[asked[usable[asked]]], asked[usable[asked]])
        sizes, is_after = np.diff(members.ends, prepend=0), conditions == after
        n_after = np.bincount(members.codes, is_after[members.rows], len(members))
        both = (n_after > 0) & (n_after < sizes)
        if not both.any():
            raise InputError(
                f"No value of the column {by!r} has cells in both {before!r} and {after!r}: there "
                "is nothing to compare."
            )
        plates = text_column(embedding, plate) if plate in embedding.table else None
        kept = members.take(both)
        return cls(embedding.vectors, kept, (before, after), is_after, plates, int((~both).sum()))

    def __len__(self) -> int:
        return len(self.members)

    def at(self, number: int, *, within_plates: bool = True) -> TwoConditions:
        """Return the cells of a protein, within plates only those of plates with both conditions.

        Without, they are all of one plate.
        """
        rows = self.members.at(number)
        vectors, after = self.vectors[rows].astype(np.float64), self.after[rows]
        if self.plates is None or not within_plates:
            return TwoConditions(vectors, after, np.zeros(len(rows), np.intp))
        _, plates = np.unique(self.plates[rows], return_inverse=True)
        return TwoConditions(vectors, after, plates).crossed()


def two_conditions(
    conditions: npt.NDArray[np.str_], column: str, pair: tuple[str, str] | None
) -> tuple[str, str]:
    """Return condition before and after: those asked for, or the two that a column holds.

    Raises
    ------
    InputError
        If one is not there, both are the same, or without `pair` there are not two.
    """
    there = np.unique(conditions[conditions != ""]).tolist()
    listed = ", ".join(map(repr, there[:6])) or "none"
    if pair is None:
        if len(there) != 2:
            raise InputError(
                f"The column {column!r} should hold two conditions, but it holds {len(there)} "
                f"({listed}): name the two to compare."
            )
        return there[0], there[1]
    before, after = pair
    for name in pair:
        if name not in there:
            raise InputError(
                f"No cell has the condition {name!r}; the column {column!r} holds {listed}."
            )
    if before == after:
        raise InputError(f"Two different conditions are needed; {before!r} was given twice.")
    return before, after
