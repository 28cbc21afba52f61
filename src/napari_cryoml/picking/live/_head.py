"""The head of the live picker: positive-unlabelled logistic regression, refit at every edit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg, special

from napari_cryoml.picking.live._examples import Examples

Floats = npt.NDArray[np.float64]

POSITIVE_SHARE = 0.1
"""Weight of all clicks together; the unlabelled points have the rest."""

STRENGTHS = (100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1)
"""Regularisation that is tried, strongest first."""

_WEIGHT = 1000.0
_STEPS = 25
_BOUND = 6.0
_ENOUGH = 1e-3
_TILE = 2**16


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A logistic head on standardised features, linear or with their squares.

    Parameters
    ----------
    mean, deviation : array of shape (C,)
        Of the features at unlabelled points.
    linear, quadratic : array of shape (C,)
        Weights of the standardised features and of their squares; no square, no weight.
    intercept : float
    strength : float
        Regularisation that was chosen.
    """

    mean: Floats
    deviation: Floats
    linear: Floats
    quadratic: Floats
    intercept: float
    strength: float

    @property
    def degree(self) -> int:
        """1 for a linear head, 2 with squares."""
        return 2 if self.quadratic.any() else 1

    def score(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Return the raw scores of features of shape (C, gy, gx) or (C, gz, gy, gx)."""
        flat = values.reshape(len(values), -1)
        scores = np.empty(flat.shape[1], np.float32)
        scale, shift = self._single(1 / self.deviation), self._single(self.mean / self.deviation)
        first, second = self._single(self.linear), self._single(self.quadratic)
        for start in range(0, flat.shape[1], _TILE):
            part = flat[:, start : start + _TILE].astype(np.float32)
            part *= scale[:, None]
            part -= shift[:, None]
            np.clip(part, -_BOUND, _BOUND, out=part)
            total = first @ part
            if self.degree == 2:
                total += second @ np.square(part, out=part)
            scores[start : start + _TILE] = total
        return (scores + np.float32(self.intercept)).reshape(values.shape[1:])

    @staticmethod
    def _single(values: Floats) -> npt.NDArray[np.float32]:
        return values.astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class HeadFit:
    """A head, and what it would say of each click had it not seen that click.

    Parameters
    ----------
    head : Head
    clicks : array of shape (n,)
        Held-out raw scores of labelled particles.
    negatives : array of shape (m,)
        Held-out raw scores of places labelled as no particle.
    loss : float
        Mean held-out rank loss of the clicks, by which the head was chosen.
    """

    head: Head
    clicks: Floats
    negatives: Floats
    loss: float


def fit_head(examples: Examples, *, degree: int | None = None) -> HeadFit:
    """Fit the head to labelled and unlabelled places, from scratch.

    With logits f, class prior pi and labelled particles p, unlabelled points u and labelled
    negatives n, this is minimised over the weights w:

        -pi mean_p f + mean_u log(1 + e^f) + pi mean_n log(1 + e^f) + lambda |w|^2 / 2,

    the unbiased risk of positive-unlabelled learning, which the logistic loss makes convex (du
    Plessis, Niu and Sugiyama 2015, equation 7), with negatives beside it. Each click counts
    alike, however many grid points stand for it. Newton's method needs few steps here, and its
    Hessian, which the labelled particles do not enter, gives what the head would say had it not
    seen a click: by that, degree and strength are chosen.

    Parameters
    ----------
    examples : Examples
    degree : {1, 2}, optional
        1 for a linear head, 2 for one with squares; chosen with the strength by default.
    """
    fits = [fit for n in ((1, 2) if degree is None else (degree,)) for fit in _path(examples, n)]
    return min(fits, key=lambda fit: fit.loss)


def _path(examples: Examples, degree: int) -> list[HeadFit]:
    """Return the fits of one degree, from the strongest regularisation to the weakest."""
    mean = examples.unlabelled.mean(axis=0)
    deviation = np.maximum(examples.unlabelled.std(axis=0), 1e-6)
    problem = _Problem.of(examples, mean, deviation, degree)
    weights = np.zeros(problem.unlabelled.shape[1])
    fits = []
    for strength in STRENGTHS:
        weights, hessian = problem.minimise(weights, strength)
        clicks, negatives = problem.held_out(weights, hessian)
        width = len(mean)
        quadratic = weights[width:-1] if degree == 2 else np.zeros(width)
        intercept = float(weights[-1] - (quadratic.sum() if degree == 2 else 0.0))
        head = Head(mean, deviation, weights[:width], quadratic, intercept, strength)
        loss = _held_out_loss(clicks, negatives, problem.unlabelled @ weights)
        fits.append(HeadFit(head, clicks, negatives, loss))
    return fits


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """The rows of the loss; the last column is the intercept, which is not regularised."""

    positives: Floats
    negatives: Floats
    unlabelled: Floats

    @classmethod
    def of(cls, examples: Examples, mean: Floats, deviation: Floats, degree: int) -> _Problem:
        def rows(values: npt.NDArray[np.float32]) -> Floats:
            standard = np.clip((values - mean) / deviation, -_BOUND, _BOUND)
            parts = [standard, standard**2 - 1] if degree == 2 else [standard]
            return np.concatenate([*parts, np.ones((len(values), 1))], axis=1)

        return cls(
            _by_click(rows(examples.positives), examples.positive_clicks),
            _by_click(rows(examples.negatives), examples.negative_clicks),
            rows(examples.unlabelled),
        )

    def minimise(self, start: Floats, strength: float) -> tuple[Floats, Any]:
        """Return the weights, and the factor of the Hessian there."""
        weights, value = start, self._value(start, strength)
        for _ in range(_STEPS):
            gradient, factor = self._slope(weights, strength)
            step, length = linalg.cho_solve(factor, gradient), 1.0
            if float(gradient @ step) < _ENOUGH:
                break
            trial = weights - step
            while length > 1e-3 and (found := self._value(trial, strength)) > value:
                length /= 2
                trial = weights - length * step
            weights, value = trial, found
        return weights, factor

    def held_out(self, weights: Floats, factor: Any) -> tuple[Floats, Floats]:
        """Return the scores of clicks and negatives by one Newton step without each of them."""
        positive, negative, _ = self._groups
        return _left_out(positive, weights, factor), _left_out(negative, weights, factor)

    @property
    def _groups(self) -> tuple[tuple[Floats, float, float], ...]:
        """Rows, sign of their class, and weight of each row."""
        shares = (POSITIVE_SHARE, POSITIVE_SHARE, 1 - POSITIVE_SHARE)
        signs = (1.0, -1.0, -1.0)
        every = (self.positives, self.negatives, self.unlabelled)
        return tuple(
            (rows, sign, _WEIGHT * share / max(len(rows), 1))
            for rows, sign, share in zip(every, signs, shares, strict=True)
        )

    def _value(self, weights: Floats, strength: float) -> float:
        risk = strength * float(weights[:-1] @ weights[:-1]) / 2
        for rows, sign, scale in self._groups:
            risk += scale * float(np.logaddexp(0, -sign * (rows @ weights)).sum())
        return risk

    def _slope(self, weights: Floats, strength: float) -> tuple[Floats, Any]:
        penalty = np.full(len(weights), strength)
        penalty[-1] = 1e-6
        gradient, hessian = penalty * weights, np.diag(penalty)
        for rows, sign, scale in self._groups:
            wrong = special.expit(-sign * (rows @ weights))
            gradient = gradient - scale * sign * (rows.T @ wrong)
            bend = scale * np.maximum(wrong * (1 - wrong), 1e-4)
            hessian = hessian + (rows * bend[:, None]).T @ rows
        return gradient, linalg.cho_factor(hessian)


def _left_out(group: tuple[Floats, float, float], weights: Floats, factor: Any) -> Floats:
    rows, sign, scale = group
    if not len(rows):
        return np.empty(0)
    score = rows @ weights
    wrong = special.expit(-sign * score)
    lever = scale * np.einsum("ij,ij->i", rows, linalg.cho_solve(factor, rows.T).T)
    return score - sign * lever * wrong / np.maximum(1 - lever * wrong * (1 - wrong), 0.05)


def _by_click(rows: Floats, clicks: npt.NDArray[np.intp]) -> Floats:
    """Return the mean row of each click."""
    n = int(clicks.max()) + 1 if len(clicks) else 0
    total = np.zeros((n, rows.shape[1]))
    np.add.at(total, clicks, rows)
    return total / np.bincount(clicks, minlength=n)[:, None] if n else total


def _held_out_loss(clicks: Floats, negatives: Floats, unlabelled: Floats) -> float:
    """Return the loss of places the head has not seen; there are always new unlabelled ones."""
    loss = POSITIVE_SHARE * np.logaddexp(0, -clicks).mean()
    loss += (1 - POSITIVE_SHARE) * np.logaddexp(0, unlabelled).mean()
    if len(negatives):
        loss += POSITIVE_SHARE * np.logaddexp(0, negatives).mean()
    return float(loss)
