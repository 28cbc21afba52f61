"""Proteins in two conditions on one map, and the arrows between their places."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import Embedding
from napari_cryoml.embedding._condition_cells import ConditionCells, two_conditions
from napari_cryoml.embedding._group_vectors import Centre, group_vectors
from napari_cryoml.embedding._members import text_column

_PAIR = "\x1f"  # separates protein and condition while they are grouped; no name holds it


@dataclass(frozen=True, slots=True, eq=False)
class Arrows:
    """From the place of each protein before to that after.

    Parameters
    ----------
    names : array of shape (m,), str
    start, end : array of shape (m, 2)
        Places on the map.
    """

    names: npt.NDArray[np.str_]
    start: npt.NDArray[np.float64]
    end: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.names)

    def take(self, names: npt.ArrayLike) -> Arrows:
        """Return the arrows of some proteins, as those that moved for certain."""
        kept = np.isin(self.names, np.asarray(names, np.str_))
        return Arrows(self.names[kept], self.start[kept], self.end[kept])


def condition_vectors(
    embedding: Embedding,
    by: str = "protein",
    condition: str = "condition",
    pair: tuple[str, str] | None = None,
    *,
    rows: npt.ArrayLike | None = None,
    least: int = 1,
    centre: Centre = "mean",
) -> Embedding:
    """Return a vector for each protein in each of two conditions, to be mapped together.

    Parameters
    ----------
    embedding : Embedding
        One row a cell.
    by, condition, pair, rows
        As `displacements` has them.
    least, centre
        As `group_vectors` has them; a protein needs that many cells in either condition.

    Returns
    -------
    Embedding
        Two rows a protein, called "PROTEIN (CONDITION)", with the columns of `group_vectors` and
        the protein and the condition, called as in `embedding`.

    Raises
    ------
    InputError
        If a column or a condition is missing, or no protein has enough cells in both.
    """
    cells = ConditionCells.of(embedding, by, condition, pair, rows)
    proteins, conditions = (text_column(embedding, name) for name in (by, condition))
    both = np.char.add(np.char.add(proteins, _PAIR), conditions)
    found = group_vectors(
        embedding.with_columns(**{_PAIR: both}), _PAIR, cells.members.rows, least, centre=centre
    )
    kept = found.take(_of_both(found.table[by]))
    if not len(kept):
        raise InputError(
            f"No value of the column {by!r} has {least} cells in both {cells.pair[0]!r} and "
            f"{cells.pair[1]!r}: ask for fewer."
        )
    names = [f"{protein} ({of})" for protein, of in (name.split(_PAIR) for name in kept.ids)]
    grouped = {**kept.provenance["grouped"], "by": by, "condition": condition}
    provenance = {**kept.provenance, "grouped": grouped | {"pair": list(cells.pair)}}
    return replace(kept, ids=np.array(names), provenance=provenance)


def arrows(
    layout: npt.ArrayLike,
    embedding: Embedding,
    pair: tuple[str, str] | None = None,
    by: str = "protein",
    condition: str = "condition",
) -> Arrows:
    """Return the arrow of each protein on a map of `condition_vectors`.

    Parameters
    ----------
    layout : array of shape (n, 2)
        Place of each row; proteins of which a place is not known have no arrow.
    embedding : Embedding
        What `condition_vectors` returned.
    pair : tuple of str, optional
        Condition before and after; as the vectors were made by default.
    by, condition : str
        Columns.

    Raises
    ------
    InputError
        If the map has another number of rows.
    """
    places = np.asarray(layout, np.float64)[:, :2]
    if len(places) != len(embedding):
        raise InputError(
            f"A map of {len(embedding)} rows needs as many places; {len(places)} were given."
        )
    proteins, conditions = (text_column(embedding, name) for name in (by, condition))
    told = embedding.provenance.get("grouped", {}).get("pair")
    asked = pair or (None if told is None else (str(told[0]), str(told[1])))
    before, after = two_conditions(conditions, condition, asked)
    placed = np.isfinite(places).all(axis=1)
    ends = [np.flatnonzero(placed & (conditions == name)) for name in (before, after)]
    names, first, second = np.intersect1d(proteins[ends[0]], proteins[ends[1]], return_indices=True)
    return Arrows(names, places[ends[0][first]], places[ends[1][second]])


def _of_both(proteins: npt.NDArray[np.str_]) -> npt.NDArray[np.bool_]:
    """Return which rows belong to proteins that have two."""
    _, codes, counts = np.unique(proteins, return_inverse=True, return_counts=True)
    return np.asarray(counts[codes] == 2)
