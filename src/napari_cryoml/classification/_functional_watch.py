"""How much of what is known of proteins the vectors of a network hold, after every epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.classification._watch import Rows, WatchedVectors
from napari_cryoml.data import Standard
from napari_cryoml.evaluation.functional import MetricSpec, functional_score

WATCHED = ("f05_at_q", "ap_pooled", "ami")
"""Metrics that are told of each standard, by their names in `evaluation.functional`."""


@dataclass(frozen=True, slots=True, eq=False)
class FunctionalWatch:
    """A `Watch` that compares the mean vectors of proteins with what is known of them.

    Parameters
    ----------
    proteins : array of shape (n,), str
        What each crop shows; crops of "" are passed over.
    standards : tuple of Standard
    spec : MetricSpec, optional
    part : {"test", "validation"}
        Crops whose vectors are averaged: those that no choice depends on, or those that choose the
        epoch, where the figures do so too.
    """

    proteins: npt.NDArray[np.str_]
    standards: tuple[Standard, ...]
    spec: MetricSpec | None = None
    part: Literal["test", "validation"] = "test"

    def __call__(self, epoch: int, vectors: WatchedVectors) -> dict[str, float]:
        """Return figures as "STANDARD METRIC", that of `WATCHED`; NaN where there is none."""
        rows = vectors.test if self.part == "test" else vectors.validation
        rows = rows[self.proteins[rows] != ""]
        means, names = self._means(rows, vectors)
        figures: dict[str, float] = {}
        for standard in self.standards:
            scores = self._scores(means, names, standard)
            figures |= {f"{standard.name} {metric}": scores[metric] for metric in WATCHED}
        return figures

    def _means(
        self, rows: Rows, vectors: WatchedVectors
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.str_]]:
        """Return the mean vector of each protein, and the names."""
        names, numbers = np.unique(self.proteins[rows], return_inverse=True)
        if not len(names):
            return np.empty((0, 1)), names
        found = np.asarray(vectors(rows), np.float64)
        sums = np.zeros((len(names), found.shape[1]))
        np.add.at(sums, numbers, found)
        return sums / np.bincount(numbers)[:, None], names

    def _scores(
        self, means: npt.NDArray[np.float64], names: npt.NDArray[np.str_], standard: Standard
    ) -> dict[str, float]:
        try:
            return functional_score(means, names, standard, self.spec)
        except InputError:
            # Too few of these proteins are known: training goes on without the figures.
            return dict.fromkeys(WATCHED, float("nan"))
