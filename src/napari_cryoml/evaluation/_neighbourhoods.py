"""How far a map keeps the neighbourhoods of the vectors it was made from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError

_ENTRIES = 4_000_000
"""Distances that are held at once, 32 MB."""

Table = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


def trustworthiness(
    vectors: npt.ArrayLike,
    layout: npt.ArrayLike,
    k: int = 15,
    *,
    sample: int | None = None,
    seed: int = 0,
) -> float:
    """Return how far neighbours on the map are neighbours in truth.

    Each of the k neighbours of a row on the map that is not among its k nearest vectors costs as
    much as its rank there lies beyond k; 1 if there is none, about 0.5 on a random map.

    Parameters
    ----------
    vectors : array of shape (n, d)
    layout : array of shape (n, c)
        Places on the map. Rows that are not finite in either are left out.
    k : int, default 15
        Size of a neighbourhood, less than half the number of rows.
    sample : int, optional
        Average over this many rows, drawn by `seed`, and not over all. Their neighbours are
        sought among all rows.
    seed : int, default 0

    Returns
    -------
    float

    Raises
    ------
    InputError
        If vectors and layout do not match, or there are too few rows for `k`.

    References
    ----------
    Venna and Kaski, "Neighborhood preservation in nonlinear projection methods", ICANN 2001,
    section 2.
    """
    table, places, drawn = _checked(vectors, layout, k, sample, seed)
    n, beyond = len(table), 0.0
    on_map = _nearest_on_map(places, drawn, k)
    for chunk, apart in _distances(table, drawn):
        neighbours = np.take_along_axis(apart, on_map[chunk], axis=1)
        for distance in neighbours.T:
            ranks = 1 + np.count_nonzero(apart < distance[:, None], axis=1)
            beyond += float(np.maximum(ranks - k, 0).sum())
    return 1.0 - beyond * 2.0 / (len(drawn) * k * (2.0 * n - 3.0 * k - 1.0))


def neighbourhood_recall(
    vectors: npt.ArrayLike,
    layout: npt.ArrayLike,
    k: int = 15,
    *,
    sample: int | None = None,
    seed: int = 0,
) -> float:
    """Return the share of the k nearest vectors that are among the k nearest on the map.

    Parameters
    ----------
    vectors, layout, k, sample, seed
        As for `trustworthiness`.

    Returns
    -------
    float
        In 0..1; about k / n on a random map.

    Raises
    ------
    InputError
        If vectors and layout do not match, or there are too few rows for `k`.

    References
    ----------
    Lee and Verleysen, "Quality assessment of dimensionality reduction: rank-based criteria",
    Neurocomputing 72 (2009), section 4: Q_NX(k).
    """
    table, places, drawn = _checked(vectors, layout, k, sample, seed)
    on_map, kept = _nearest_on_map(places, drawn, k), 0
    for chunk, apart in _distances(table, drawn):
        in_truth = np.argpartition(apart, k - 1, axis=1)[:, :k]
        kept += int((in_truth[:, :, None] == on_map[chunk][:, None, :]).sum())
    return kept / (len(drawn) * k)


def _checked(
    vectors: npt.ArrayLike, layout: npt.ArrayLike, k: int, sample: int | None, seed: int
) -> tuple[Table, Table, Rows]:
    table, places = np.asarray(vectors), np.asarray(layout, np.float64)
    if table.ndim != 2 or places.ndim != 2 or len(table) != len(places):
        raise InputError(
            f"Vectors and layout must be tables with one row each; arrays of shape {table.shape} "
            f"and {places.shape} were given."
        )
    finite = np.isfinite(table).all(axis=1) & np.isfinite(places).all(axis=1)
    table, places = table[finite].astype(np.float64), places[finite]
    n = len(table)
    if not 1 <= k < n / 2:
        raise InputError(
            f"Neighbourhoods of {k} need more than {2 * max(1, k)} rows with finite numbers; there "
            f"are {n}: choose fewer neighbours."
        )
    drawn = np.arange(n)
    if sample is not None and sample < n:
        drawn = np.sort(np.random.default_rng(seed).choice(n, max(1, sample), replace=False))
    return table, places, drawn


def _nearest_on_map(places: Table, drawn: Rows, k: int) -> Rows:
    """Return the k nearest rows of each drawn row, without itself, shape (m, k)."""
    from scipy.spatial import KDTree

    found = KDTree(places).query(places[drawn], k + 1)[1]
    # Among many equal places a row need not be the first to be found, or be found at all.
    others = found != drawn[:, None]
    others[others.all(axis=1), -1] = False
    return found[others].reshape(len(drawn), k)


def _distances(table: Table, drawn: Rows) -> Iterator[tuple[slice, Table]]:
    """Yield squared distances of some drawn rows to all rows; infinite to themselves."""
    centred = table - table.mean(axis=0)
    squares = np.einsum("nd,nd->n", centred, centred)
    size = max(1, _ENTRIES // len(table))
    for begin in range(0, len(drawn), size):
        chunk = slice(begin, min(begin + size, len(drawn)))
        rows = drawn[chunk]
        apart = squares - 2.0 * (centred[rows] @ centred.T)
        apart[np.arange(len(rows)), rows] = np.inf
        yield chunk, apart
