"""Certified precision: what a short review of the picks proves about all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from napari_cryoml._errors import InputError
from napari_cryoml.picking.live._review import ReviewPlan, picks_digest, plan_review

__all__ = [
    "Answer",
    "Certificate",
    "ReviewPlan",
    "best_threshold",
    "certify",
    "picks_digest",
    "plan_review",
    "precision_bound",
    "review_threshold",
    "wrong_allowed",
]

Answer = Literal["yes", "no", "skip"]

ANSWERS: tuple[Answer, ...] = ("yes", "no", "skip")


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a review proved.

    Parameters
    ----------
    threshold : float
        Lowest score of the picks that it speaks of.
    precision_bound : float
        At least this fraction of them are particles.
    confidence : float
        How often a bound made like this one holds.
    n_picks : int
        Picks at or above the threshold.
    n_reviewed, n_right, n_skipped : int
        Picks drawn, those that the user called particles and those left open; the latter count
        as wrong.
    digest : str
        Of the list of picks that it speaks of; void for any other.
    """

    threshold: float
    precision_bound: float
    confidence: float
    n_picks: int
    n_reviewed: int
    n_right: int
    n_skipped: int
    digest: str

    @property
    def sentence(self) -> str:
        """What it says, in one sentence."""
        skipped = f", {self.n_skipped} skipped and counted as wrong" if self.n_skipped else ""
        percent = math.floor(self.precision_bound * 1000 + 1e-9) / 10
        return (
            f"At least {percent:g} % of the {self.n_picks} picks with a score of "
            f"{self.threshold:.3g} or more are particles ({self.confidence:.0%} confidence; "
            f"{self.n_right} of {self.n_reviewed} reviewed picks were right{skipped})."
        )

    def holds_for(self, scores: npt.ArrayLike, positions: npt.ArrayLike | None = None) -> bool:
        """Say whether a list of picks is the one that was reviewed, see `picks_digest`."""
        return picks_digest(scores, positions) == self.digest

    def to_json(self) -> dict[str, Any]:
        """Return the values, and the sentence, as JSON takes them."""
        return {**asdict(self), "sentence": self.sentence}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Certificate:
        """Return the certificate that `to_json` wrote."""
        return cls(**{name: values[name] for name in cls.__dataclass_fields__})


def certify(
    plan: ReviewPlan, answers: Mapping[int, Answer], *, confidence: float = 0.95
) -> Certificate:
    """Bound the precision of the picks at or above the threshold of the plan.

    The number of right draws is a sum of independent yes/no draws whose mean is the precision
    of the picks, one from each band. By Hoeffding such a sum is no more spread out than a
    binomial of the same mean, so the one-sided bound of Clopper and Pearson holds. A skipped
    pick counts as wrong, which can only lower the bound.

    Parameters
    ----------
    plan : ReviewPlan
    answers : dict of int to {"yes", "no", "skip"}
        Answer for each index of ``plan.stage(0)``; those of other stages are left out.
    confidence : float, default 0.95

    Returns
    -------
    Certificate

    Raises
    ------
    InputError
        If a pick of the first stage has no answer, or one that is not known.

    References
    ----------
    Clopper and Pearson, Biometrika 26 (1934) 404. Hoeffding, "On the distribution of the number
    of successes in independent trials", Ann. Math. Statist. 27 (1956) 713, theorem 4.
    """
    return _certificate(plan, answers, 0, confidence)


def best_threshold(
    plan: ReviewPlan,
    answers: Mapping[int, Answer],
    *,
    target: float = 0.9,
    confidence: float = 0.95,
) -> Certificate:
    """Return the certificate of the lowest threshold at which the target is proved.

    The stages are tested in the order of the plan, from the highest scores down, each with all
    answers above its threshold, and the tests end with the first stage that fails or is not
    answered in full. Tests in an order fixed beforehand need no correction for their number, so
    one may go on to lower stages as long as they pass and keep the last that did. The bound is
    the target itself, not more; where even the first stage fails it is the bound of `certify`.

    Parameters
    ----------
    plan : ReviewPlan
    answers : dict of int to {"yes", "no", "skip"}
        Answers for ``plan.stage(0)``, and for as many of the next stages as were reviewed.
    target : float, default 0.9
        Precision to prove, chosen before the review.
    confidence : float, default 0.95

    Returns
    -------
    Certificate
        Its `precision_bound` equals `target`, or is below it if the first stage fails.

    Raises
    ------
    InputError
        If the first stage is not answered in full, or an answer is not known.

    References
    ----------
    Maurer, Hothorn and Lehmacher, "Multiple comparisons in drug clinical trials and preclinical
    assays: a-priori ordered hypotheses", Biometrie in der chemisch-pharmazeutischen Industrie 6
    (1995) 3-18.
    """
    best = certify(plan, answers, confidence=confidence)
    if best.precision_bound < target:
        return best
    for number in range(1, plan.n_stages):
        if any(index not in answers for index in plan.stage(number).tolist()):
            break
        lower = _certificate(plan, answers, number, confidence)
        if lower.precision_bound < target:
            break
        best = lower
    return replace(best, precision_bound=target)


