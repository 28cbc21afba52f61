"""Which terms the vectors hold, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml.evaluation.functional._evaluated import Evaluated

_ENTRIES = 2_000_000
"""Scores that are held at once, 16 MB."""


@dataclass(frozen=True, slots=True)
class TermScore:
    """How well the proteins of one term find each other.

    Parameters
    ----------
    term, title : str
        The term, and its name for people.
    n : int
        Proteins of the term that were evaluated.
    precision : float
        Mean over them of the average precision of the others, ranked by correlation to it.
        Proteins that share another term with it count neither way.
    prevalence : float
        Mean share of others of the term among those that count: the precision by chance, nearly.
    """

    term: str
    title: str
    n: int
    precision: float
    prevalence: float


def term_scores(evaluated: Evaluated) -> tuple[TermScore, ...]:
    """Return a score a term, the best first."""
    rows, related = evaluated.rows, evaluated.related
    member = evaluated.standard.membership(evaluated.names.tolist()).tocsc()
    found = []
    for column, term in enumerate(evaluated.standard.terms):
        members = member.indices[member.indptr[column] : member.indptr[column + 1]]
        inside = np.zeros(len(rows), np.bool_)
        inside[members] = True
        pairs = [
            _average_precision(scores, inside, related[p] & ~inside, p)
            for p, scores in _scored(rows, members)
        ]
        precision, prevalence = np.mean(pairs, axis=0)
        title = evaluated.standard.title(term)
        found.append(TermScore(term, title, len(members), float(precision), float(prevalence)))
    return tuple(sorted(found, key=lambda one: -one.precision))


def _scored(
    rows: npt.NDArray[np.float64], members: npt.NDArray[np.intp]
) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
    """Yield some proteins with the correlations of all to each."""
    size = max(1, _ENTRIES // len(rows))
    for begin in range(0, len(members), size):
        chosen = members[begin : begin + size]
        scores = np.clip(rows[chosen] @ rows.T, -1, 1).astype(np.float32)
        yield from zip(chosen.tolist(), scores, strict=True)


def _average_precision(
    scores: npt.NDArray[np.float32],
    inside: npt.NDArray[np.bool_],
    ignored: npt.NDArray[np.bool_],
    p: int,
) -> tuple[float, float]:
    """Return average precision and prevalence of the others of a term, for one of its proteins."""
    counted = ~ignored
    counted[p] = False
    everyone, hits = np.sort(scores[counted]), np.sort(scores[counted & inside])
    # Of equal scores all count as called, so that their order does not matter.
    n_called = len(everyone) - np.searchsorted(everyone, hits)
    n_hit = len(hits) - np.searchsorted(hits, hits)
    return float(np.mean(n_hit / n_called)), len(hits) / len(everyone)
