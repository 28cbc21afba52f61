"""One-to-one assignment of predicted to true positions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from scipy.spatial import cKDTree

from napari_cryoml._errors import InputError


def match(predicted: npt.ArrayLike, truth: npt.ArrayLike, radius: float) -> npt.NDArray[np.intp]:
    """Assign predicted to true positions, one to one.

    Of all assignments of pairs at most `radius` apart, one with the most pairs is chosen, and
    among those one with the smallest total distance. Only pairs within the radius are ever looked
    at, so that time and memory grow with their number, not with ``n * m``.

    Parameters
    ----------
    predicted : array of shape (n, ndim)
        Positions, in any unit.
    truth : array of shape (m, ndim)
        Positions, in the same unit.
    radius : float
        Largest distance of a pair, inclusive, in the same unit.

    Returns
    -------
    array of shape (n,)
        Row of `truth` each predicted position is assigned to, or -1.

    Raises
    ------
    InputError
        If the tables do not have the same number of axes, hold NaN, or `radius` is no positive
        number.
    """
    rows, targets = _table(predicted, "Predicted"), _table(truth, "True")
    if not (np.isfinite(radius) and radius > 0):
        raise InputError(f"The matching radius must be a positive number, not {radius}.")
    assigned = np.full(len(rows), -1, dtype=np.intp)
    if len(rows) == 0 or len(targets) == 0:
        return assigned
    if rows.shape[1] != targets.shape[1]:
        raise InputError(
            f"Predicted positions have {rows.shape[1]} axes and true ones {targets.shape[1]}: "
            "both must be of the same images."
        )
    i, j, distance = _pairs(rows, targets, radius)
    if len(i):
        matched_i, matched_j = _assign(i, j, distance / radius, (len(rows), len(targets)))
        assigned[matched_i] = matched_j
    return assigned


def _table(positions: npt.ArrayLike, kind: str) -> npt.NDArray[np.float64]:
    table = np.asarray(positions, dtype=np.float64)
    if table.size and (table.ndim != 2 or not np.isfinite(table).all()):
        raise InputError(
            f"{kind} positions must be a table of finite rows, one a particle; "
            f"an array of shape {table.shape} was given."
        )
    return table


def _pairs(
    rows: npt.NDArray[np.float64], targets: npt.NDArray[np.float64], radius: float
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Return the pairs within the radius and their distances."""
    # The tree compares squares, which may lose a pair that lies exactly at the radius.
    near = cKDTree(rows).sparse_distance_matrix(
        cKDTree(targets), radius * (1 + 1e-9), output_type="ndarray"
    )
    near = near[near["v"] <= radius]
    return near["i"], near["j"], near["v"]


def _assign(
    i: npt.NDArray[np.intp],
    j: npt.NDArray[np.intp],
    cost: npt.NDArray[np.float64],
    shape: tuple[int, int],
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the pairs of the best assignment; costs lie in 0..1.

    Each row may also stay alone, at a cost that no sum of distances outweighs: then a full
    matching of the rows always exists and the cheapest one has the most pairs. The 1 that is
    added everywhere changes nothing but keeps costs of 0 apart from absent entries.
    """
    used_i, i = np.unique(i, return_inverse=True)
    used_j, j = np.unique(j, return_inverse=True)
    n, m = len(used_i), len(used_j)
    alone = np.arange(n)
    outweighed = 1.0 + min(n, m)
    graph = csr_array(
        (
            1 + np.concatenate((cost, np.full(n, outweighed))),
            (np.concatenate((i, alone)), np.concatenate((j, m + alone))),
        ),
        shape=(n, m + n),
    )
    row, column = min_weight_full_bipartite_matching(graph)
    paired = column < m
    return used_i[row[paired]], used_j[column[paired]]