def precision_bound(n_right: int, n_reviewed: int, confidence: float = 0.95) -> float:
    """Return the one-sided lower bound of Clopper and Pearson on a fraction.

    Parameters
    ----------
    n_right, n_reviewed : int
    confidence : float, default 0.95

    Returns
    -------
    float
        0 if none was right; 0.905 for 30 of 30.
    """
    if n_right == 0:
        return 0.0
    return float(stats.beta.ppf(1 - confidence, n_right, n_reviewed - n_right + 1))


def wrong_allowed(size: int, target: float = 0.9, confidence: float = 0.95) -> int:
    """Return how many of `size` reviewed picks may be wrong for the target to be proved.

    Parameters
    ----------
    size : int
    target, confidence : float

    Returns
    -------
    int
        0 for 30, 1 for 46, 2 for 61 with the defaults; -1 if `size` is too small (below 29).
    """
    wrong = -1
    while wrong < size - 1 and precision_bound(size - wrong - 1, size, confidence) >= target:
        wrong += 1
    return wrong


def review_threshold(
    log_odds: npt.ArrayLike,
    *,
    size: int = 30,
    target: float = 0.9,
    confidence: float = 0.95,
    power: float = 0.8,
) -> float:
    """Return the lowest threshold at which a review is likely to prove the target.

    It looks at the calibrated scores alone, not at any answer, so the bound stays honest even
    where the calibration is wrong; only the chance to reach the target then suffers.

    Parameters
    ----------
    log_odds : array of shape (n,)
        Calibrated scores of the picks.
    size : int, default 30
        Picks to ask about.
    target, confidence : float
    power : float, default 0.8
        Chance to reach the target.

    Returns
    -------
    float
        Where no threshold gives that chance: the one below which lie all but the best `size`
        picks, or all picks if there are no more.

    Raises
    ------
    InputError
        If there are no picks.
    """
    ordered = np.sort(np.asarray(log_odds, np.float64).ravel())[::-1]
    if not ordered.size:
        raise InputError("A review needs picks; none came. Lower the threshold of the picks.")
    precision = np.cumsum(1 / (1 + np.exp(-ordered))) / np.arange(1, len(ordered) + 1)
    chance = stats.binom.cdf(wrong_allowed(size, target, confidence), size, 1 - precision)
    cuts = np.append(ordered[:-1] > ordered[1:], True)
    enough = np.flatnonzero((chance >= power) & cuts)
    fewest = min(size, len(ordered))
    return float(ordered[max(int(enough[-1]) + 1 if enough.size else 0, fewest) - 1])


def _certificate(
    plan: ReviewPlan, answers: Mapping[int, Answer], number: int, confidence: float
) -> Certificate:
    given = _answers(plan, answers, number)
    n_right, n_reviewed = given.count("yes"), len(given)
    if plan.step == 1:
        bound = n_right / n_reviewed
    else:
        bound = precision_bound(n_right, n_reviewed, confidence)
    return Certificate(
        threshold=plan.threshold(number),
        precision_bound=_bound_above_cut(plan, number, bound),
        confidence=confidence,
        n_picks=plan.n_picks(number),
        n_reviewed=n_reviewed,
        n_right=n_right,
        n_skipped=given.count("skip"),
        digest=plan.digest,
    )


def _answers(plan: ReviewPlan, answers: Mapping[int, Answer], number: int) -> Sequence[Answer]:
    drawn = plan.draws[: (number + 1) * plan.size].tolist()
    missing = [index for index in dict.fromkeys(drawn) if index not in answers]
    if missing:
        raise InputError(
            f"{len(missing)} of the picks under review have no answer yet: answer yes, no or skip "
            "for each, or there is no honest bound."
        )
    given = [answers[index] for index in drawn]
    unknown = next((answer for answer in given if answer not in ANSWERS), None)
    if unknown is not None:
        raise InputError(f"An answer is yes, no or skip; {unknown!r} came.")
    return given


def _bound_above_cut(plan: ReviewPlan, number: int, bound: float) -> float:
    """Carry a bound from whole bands to the picks that a threshold cuts off: a few fewer."""
    covered, kept = plan.n_covered(number), plan.n_picks(number)
    return min(max((bound * covered - max(covered - kept, 0.0)) / kept, 0.0), 1.0)
