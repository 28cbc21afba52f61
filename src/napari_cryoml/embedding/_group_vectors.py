"""One vector a protein, from the vectors of its cells."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import Embedding
from napari_cryoml.embedding._group_columns import columns_of_groups
from napari_cryoml.embedding._members import Members, finite_rows, rows_asked, text_column

Centre: TypeAlias = Literal["mean", "median", "trimmed"]
_Table: TypeAlias = npt.NDArray[np.float64]

TRIMMED_SHARE = 0.1
"""Share of the cells that the trimmed mean leaves out at either end of each number."""

_COLUMNS = ("n_cells", "n_left_out", "spread", "consistency")


def group_vectors(
    embedding: Embedding,
    by: str = "protein",
    rows: npt.ArrayLike | None = None,
    least: int = 1,
    *,
    centre: Centre = "mean",
) -> Embedding:
    """Return one vector a protein: the mean of those of its cells.

    Parameters
    ----------
    embedding : Embedding
        One row a cell.
    by : str, default "protein"
        The column that says which cells belong together; cells of "" are left out.
    rows : array of shape (m,), int, or (n,), bool, optional
        Cells that count, as those of the test part of `data.split_cells`; all by default.
    least : int, default 1
        Proteins of fewer cells with a finite vector are left out.
    centre : {"mean", "median", "trimmed"}
        "median" takes that of each number by itself, "trimmed" its mean without the lowest and
        the highest 10 % of the cells: both are moved less by cells that are segmented badly, dead
        or between two places.

    Returns
    -------
    Embedding
        One row a protein, by name, which is its id. Its columns are

        n_cells
            Cells in the vector.
        n_left_out
            Cells whose own vector is not finite.
        spread
            Mean Euclidean distance of the cells from the vector; NaN for a single cell, which
            has no spread that could be known.
        consistency
            Mean correlation (Pearson) of each cell with the mean of the other cells of its
            protein, -1 to 1: how alike its cells are; NaN for a single cell, and where vectors are
            constant.

        and what the table of the cells says of each: see `columns_of_groups`. The provenance is
        that of the cells, with ``grouped`` added; its ``notes`` say what was left out.

    Raises
    ------
    InputError
        If there is no such column, or no protein is left.

    References
    ----------
    Razdaibiedina and Brechalov 2022, MLDD workshop at ICLR, section 2.2: the mean over test cells.
    """
    asked = rows_asked(embedding, rows)
    groups = text_column(embedding, by)
    named = asked[groups[asked] != ""]
    finite = finite_rows(embedding.vectors)
    members = Members.of(groups[named], named)
    n_left_out = np.bincount(members.codes, ~finite[members.rows], len(members)).astype(np.intp)
    n_cells = np.diff(members.ends, prepend=0) - n_left_out
    kept = n_cells >= max(least, 1)
    if not kept.any():
        raise InputError(_none_left(by, least, len(members)))
    notes = _notes(by, least, len(asked) - len(named), int(n_left_out.sum()), int((~kept).sum()))
    members = members.take(kept)
    whole = members.only(finite)
    vectors, spread, consistency = _summarised(embedding.vectors, whole, centre)
    table = {name: np.asarray(values)[whole.rows] for name, values in embedding.table.items()}
    table.pop(by)
    columns: dict[str, npt.NDArray[Any]] = dict(
        zip(_COLUMNS, (n_cells[kept], n_left_out[kept], spread, consistency), strict=True)
    )
    others = columns_of_groups(table, whole.codes, len(whole))
    grouped = {"by": by, "centre": centre, "least": least, "cells": len(whole.rows)}
    told = [*embedding.provenance.get("notes", ()), *notes]
    provenance = {**embedding.provenance, "grouped": grouped} | ({"notes": told} if told else {})
    return Embedding(vectors, members.names, None, None, others | columns, provenance)


def central_members(
    embedding: Embedding, name: str, by: str = "protein", rows: npt.ArrayLike | None = None
) -> npt.NDArray[np.intp]:
    """Return the cells of a protein, those nearest to its mean vector first.

    Parameters
    ----------
    embedding : Embedding
        One row a cell.
    name : str
        The protein.
    by : str, default "protein"
        The column of proteins.
    rows : array of shape (m,), int, or (n,), bool, optional
        Cells that count; all by default.

    Returns
    -------
    array of shape (k,), intp
        Rows of the embedding; cells without a finite vector come last.

    Raises
    ------
    InputError
        If there is no such column, or no cell of that protein.
    """
    asked = rows_asked(embedding, rows)
    own = asked[text_column(embedding, by)[asked] == name]
    if not len(own):
        raise InputError(f"No cell has {name!r} in the column {by!r}: choose one that is there.")
    vectors = embedding.vectors[own].astype(np.float64)
    finite = np.isfinite(vectors).all(axis=1)
    distance = np.full(len(own), np.inf)
    if finite.any():
        distance[finite] = _lengths(vectors[finite] - vectors[finite].mean(axis=0))
    return own[np.argsort(distance, kind="stable")]


def _summarised(
    vectors: npt.NDArray[np.floating[Any]], members: Members, centre: Centre
) -> tuple[npt.NDArray[np.float32], _Table, _Table]:
    """Return vectors of groups, and the spread and the consistency of each."""
    centres = np.empty((len(members), vectors.shape[1]), np.float32)
    spread, consistency = np.full((2, len(members)), np.nan)
    for number in range(len(members)):
        cells = vectors[members.at(number)].astype(np.float64)
        middle = _middle(cells, centre)
        centres[number] = middle
        if len(cells) > 1:
            spread[number] = _lengths(cells - middle).mean()
            consistency[number] = _consistency(cells)
    return centres, spread, consistency


def _middle(cells: _Table, centre: Centre) -> _Table:
    if centre == "median":
        return np.asarray(np.median(cells, axis=0))
    cut = int(TRIMMED_SHARE * len(cells)) if centre == "trimmed" else 0
    kept = np.sort(cells, axis=0)[cut : len(cells) - cut] if cut else cells
    return np.asarray(kept.mean(axis=0))


def _consistency(cells: _Table) -> float:
    others = (cells.sum(axis=0) - cells) / (len(cells) - 1)
    pair = [table - table.mean(axis=1, keepdims=True) for table in (cells, others)]
    lengths = _lengths(pair[0]) * _lengths(pair[1])
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(((pair[0] * pair[1]).sum(axis=1) / lengths).mean())


def _lengths(table: _Table) -> _Table:
    return np.asarray(np.sqrt((table**2).sum(axis=1)))


def _none_left(by: str, least: int, n_groups: int) -> str:
    if not n_groups:
        return f"None of the cells has a value in the column {by!r}: there is nothing to group."
    return (
        f"None of the {n_groups} groups by {by!r} has {max(least, 1)} cells with a finite vector: "
        "ask for fewer."
    )


def _notes(by: str, least: int, unnamed: int, not_finite: int, small: int) -> list[str]:
    why = {
        f"cells without a value in the column {by!r}": unnamed,
        "cells without a finite vector": not_finite,
        f"groups of fewer than {max(least, 1)} cells": small,
    }
    return [f"Left out, {reason}: {count}." for reason, count in why.items() if count]
