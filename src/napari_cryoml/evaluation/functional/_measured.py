"""The metrics of vectors on a standard, and those of the same proteins drawn or exchanged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from napari_cryoml.evaluation.functional._clusters import (
    Agreement,
    Clusterings,
    Labels,
    curve_numbers,
    one_label_each,
)
from napari_cryoml.evaluation.functional._evaluated import Evaluated
from napari_cryoml.evaluation.functional._pair_metrics import (
    Values,
    exchanged_metrics,
    precision_by_protein,
    weighted_metrics,
)
from napari_cryoml.evaluation.functional._pairs import RankedPairs
from napari_cryoml.evaluation.functional._resampling import Draw
from napari_cryoml.evaluation.functional._spec import MetricSpec

_LEAST_LABELLED = 4


@dataclass(frozen=True, eq=False)
class Measured:
    """Vectors and terms, ready to be measured.

    Parameters
    ----------
    evaluated : Evaluated
    spec : MetricSpec
    """

    evaluated: Evaluated
    spec: MetricSpec

    @cached_property
    def pairs(self) -> RankedPairs:
        """All pairs of proteins, the most alike first."""
        return RankedPairs.of(self.evaluated.rows, self.evaluated.related, self.spec.r)

    @cached_property
    def labels(self) -> Labels:
        """The one term of each protein, shape (n,); -1 for none."""
        return one_label_each(self.evaluated.names, self.evaluated.standard, self.spec)

    @property
    def labelled(self) -> npt.NDArray[np.intp]:
        """Rows of the proteins that have one label."""
        return np.flatnonzero(self.labels >= 0)

    @cached_property
    def k(self) -> int:
        """Number of clusters; 0 where there is too little to cluster."""
        return self._k_of(self.labels[self.labelled])

    def _k_of(self, labels: Labels) -> int:
        present = len(np.unique(labels))
        enough = len(labels) >= _LEAST_LABELLED and present > 1
        return min(self.spec.k or present, len(labels)) if enough else 0

    @cached_property
    def clusterings(self) -> Clusterings:
        """Clusters of the proteins that have one label."""
        return Clusterings(self.evaluated.rows[self.labelled], self.spec)

    @cached_property
    def agreement(self) -> Agreement | None:
        """Labels beside clusters; None where there is too little to cluster."""
        if not self.k:
            return None
        return Agreement(self.labels[self.labelled], self.clusterings.of(self.k))

    @cached_property
    def values(self) -> Values:
        """All metrics, arrays of one value."""
        ones = np.ones((len(self.evaluated), 1), np.float32)
        found = weighted_metrics(self.pairs, ones, self.spec)
        ami = math.nan if self.agreement is None else self.agreement.value
        return found | {"ami": np.array([ami])}

    @cached_property
    def precision(self) -> npt.NDArray[np.float64]:
        """Average precision of the others for each protein."""
        return precision_by_protein(self.pairs)

    @property
    def protein_prevalence(self) -> float:
        """Mean over proteins with relations of the share of the others that they share a term with.

        What a random ranking has of ``map_protein``, but for the few ranks of small groups.
        """
        n = len(self.evaluated)
        related = np.bincount(np.concatenate(self.pairs.related), minlength=n)
        return float(related[related > 0].mean() / (n - 1)) if related.any() else math.nan

    def by_k(self) -> dict[int, float]:
        """Return the mutual information by number of clusters."""
        if self.agreement is None:
            return {}
        labels = self.agreement.labels
        numbers = curve_numbers(len(labels), self.k)
        return {k: Agreement(labels, self.clusterings.of(k)).value for k in numbers}

    def drawn(self, draws: Sequence[Draw]) -> Values:
        """Return all metrics of draws of the proteins."""
        weights = np.stack([draw.weights for draw in draws], axis=1)
        found = weighted_metrics(self.pairs, weights, self.spec)
        return found | {"ami": np.array([self._ami_of(draw.half) for draw in draws])}

    def _ami_of(self, half: npt.NDArray[np.bool_]) -> float:
        """Return the mutual information of half of the proteins, clustered without the others."""
        chosen = np.flatnonzero(half[self.labelled])
        labels = self.labels[self.labelled][chosen]
        k = self._k_of(labels) if self.k else 0
        if not k:
            return math.nan
        return Agreement(labels, self.clusterings.of_some(chosen, k)).value

    def exchanged(self, orders: Sequence[npt.NDArray[np.int64]]) -> Values:
        """Return all metrics where proteins have the terms of others."""
        found = exchanged_metrics(self.pairs, orders, self.spec)
        if self.agreement is None:
            return found | {"ami": np.full(len(orders), np.nan)}
        # Where those that have a label stand in an order is a random order of them as well.
        labelled = np.stack([np.argsort(np.argsort(o[self.labelled])) for o in orders])
        return found | {"ami": self.agreement.exchanged(labelled)}
