"""The head of the live picker: positive-unlabelled logistic regression, refit at every edit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg, special
from threadpoolctl import ThreadpoolController

from napari_cryoml.picking.live._examples import Examples, Rows

Floats = npt.NDArray[np.float64]

POSITIVE_SHARE = 0.1
"""Weight of all clicks together; the unlabelled points have the rest."""

STRENGTHS = {1: (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0), 2: (30.0, 10.0, 3.0)}
"""Regularisation that is tried for each degree, strongest first."""

ANALYTIC_SCALE = 0.35
"""Scale of the analytic channels beside learned ones; chosen on simulated sets."""

QUADRATIC_CLICKS = 20
"""Labelled particles from which on squares are tried."""

_FOLDS = 3
_LEAST_CLICKS_OF_A_FOLD = 3
_STANDARD_ERRORS = 2.0
_WEIGHT = 1000.0
_STEPS = 25
_ENOUGH = 1e-2
_DAMPED = 0.98
_BOUND = 6.0
_TILE = 2**13
_SELECTION_POINTS = 1500


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
        import torch

        # Torch turns half precision into single some ten times faster than numpy.
        flat = torch.from_numpy(values.reshape(len(values), -1))
        scale, shift, first, second = (
            torch.from_numpy(part.astype(np.float32))
            for part in (
                1 / self.deviation,
                self.mean / self.deviation,
                self.linear,
                self.quadratic,
            )
        )
        scores = torch.empty(flat.shape[1])
        for start in range(0, flat.shape[1], _TILE):
            part = flat[:, start : start + _TILE].float() * scale[:, None]
            part.sub_(shift[:, None]).clamp_(-_BOUND, _BOUND)
            total = first @ part
            if self.degree == 2:
                total += second @ part.square_()
            scores[start : start + _TILE] = total
        return (scores.numpy() + np.float32(self.intercept)).reshape(values.shape[1:])


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
    click_changes : array of shape (n,)
    negative_changes : array of shape (m,)
        Held-out scores less those of the head that has seen all.
    """

    head: Head
    clicks: Floats
    negatives: Floats
    click_changes: Floats
    negative_changes: Floats


def fit_head(
    examples: Examples, *, degree: int | None = None, particle_channel: int | None = None
) -> HeadFit:
    """Fit the head to labelled and unlabelled places, from scratch.

    With logits f, labelled particles p, labelled negatives n and unlabelled points u, this is
    minimised over the weights w:

        a mean_p log(1 + e^-f) + b mean_n log(1 + e^f) + (1 - a) mean_u log(1 + e^f)
        + lambda |w - w_0|^2 / 2000,

    logistic regression with the unlabelled points in the place of negatives, weighted. Where a
    channel is known to be high at any particle, w_0 is 1 there: a few clicks start from "a
    particle" and go to "this particle" as far as they can tell. All else of w_0 is 0. If clicks
    are a random sample of the particles, its scores rank places as those of a classifier that
    knows all of them would (Elkan and Noto 2008, lemma 1; Lee and Liu 2003 for the weights); what
    probability they stand for is found afterwards. The unbiased risk (du Plessis et al. 2015) was
    tried: it ranks alike where the head is linear, and follows outliers where it has squares.

    Each click counts alike, however many grid points stand for it, and a negative as much as a
    positive (b = a n / p, a at most). Newton's method needs a few steps, and its Hessian gives
    what the head would say had it not seen a click (Rad and Maleki 2020, J. R. Stat. Soc. B 82,
    965). Degree and strength are chosen by the loss on labelled images that were left out, three
    parts of them at most, which tells what holds for other images too. Where there is one
    labelled image alone, clicks are left out instead, and the simplest head within two standard
    errors of the best is taken.

    Parameters
    ----------
    examples : Examples
    degree : {1, 2}, optional
        1 for a linear head, 2 for one with squares; chosen by default.
    particle_channel : int, optional
        The channel that is high at any particle, the first of the learned ones. Weights of the
        analytic ones before it cost more: they are many, and say less.
    """
    # The matrices are small: threads of the linear algebra would mostly wait for one another.
    with _linear_algebra().limit(limits=1, user_api="blas"):
        return _fit(examples, degree, particle_channel)


