"""How often a classifier is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError


@dataclass(frozen=True, eq=False)
class ClassificationReport:
    """What became of items whose class is known.

    Parameters
    ----------
    classes : tuple of str
        Names of the classes, by number.
    confusion : array of shape (L, L), int64
        How many items of class i (row) were given class j (column).
    """

    classes: tuple[str, ...]
    confusion: npt.NDArray[np.int64]

    @classmethod
    def of(
        cls, truth: npt.ArrayLike, given: npt.ArrayLike, classes: Sequence[str]
    ) -> ClassificationReport:
        """Return the report of items of known class.

        Parameters
        ----------
        truth, given : array of shape (n,), int
            Numbers of classes.
        classes : sequence of str

        Raises
        ------
        InputError
            If there are not as many answers as items, or a number names no class.
        """
        true, answer = np.asarray(truth, np.intp), np.asarray(given, np.intp)
        n = len(classes)
        if true.shape != answer.shape or true.ndim != 1:
            raise InputError(f"{len(true)} items need as many answers; {len(answer)} were given.")
        if len(true) and not (
            0 <= min(true.min(), answer.min()) <= max(true.max(), answer.max()) < n
        ):
            raise InputError(f"Classes are numbered from 0 to {n - 1}; others came.")
        confusion = np.bincount(true * n + answer, minlength=n * n).reshape(n, n)
        return cls(tuple(classes), confusion.astype(np.int64))

    @property
    def n(self) -> int:
        """Number of items."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Share of the items that were given their class; NaN without items."""
        return float(np.trace(self.confusion) / self.n) if self.n else float("nan")

    @cached_property
    def recall(self) -> npt.NDArray[np.float64]:
        """Share of the items of each class that were given it, shape (L,); NaN without items."""
        return _share(np.diag(self.confusion), self.confusion.sum(axis=1))

    @cached_property
    def precision(self) -> npt.NDArray[np.float64]:
        """Share of what was given each class that is of it, shape (L,); NaN if nothing was."""
        return _share(np.diag(self.confusion), self.confusion.sum(axis=0))

    @property
    def macro_f1(self) -> float:
        """Mean over the classes that have items of the harmonic mean of precision and recall."""
        totals = self.confusion.sum(axis=1) + self.confusion.sum(axis=0)
        f1 = _share(2 * np.diag(self.confusion), totals)[self.confusion.sum(axis=1) > 0]
        return float(np.mean(f1)) if f1.size else float("nan")


def _share(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(whole > 0, part / np.maximum(whole, 1), np.nan), np.float64)


def purity(clusters: npt.ArrayLike, truth: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the share of each cluster that is of its most common class.

    Parameters
    ----------
    clusters, truth : array of shape (n,), int
        Cluster (from 0) and class of each item; items of a negative cluster are left out.

    Returns
    -------
    array of shape (k,)
        NaN for a cluster without items.
    """
    groups, true = np.asarray(clusters, np.intp), np.asarray(truth)
    n_clusters = int(groups.max(initial=-1)) + 1
    shares = np.full(n_clusters, np.nan)
    for cluster in range(n_clusters):
        members = true[groups == cluster]
        if len(members):
            shares[cluster] = np.unique(members, return_counts=True)[1].max() / len(members)
    return shares
