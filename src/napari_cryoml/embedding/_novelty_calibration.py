"""What scores of novelty are worth: labelled classes are left out, as if they were new."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from napari_cryoml.embedding._novelty_methods import (
    LEAST_CLASSES,
    METHODS,
    Classes,
    Floats,
    Vectors,
)

if TYPE_CHECKING:
    from napari_cryoml.embedding._novelty import NoveltyConfig

Rows: TypeAlias = npt.NDArray[np.intp]

LEAST_ROWS = 5
"""Rows of a class that is left out, at least."""

_LEAST_HELD_OUT = 3
"""Rows of one class at least, so that two are left to compare with where one is held out."""

_MOST_CLASSES = 12
_MOST_ROWS = 4000
_FOLDS = 3
_TRUSTED = (0.01, 0.99)

_BLIND = (
    "What is new cannot be told from what is known here: classes that were left out do not score "
    "higher than the others."
)
_BY_SPREAD = (
    f"No class could be left out, which takes two classes or more and {LEAST_ROWS} rows of one: "
    "probabilities follow from the spread of the labelled rows alone."
)
_TWO_CLASSES = (
    "The AUROC is optimistic with two classes: the one that is left out is told from a single "
    "other one. Label a third class for a better figure."
)
_TOO_FEW = (
    f"No class has {_LEAST_HELD_OUT} labelled rows, so nothing tells how far apart rows of a class "
    "lie: no row is called new, and all have one probability. Label more rows of a class."
)


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """From the score of a method to a probability.

    Parameters
    ----------
    method : str
    slope, offset : float
        Log-odds of being new are ``slope * score + offset``.
    threshold : float
        NaN if no class has enough rows to hold some out.
    auroc : mapping of str to float
        Of each class that was left out.
    notes : tuple of str
    """

    method: str
    slope: float
    offset: float
    threshold: float
    auroc: Mapping[str, float]
    notes: tuple[str, ...]

    @property
    def mean_auroc(self) -> float:
        """Mean over classes; NaN if none was left out."""
        return float(np.mean(list(self.auroc.values()))) if self.auroc else float("nan")

    def probability(self, scores: Floats) -> Floats:
        """Return the probability that rows with these scores are new."""
        from scipy.special import expit

        return expit(self.slope * scores + self.offset)


def calibrate(
    method: str, known: Vectors, classes: Classes, background: Vectors, config: NoveltyConfig
) -> Calibration:
    """Find out what the scores of one method are worth.

    Parameters
    ----------
    method : str
    known : array of shape (m, d), float32
        All labelled rows.
    classes : array of shape (m,), str
    background : array of shape (b, d), float32
        Rows of all kinds.
    config : NoveltyConfig
    """
    rng = np.random.default_rng(config.seed)
    drawn = np.sort(rng.permutation(len(known))[:_MOST_ROWS])
    known, classes = known[drawn], classes[drawn]
    trials = _Trials(method, known, classes, background)
    of_known = trials.of_known(rng)
    if not len(of_known):
        return Calibration(method, 0.0, _prior(config.share), np.nan, {}, (_TOO_FEW,))
    threshold = float(np.quantile(of_known, 1 - config.false_alarms))
    of_new, auroc = trials.of_left_out(rng, float(np.median(of_known)))
    if of_new:
        slope, offset = _log_odds(of_known, of_new, config.share)
        notes = (() if slope else (_BLIND,)) + trials.notes()
    else:
        slope, offset = _log_odds_by_spread(of_known, threshold, config.share)
        notes = (_BY_SPREAD,)
    return Calibration(method, slope, offset, threshold, auroc, notes)


@dataclass(frozen=True, slots=True, eq=False)
class _Trials:
    """Scores of rows that the method was not fitted to."""

    method: str
    known: Vectors
    classes: Classes
    background: Vectors

    def of_known(self, rng: np.random.Generator) -> Floats:
        """Return the scores of labelled rows, each fitted without it and with all classes.

        There are none if all classes are too small to hold rows out.
        """
        if np.unique(self.classes, return_counts=True)[1].max() < _LEAST_HELD_OUT:
            return np.empty(0)
        rows = np.arange(len(self.classes))
        held_out = [part for part in _folds(self.classes, rng) if len(part)]
        return np.concatenate([self._scores(np.setdiff1d(rows, out), out) for out in held_out])

    def of_left_out(
        self, rng: np.random.Generator, median: float
    ) -> tuple[list[Floats], dict[str, float]]:
        """Leave out one class after the other; return its scores, and how they stand out.

        With a class less, all scores move: they are moved back by the median of known rows.
        """
        of_new, auroc = [], {}
        for name in self._names_to_leave_out():
            new = np.flatnonzero(self.classes == name)
            others = np.flatnonzero(self.classes != name)
            tested = others[_folds(self.classes[others], rng)[0]]
            if len(tested):
                rest = np.setdiff1d(others, tested)
                scores, of_others = self._scores(rest, new), self._scores(rest, tested)
                of_new.append(scores - np.median(of_others) + median)
                auroc[name] = _auroc(of_others, scores)
        return of_new, auroc

    def notes(self) -> tuple[str, ...]:
        """Say why classes that were left out may stand out more than new ones will."""
        return (_TWO_CLASSES,) if len(np.unique(self.classes)) == 2 else ()

    def _names_to_leave_out(self) -> list[str]:
        names, counts = np.unique(self.classes, return_counts=True)
        if len(names) - 1 < LEAST_CLASSES[self.method]:
            return []
        largest = np.argsort(-counts, kind="stable")[:_MOST_CLASSES]
        return [str(names[each]) for each in largest if counts[each] >= LEAST_ROWS]

    def _scores(self, fitted: Rows, asked: Rows) -> Floats:
        score = METHODS[self.method](self.known[fitted], self.classes[fitted], self.background)
        return score(self.known[asked])


def _folds(classes: Classes, rng: np.random.Generator) -> list[Rows]:
    """Return parts of the rows to hold out in turn; a class keeps a row at least."""
    fold = np.full(len(classes), -1)
    for name in np.unique(classes):
        rows = rng.permutation(np.flatnonzero(classes == name))
        if len(rows) > 1:
            fold[rows] = np.arange(len(rows)) % _FOLDS
    return [np.flatnonzero(fold == each) for each in range(_FOLDS)]


def _auroc(known: Floats, new: Floats) -> float:
    from sklearn.metrics import roc_auc_score

    truth = np.repeat([0, 1], [len(known), len(new)])
    return float(roc_auc_score(truth, np.concatenate([known, new])))


def _log_odds(of_known: Floats, of_new: list[Floats], share: float) -> tuple[float, float]:
    """Fit log-odds of being new to the scores (Platt 1999); each left-out class counts alike."""
    from sklearn.linear_model import LogisticRegression

    scores = np.concatenate([of_known, *of_new])
    scores = scores.clip(*np.quantile(scores, _TRUSTED))  # one far row must not set the slope
    truth = np.repeat([0, 1], [len(of_known), len(scores) - len(of_known)])
    weights = [np.full(len(part), 1 / len(part) / len(of_new)) for part in of_new]
    weighed = np.concatenate([np.full(len(of_known), 1 / len(of_known)), *weights])
    centre, width = float(np.median(scores)), float(scores.std()) or 1.0
    model = LogisticRegression(C=10.0)
    model.fit(((scores - centre) / width)[:, None], truth, weighed * len(scores) / 2)
    expected = _prior(share)
    slope = float(model.coef_[0, 0]) / width
    if slope <= 0:
        return 0.0, expected
    return slope, float(model.intercept_[0]) - slope * centre + expected


def _log_odds_by_spread(of_known: Floats, threshold: float, share: float) -> tuple[float, float]:
    """Set log-odds by how known rows score: even at the threshold, if both kinds are as likely."""
    width = float(of_known.std()) or abs(threshold) or 1.0
    return 1 / width, _prior(share) - threshold / width


def _prior(share: float) -> float:
    """Return the log-odds of a row that is new with this probability."""
    return float(np.log(share / (1 - share)))