@cache
def _linear_algebra() -> ThreadpoolController:
    return ThreadpoolController()


def _fit(examples: Examples, degree: int | None, particle_channel: int | None) -> HeadFit:
    n_clicks = len(np.unique(examples.positive_clicks))
    every = (1, 2) if n_clicks >= QUADRATIC_CLICKS else (1,)
    degrees = every if degree is None else (degree,)
    folds = _folds(examples)
    choose = _by_left_out_images if folds else _by_left_out_clicks
    chosen, strength = choose(examples, folds, degrees, particle_channel)
    basis = Basis.of(examples.unlabelled, particle_channel)
    problem = _Problem.of(examples, basis, chosen, particle_channel)
    weights, factor = problem.minimise(problem.centre, strength)
    clicks, click_changes, _ = problem.positives.held_out(weights, factor)
    negatives, negative_changes, _ = problem.negatives.held_out(weights, factor)
    head = basis.head(weights, chosen, strength)
    return HeadFit(head, clicks, negatives, click_changes, negative_changes)


def _folds(examples: Examples) -> list[npt.NDArray[np.intp]]:
    """Return parts of the labelled images to leave out in turn; none if they are too few."""
    images = np.intersect1d(examples.positive_images, examples.unlabelled_images)
    parts = [images[start::_FOLDS] for start in range(min(_FOLDS, len(images)))]
    counts = [len(examples.of_images(part).clicks) for part in parts]
    enough = len(parts) > 1 and min(counts) > 0
    return parts if enough and sum(counts) - max(counts) >= _LEAST_CLICKS_OF_A_FOLD else []


def _by_left_out_images(
    examples: Examples,
    folds: list[npt.NDArray[np.intp]],
    degrees: Sequence[int],
    particle_channel: int | None,
) -> tuple[int, float]:
    """Return degree and strength that do best on images that were left out."""
    total: dict[tuple[int, float], float] = {}
    for fold in folds:
        inside = np.setdiff1d(examples.unlabelled_images, fold)
        known, new = examples.of_images(inside), examples.of_images(fold)
        basis = Basis.of(known.unlabelled, particle_channel)
        for degree in degrees:
            problem = _Problem.of(known, basis, degree, particle_channel, _SELECTION_POINTS)
            other = _Problem.of(new, basis, degree, particle_channel, _SELECTION_POINTS)
            for strength, weights, _ in _path(problem, degree):
                loss = other.loss(weights) * len(new.clicks)
                total[degree, strength] = total.get((degree, strength), 0.0) + loss
    return min(total, key=lambda key: total[key])


def _by_left_out_clicks(
    examples: Examples, _folds: object, degrees: Sequence[int], particle_channel: int | None
) -> tuple[int, float]:
    """Return the simplest degree and strength that do about as well as the best on new clicks."""
    basis = Basis.of(examples.unlabelled, particle_channel)
    trials = []
    for degree in degrees:
        problem = _Problem.of(examples, basis, degree, particle_channel, _SELECTION_POINTS)
        for strength, weights, factor in _path(problem, degree):
            clicks, loss = problem.held_out(weights, factor)
            trials.append((degree, strength, loss, POSITIVE_SHARE * np.logaddexp(0, -clicks)))
    best = min(trials, key=lambda trial: trial[2])
    for trial in trials:  # simple ones first
        gap = trial[3] - best[3]
        error = float(gap.std()) / np.sqrt(max(len(gap) - 1, 1))
        if trial[2] - best[2] <= _STANDARD_ERRORS * error:
            return trial[:2]
    return best[:2]


