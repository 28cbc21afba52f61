"""What an evaluation has found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import Coverage
from napari_cryoml.evaluation.functional._spec import MetricSpec
from napari_cryoml.evaluation.functional._terms import TermScore

TITLES = {
    "ap_pooled": "average precision over all pairs",
    "map_protein": "mean over proteins of the average precision of the others",
    "f05_at_q": "F0.5 with a fixed share of the pairs called related",
    "recall_at_q": "share of the related pairs among a fixed share of all pairs",
    "f05_at_r": "F0.5 with the pairs above a fixed correlation called related",
    "f05_max": "greatest F0.5 over all thresholds (optimistic)",
    "ami": "adjusted mutual information of clusters and terms",
}
"""Metrics by name, and what they are."""

OPTIMISTIC = ("f05_max",)
"""Metrics whose threshold was chosen by the answer."""


@dataclass(frozen=True, slots=True)
class Score:
    """The value of one metric.

    Parameters
    ----------
    value : float
        NaN where it could not be measured.
    low, high : float
        Interval over draws of the proteins; NaN without draws.
    prevalence : float
        Share of pairs that are related, which precision is to be compared with; NaN where that
        says nothing, as for mutual information, whose value by chance is 0.
    chance : float
        Mean where the terms of proteins are exchanged at random; NaN if that was not done.
    p : float
        Share of such exchanges that come as far, counting the data as one; NaN likewise.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    prevalence: float = math.nan
    chance: float = math.nan
    p: float = math.nan

    @property
    def over_chance(self) -> float:
        """How many times its value by chance the value is; NaN where that is 0 or unknown."""
        known = math.isfinite(self.prevalence) and self.chance > 0
        return self.value / self.chance if known else math.nan


@dataclass(frozen=True, eq=False)
class FunctionalReport:
    """How much of a standard the vectors of proteins hold.

    Parameters
    ----------
    standard : str
        Name of the standard.
    spec : MetricSpec
        What the metrics mean.
    scores : mapping of str to Score
        By the names of `TITLES`.
    f05_by_share : mapping of float to float
        F0.5 by the share of the pairs that is called related.
    ami_by_k : mapping of int to float
        Adjusted mutual information by the number of clusters.
    k : int
        Number of clusters of the score ``ami``; 0 where there was none.
    n_labelled : int
        Proteins with one label, which ``ami`` is about.
    proteins : tuple of str
        Names of the proteins evaluated, as they were given.
    precision : array of shape (n,)
        Average precision of the others for each of them; NaN for one without relations.
    terms : tuple of TermScore
        Which terms the vectors hold, the best first; none if the job was stopped before.
    n_terms, n_pairs, n_related : int
        Terms, pairs, and pairs that share a term.
    coverage : Coverage
        How the names met those of the standard.
    left_out : mapping of str to tuple of str
        Names of the proteins that were left out, by reason.
    draws : mapping of str to array of shape (n_bootstrap,)
        Each metric for each draw of the proteins; equal draws for equal specifications and
        proteins.
    notes : tuple of str
        Sentences for the user.
    provenance : mapping
        Versions, the standard's file, and whatever the caller adds, as JSON takes it.
    """

    standard: str
    spec: MetricSpec
    scores: Mapping[str, Score]
    f05_by_share: Mapping[float, float]
    ami_by_k: Mapping[int, float]
    k: int
    n_labelled: int
    proteins: tuple[str, ...]
    precision: npt.NDArray[np.float64]
    terms: tuple[TermScore, ...]
    n_terms: int
    n_pairs: int
    n_related: int
    coverage: Coverage
    left_out: Mapping[str, tuple[str, ...]]
    draws: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, metric: str) -> float:
        """Return the value of a metric."""
        return self.scores[metric].value

    @property
    def prevalence(self) -> float:
        """Share of the pairs that share a term."""
        return self.n_related / self.n_pairs

    @property
    def ami_max(self) -> tuple[int, float]:
        """The number of clusters that agrees best with the terms, and how far; optimistic."""
        if not self.ami_by_k:
            return 0, math.nan
        k = max(self.ami_by_k, key=lambda at: self.ami_by_k[at])
        return k, self.ami_by_k[k]

    def rows(self) -> list[dict[str, Any]]:
        """Return a row a metric, for tables."""
        return [
            {
                "standard": self.standard,
                "metric": name,
                "value": score.value,
                "low": score.low,
                "high": score.high,
                "prevalence": score.prevalence,
                "chance": score.chance,
                "over_chance": score.over_chance,
                "p": score.p,
                "optimistic": name in OPTIMISTIC,
                "n_proteins": self.n_labelled if name == "ami" else len(self.proteins),
                "meaning": TITLES[name],
            }
            for name, score in self.scores.items()
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return everything but draws and precision by protein, as JSON takes it."""
        k, best = self.ami_max
        cover = self.coverage
        return {
            "standard": self.standard,
            "metrics": self.rows(),
            "spec": self.spec.model_dump(mode="json"),
            "f05_by_share": {f"{q:g}": value for q, value in self.f05_by_share.items()},
            "ami": {
                "k": self.k,
                "by_k": {str(at): value for at, value in self.ami_by_k.items()},
                "max": best,
                "k_of_max": k,
                "n_labelled": self.n_labelled,
            },
            "terms": [asdict(term) for term in self.terms],
            "n_proteins": len(self.proteins),
            "n_terms": self.n_terms,
            "n_pairs": self.n_pairs,
            "n_related_pairs": self.n_related,
            "prevalence": self.prevalence,
            "coverage": {
                "n": cover.n,
                "found": cover.found,
                "translated": cover.translated,
                "names": cover.scheme,
                "names_of_standard": cover.standard_scheme,
                "sentence": str(cover),
            },
            "left_out": {
                why: {"n": len(names), "names": list(names[:20])}
                for why, names in self.left_out.items()
            },
            "notes": list(self.notes),
            "provenance": dict(self.provenance),
        }
