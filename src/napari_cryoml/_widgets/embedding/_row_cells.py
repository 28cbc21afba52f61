"""The cells behind the rows of a map: one each, or all those of a protein."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import Crops, Embedding

Rows: TypeAlias = npt.NDArray[np.intp]
CellOrder: TypeAlias = Literal["centrality", "random"]

PROTEIN, CONDITION = "protein", "condition"
"""Columns of the cells: what they show, and in which condition."""

MOST_SHOWN = 500
"""Cells of a protein that are shown; of more, the first in their order."""


@dataclass(frozen=True, slots=True, eq=False)
class RowArrows:
    """Arrows between rows of a map.

    Parameters
    ----------
    names : array of shape (m,), str
    start, end : array of shape (m,), intp
        Rows.
    """

    names: npt.NDArray[np.str_]
    start: Rows
    end: Rows

    def placed(
        self, layout: npt.NDArray[np.floating]
    ) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.floating], npt.NDArray[np.floating]]:
        """Return the names, and where arrows begin and end, of those that have both places."""
        start, end = layout[self.start], layout[self.end]
        whole = np.isfinite(start).all(axis=1) & np.isfinite(end).all(axis=1)
        return self.names[whole], start[whole], end[whole]

    def rows_of(self, name: str) -> Rows:
        """Return both rows of an arrow."""
        at = np.flatnonzero(self.names == name)
        return np.concatenate([self.start[at], self.end[at]])


@dataclass(frozen=True, slots=True, eq=False)
class RowCells:
    """The cells that rows of a map stand for.

    Parameters
    ----------
    crops : Crops
        The cells as pictures.
    cells : Embedding
        A vector a cell; row i is crop `crop_of[i]`.
    crop_of : array of shape (n,), intp
    keys : array of shape (n,), str
        Id of the row of the map that each cell belongs to.
    look_at : callable
        Brings a crop to the middle of its image.
    """

    crops: Crops
    cells: Embedding
    crop_of: Rows
    keys: npt.NDArray[np.str_]
    look_at: Callable[[int], object]

    @classmethod
    def of(
        cls,
        crops: Crops,
        cells: Embedding,
        look_at: Callable[[int], object],
        *,
        by_condition: bool = False,
    ) -> RowCells:
        """Return the cells of proteins, or of proteins in each condition."""
        number = {one: row for row, one in enumerate(crops.ids.tolist())}
        crop_of = np.array([number[one] for one in cells.ids.tolist()], np.intp)
        keys = np.asarray(cells.table[PROTEIN]).astype(np.str_)
        if by_condition:
            conditions = np.asarray(cells.table[CONDITION]).astype(np.str_)
            keys = np.array([f"{a} ({b})" for a, b in zip(keys, conditions, strict=True)], np.str_)
        return cls(crops, cells, crop_of, keys, look_at)

    def of_row(self, name: str, order: str = "centrality") -> Rows:
        """Return the crops of a row of the map by its id, most central first, or drawn."""
        mine = np.flatnonzero(self.keys == name)
        if order == "random":
            mine = np.random.default_rng(0).permutation(mine)
        else:
            vectors = self.cells.vectors[mine].astype(np.float32)
            whole = np.isfinite(vectors).all(axis=1)
            far = np.full(len(mine), np.inf)
            if whole.any():
                far[whole] = np.linalg.norm(vectors[whole] - vectors[whole].mean(axis=0), axis=1)
            mine = mine[np.argsort(far, kind="stable")]
        return self.crop_of[mine]

    def of_rows(self, names: list[str], order: str = "centrality") -> Rows:
        """Return the crops of several rows: all of one, or the same number of each of many."""
        share = max(MOST_SHOWN // max(len(names), 1), 1)
        found = [self.of_row(name, order)[:share] for name in names[:MOST_SHOWN]]
        return np.concatenate(found) if found else np.empty(0, np.intp)

    def title_of(self, crop: int) -> str:
        """Return what a cell is called on the screen."""
        columns: Any = getattr(self.crops, "columns", {})
        protein = columns.get(PROTEIN)
        name = "" if protein is None else str(protein[crop])
        place = str(self.crops.ids[crop]).replace("@", " · ")
        return f"{name} · {place}" if name else place
