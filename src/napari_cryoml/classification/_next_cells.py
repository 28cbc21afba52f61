"""Which cells are worth a label next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.classification._labelled_crops import UNKNOWN

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

_FEW = 3
"""Labels a class below which clusters are looked for rather than doubts."""

_POOL = 8
"""Most uncertain cells that each of those proposed is chosen from."""

_COMPONENTS = 32
_CLUSTERED = 5000

REPRESENTATIVES = "These stand for groups of cells that look alike and have no label yet."
UNCERTAIN = "The classifier is least sure of these, and they differ from each other."


@dataclass(frozen=True, slots=True, eq=False)
class NextCells:
    """Cells that are worth a label.

    Parameters
    ----------
    rows : array of shape (k,), intp
        The most useful first; fewer than asked for where there are no more.
    reason : str
        Why these, in a sentence.
    """

    rows: Rows
    reason: str

    def __len__(self) -> int:
        return len(self.rows)


def next_to_label(
    features: npt.ArrayLike,
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike | None = None,
    n: int = 20,
    *,
    seed: int = 0,
) -> NextCells:
    """Choose cells whose labels would help most.

    While labels are few, fewer than three a class, cells are sorted into clusters by k-means, and
    the cell nearest to the middle of each cluster without a label stands for it, the largest
    cluster first. Then, of the cells whose two most probable classes are closest, those that lie
    farthest from each other and from what is labelled: near duplicates are not asked for twice.

    Parameters
    ----------
    features : array of shape (n_cells, d)
        Cells with values that are not finite are never chosen.
    labels : array of shape (n_cells,), int
        -1 for none.
    probabilities : array of shape (n_cells, L), optional
        What the classifier says now; without any, clusters are taken.
    n : int, default 20
    seed : int, default 0
        Of the clusters.

    Raises
    ------
    InputError
        If lengths do not fit.

    References
    ----------
    Settles 2009 (Computer Sciences Technical Report 1648, Wisconsin), section 3.1 for the margin.
    Sener and Savarese 2018 (ICLR), section 4.2, for farthest first.
    """
    table, known = np.asarray(features), np.asarray(labels, np.intp)
    chances = None if probabilities is None else np.asarray(probabilities, np.float64)
    _check(table, known, chances, n)
    usable = np.isfinite(table).all(axis=1)
    if chances is not None:
        usable &= np.isfinite(chances).all(axis=1)
    rows = np.flatnonzero(usable)
    if not (usable & (known == UNKNOWN)).any():
        return NextCells(np.empty(0, np.intp), "All cells that could be measured have a label.")
    places, labelled = _places(table[rows]), known[rows] != UNKNOWN
    if chances is None or _are_few(known[rows]):
        chosen = _representatives(places, labelled, n, seed)
        return NextCells(rows[chosen], REPRESENTATIVES)
    return NextCells(rows[_uncertain(places, labelled, chances[rows], n)], UNCERTAIN)


def _check(table: npt.NDArray[np.generic], labels: Rows, chances: Floats | None, n: int) -> None:
    lengths = {len(table), len(labels), len(table if chances is None else chances)}
    if table.ndim != 2 or len(lengths) > 1:
        raise InputError(
            f"Features of {len(table)} cells need as many labels and rows of probabilities; "
            f"{len(labels)} labels were given: they must be of one set of cells."
        )
    if n < 1:
        raise InputError(f"One cell or more can be proposed; {n} were asked for.")


def _are_few(labels: Rows) -> bool:
    counts = np.bincount(labels[labels != UNKNOWN])
    counts = counts[counts > 0]
    return len(counts) < 2 or bool(counts.sum() < _FEW * len(counts))


def _places(table: npt.NDArray[np.generic]) -> Floats:
    """Return the strongest principal components of standardised features."""
    values = np.asarray(table, np.float64)
    spread = values.std(axis=0)
    spread = np.where(spread > 1e-6 * np.abs(values).max(axis=0, initial=0) + 1e-12, spread, np.inf)
    standard = np.clip((values - values.mean(axis=0)) / spread, -5, 5)
    _, axes = np.linalg.eigh(standard.T @ standard)
    return np.asarray(standard @ axes[:, ::-1][:, :_COMPONENTS])


def _representatives(places: Floats, labelled: npt.NDArray[np.bool_], n: int, seed: int) -> Rows:
    import warnings

    from sklearn.cluster import KMeans

    drawn = np.random.default_rng(seed).permutation(len(places))[:_CLUSTERED]
    # Clusters that hold a label already are beside those that are asked for.
    k = min(n + min(int(labelled.sum()), n), len(drawn))
    model = KMeans(k, n_init=1, max_iter=50, random_state=seed)
    with warnings.catch_warnings(action="ignore"):  # of fewer different cells than clusters
        model.fit(places[drawn])
    cluster, centres = model.predict(places), model.cluster_centers_
    away = np.square(places - centres[cluster]).sum(axis=1)
    sizes = np.bincount(cluster, minlength=k)
    chosen = []
    for number in np.argsort(-sizes, kind="stable"):
        members = np.flatnonzero(cluster == number)
        if len(members) and not labelled[members].any():
            chosen.append(members[away[members].argmin()])
    if len(chosen) < n:  # clusters that hold labels, or are one cell over and over
        chosen += _farthest(places, labelled, np.array(chosen, np.intp), n - len(chosen))
    return np.array(chosen[:n], np.intp)


def _farthest(
    places: Floats, labelled: npt.NDArray[np.bool_], chosen: Rows, n: int
) -> list[np.intp]:
    """Return further rows without a label, each the farthest from all before."""
    candidates = np.setdiff1d(np.flatnonzero(~labelled), chosen)
    before = np.concatenate([np.flatnonzero(labelled), chosen])
    return [candidates[at] for at in _farthest_first(places[candidates], places[before], n)]


def _uncertain(places: Floats, labelled: npt.NDArray[np.bool_], chances: Floats, n: int) -> Rows:
    ordered = np.sort(chances, axis=1)
    margins = ordered[:, -1] - ordered[:, -2] if chances.shape[1] > 1 else -ordered[:, -1]
    free = np.flatnonzero(~labelled)
    pool = free[np.argsort(margins[free], kind="stable")[: _POOL * n]]
    # What little uncertainty the farthest may have counts against it: distances are shortened.
    unsure = 1 - margins[pool]
    order = _farthest_first(places[pool], places[labelled], n, unsure) or [0]
    return pool[order]


def _farthest_first(
    places: Floats, before: Floats, n: int, weights: Floats | None = None
) -> list[int]:
    """Return an order in which each is the farthest from all before it, weighted."""
    from scipy.spatial.distance import cdist

    nearest = np.full(len(places), np.inf)
    for start in range(0, len(before), 1024):
        part = cdist(places, before[start : start + 1024])
        nearest = np.minimum(nearest, part.min(axis=1, initial=np.inf))
    if not np.isfinite(nearest).all():
        nearest[:] = 1.0
    weight = np.ones(len(places)) if weights is None else weights
    chosen: list[int] = []
    for _ in range(min(n, len(places))):
        best = int(np.where(nearest > 0, nearest * weight, -1.0).argmax())
        if nearest[best] <= 0:
            break
        chosen.append(best)
        apart = np.linalg.norm(places - places[best], axis=1)
        nearest = np.minimum(nearest, apart)
        nearest[best] = 0
    return chosen
