"""Orders of rows: the most typical first, by a column, along the map, or drawn."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_cryoml._widgets.embedding._state import NOVELTY, SCORE, MapState

Rows = npt.NDArray[np.intp]


def ordered(state: MapState, rows: Rows, order: str) -> Rows:
    """Return rows in an order: "centrality", "score", "novelty", "random" or "map".

    Parameters
    ----------
    state : MapState
    rows : array of shape (k,)
    order : str
    """
    if order == "random":
        return np.random.default_rng(0).permutation(rows)
    if order == "map":
        return rows[np.argsort(_along(state.layout[rows]), kind="stable")]
    if order in (SCORE, NOVELTY) and order in state.names:
        values = state.column(order)[rows].astype(np.float64)
        return rows[np.argsort(np.where(np.isnan(values), np.inf, -values), kind="stable")]
    return most_typical(state.embedding.vectors, rows)


def most_typical(vectors: npt.NDArray[np.floating], rows: Rows) -> Rows:
    """Return rows by rising distance from their mean; those without a whole vector last."""
    table = vectors[rows].astype(np.float32)
    whole = np.isfinite(table).all(axis=1)
    if not whole.any():
        return rows
    distances = np.full(len(rows), np.inf)
    distances[whole] = np.linalg.norm(table[whole] - table[whole].mean(axis=0), axis=1)
    return rows[np.argsort(distances, kind="stable")]


def _along(layout: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return places along the direction in which they are spread most; NaN counts as last."""
    whole = np.isfinite(layout).all(axis=1)
    along = np.full(len(layout), np.inf)
    if whole.any():
        centred = layout[whole].astype(np.float64) - layout[whole].mean(axis=0)
        axes = np.linalg.svd(centred.T @ centred)[0]
        along[whole] = centred @ axes[:, 0]
    return along