def _path(problem: _Problem, degree: int) -> Iterator[tuple[float, Floats, Any]]:
    """Yield strength, weights and Hessian factor of one degree, from strong to weak."""
    weights = problem.centre
    for strength in STRENGTHS[degree]:
        weights, factor = problem.minimise(weights, strength)
        yield strength, weights, factor


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Standardised features, and their squares.

    Parameters
    ----------
    mean, deviation : array of shape (C,)
        Of the unlabelled points.
    scale : array of shape (C,)
        What each standardised feature is multiplied by: the smaller, the more its weight costs.
    """

    mean: Floats
    deviation: Floats
    scale: Floats

    @classmethod
    def of(cls, unlabelled: npt.NDArray[np.float32], particle_channel: int | None = None) -> Basis:
        deviation = unlabelled.std(axis=0, dtype=np.float64)
        scale = np.ones(len(deviation))
        scale[: particle_channel or 0] = ANALYTIC_SCALE
        mean = unlabelled.mean(axis=0, dtype=np.float64)
        return cls(mean, np.maximum(deviation, 1e-6), scale)

    def rows(self, values: npt.NDArray[np.float32], degree: int) -> Rows:
        """Return rows of features, squares and a one, float32."""
        standard = (values - self.mean.astype(np.float32)) / self.deviation.astype(np.float32)
        np.clip(standard, -_BOUND, _BOUND, out=standard)
        standard *= self.scale.astype(np.float32)
        parts = [standard, standard**2 - 1] if degree == 2 else [standard]
        return np.concatenate([*parts, np.ones((len(values), 1), np.float32)], axis=1)

    def head(self, weights: Floats, degree: int, strength: float) -> Head:
        """Return the head of the weights of such rows."""
        width = len(self.mean)
        squares = weights[width:-1] if degree == 2 else np.zeros(width)
        intercept = float(weights[-1] - squares.sum())
        linear, quadratic = weights[:width] * self.scale, squares * self.scale**2
        return Head(self.mean, self.deviation, linear, quadratic, intercept, strength)


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Rows of one class and what each weighs; rows of one click stand together."""

    rows: Rows
    sign: float
    weights: Floats
    blocks: npt.NDArray[np.intp]

    @classmethod
    def of(
        cls, rows: Rows, sign: float, share: float, owner: npt.NDArray[np.intp] | None = None
    ) -> _Group:
        """Return a group of a share of all weight; each owner has the same, or else each row."""
        if owner is None or not len(rows):
            weights = np.full(len(rows), share * _WEIGHT / max(len(rows), 1))
            return cls(rows, sign, weights, np.empty((0, 1), np.intp))
        _, first, number, count = np.unique(
            owner, return_index=True, return_inverse=True, return_counts=True
        )
        weights = share * _WEIGHT / (len(count) * count[number])
        step = np.arange(count.max())
        blocks = np.where(step < count[:, None], first[:, None] + step, -1)
        return cls(rows, sign, weights, blocks)

    def wrong(self, weights: Floats) -> Floats:
        """Return how far each row is from its class, 0 to 1."""
        return np.asarray(special.expit(-self.sign * self.scores(weights)))

    def scores(self, weights: Floats) -> Floats:
        return np.asarray(self.rows @ weights.astype(np.float32), np.float64)

    def losses(self, scores: Floats) -> Floats:
        return np.logaddexp(0, -self.sign * scores)

    def held_out(self, weights: Floats, factor: Any) -> tuple[Floats, Floats, float]:
        """Return the score of each click by one Newton step without it, its change, and the loss.

        A click scores what the best of its rows scores.
        """
        if not len(self.blocks):
            return np.empty(0), np.empty(0), 0.0
        known = self.blocks >= 0
        rows = self.rows[self.blocks].astype(np.float64) * known[..., None]
        scores, wrong = rows @ weights, self.wrong(weights)[self.blocks] * known
        pulled = linalg.cho_solve(factor, rows.reshape(-1, rows.shape[-1]).T).T.reshape(rows.shape)
        lever = np.einsum("nid,njd->nij", rows, pulled) * self.weights[self.blocks][:, None, :]
        bend = wrong * (1 - wrong)
        system = np.eye(rows.shape[1]) - _DAMPED * bend[:, :, None] * lever
        push = np.linalg.solve(system, wrong[..., None])
        held = scores - self.sign * (lever @ push)[..., 0]
        losses = np.where(known, self.losses(held), 0).sum(axis=1) / known.sum(axis=1)
        best = np.where(known, held, -np.inf).max(axis=1)
        change = best - np.where(known, scores, -np.inf).max(axis=1)
        return best, change, float(losses.mean())


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """The groups of the loss, and where weights are drawn to; the last one is free."""

    positives: _Group
    negatives: _Group
    unlabelled: _Group
    centre: Floats

    @classmethod
    def of(
        cls,
        examples: Examples,
        basis: Basis,
        degree: int,
        particle_channel: int | None,
        most_unlabelled: int | None = None,
    ) -> _Problem:
        step = 1 if most_unlabelled is None else -(-len(examples.unlabelled) // most_unlabelled)
        n_clicks, n_negatives = len(examples.clicks), len(np.unique(examples.negative_clicks))
        positives = basis.rows(examples.positives, degree)
        negatives = basis.rows(examples.negatives, degree)
        unlabelled = basis.rows(examples.unlabelled[::step], degree)
        # A negative weighs what a positive weighs; many of them, what all positives weigh.
        against = POSITIVE_SHARE * min(n_negatives / max(n_clicks, 1), 1.0)
        centre = np.zeros(unlabelled.shape[1])
        if particle_channel is not None:
            centre[particle_channel] = 1.0
        return cls(
            _Group.of(positives, 1.0, POSITIVE_SHARE, examples.positive_clicks),
            _Group.of(negatives, -1.0, against, examples.negative_clicks),
            _Group.of(unlabelled, -1.0, 1 - POSITIVE_SHARE),
            centre,
        )

    @property
    def _groups(self) -> list[_Group]:
        every = (self.positives, self.negatives, self.unlabelled)
        return [group for group in every if len(group.rows)]

    def minimise(self, weights: Floats, strength: float) -> tuple[Floats, Any]:
        """Return the weights, and the factor of the Hessian there."""
        value = self._value(weights, strength)
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

    def held_out(self, weights: Floats, factor: Any) -> tuple[Floats, float]:
        """Return the held-out scores of clicks, and the loss of new places.

        There are always new unlabelled places, so theirs are not held out.
        """
        clicks, _, loss = self.positives.held_out(weights, factor)
        other = self.negatives.held_out(weights, factor)[2]
        rest = self.unlabelled.losses(self.unlabelled.scores(weights)).mean()
        share = float(self.negatives.weights.sum()) / _WEIGHT
        return clicks, POSITIVE_SHARE * loss + share * other + (1 - POSITIVE_SHARE) * rest

    def loss(self, weights: Floats) -> float:
        """Return the weighted mean loss of all rows."""
        total = sum(float(g.weights @ g.losses(g.scores(weights))) for g in self._groups)
        return total / _WEIGHT

    def _value(self, weights: Floats, strength: float) -> float:
        away = (weights - self.centre)[:-1]
        risk = strength * float(away @ away) / 2
        for group in self._groups:
            risk += float(group.weights @ group.losses(group.scores(weights)))
        return risk

    def _slope(self, weights: Floats, strength: float) -> tuple[Floats, Any]:
        penalty = np.full(len(weights), strength)
        penalty[-1] = 1e-6
        gradient, hessian = penalty * (weights - self.centre), np.diag(penalty)
        for group in self._groups:
            wrong, rows = group.wrong(weights), group.rows
            pull = group.weights * group.sign * wrong
            gradient = gradient - (pull.astype(np.float32) @ rows)
            bend = np.sqrt(group.weights * np.maximum(wrong * (1 - wrong), 1e-4))
            half = rows * bend.astype(np.float32)[:, None]
            hessian = hessian + half.T @ half
        return gradient, linalg.cho_factor(hessian)
