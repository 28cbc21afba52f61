"""Weighted logistic regression on features and their squares, with what each click taught."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg, special

from napari_cryoml.picking.live._examples import Examples, Rows

Floats = npt.NDArray[np.float64]

POSITIVE_SHARE = 0.1
"""Weight of all clicks together; the unlabelled points have the rest."""

ANALYTIC_SCALE = 0.35
"""Scale of the analytic channels beside learned ones; chosen on simulated sets."""

BOUND = 6.0
"""Standardised features beyond this many deviations count as this many."""

_WEIGHT = 1000.0
_STEPS = 25
_ENOUGH = 1e-2
_DAMPED = 0.98


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
        np.clip(standard, -BOUND, BOUND, out=standard)
        standard *= self.scale.astype(np.float32)
        parts = [standard, standard**2 - 1] if degree == 2 else [standard]
        return np.concatenate([*parts, np.ones((len(values), 1), np.float32)], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Rows of one class and what each weighs; rows of one click stand together."""

    rows: Rows
    sign: float
    weights: Floats
    blocks: npt.NDArray[np.intp]

    @classmethod
    def of(
        cls, rows: Rows, sign: float, share: float, owner: npt.NDArray[np.intp] | None = None
    ) -> Group:
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
class Problem:
    """The groups of the loss, and where weights are drawn to; the last one is free."""

    positives: Group
    negatives: Group
    unlabelled: Group
    centre: Floats

    @classmethod
    def of(
        cls,
        examples: Examples,
        basis: Basis,
        degree: int,
        particle_channel: int | None,
        most_unlabelled: int | None = None,
    ) -> Problem:
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
            Group.of(positives, 1.0, POSITIVE_SHARE, examples.positive_clicks),
            Group.of(negatives, -1.0, against, examples.negative_clicks),
            Group.of(unlabelled, -1.0, 1 - POSITIVE_SHARE),
            centre,
        )

    @property
    def _groups(self) -> list[Group]:
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
