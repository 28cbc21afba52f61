"""The head of the live picker: positive-unlabelled logistic regression, refit at every edit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from napari_cryoml.picking.live._examples import Examples
from napari_cryoml.picking.live._regression import BOUND, POSITIVE_SHARE, Basis, Problem

Floats = npt.NDArray[np.float64]

STRENGTHS = {1: (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0), 2: (30.0, 10.0, 3.0)}
"""Regularisation that is tried for each degree, strongest first."""

QUADRATIC_CLICKS = 20
"""Labelled particles from which on squares are tried."""

_FOLDS = 3
_LEAST_CLICKS_OF_A_FOLD = 3
_STANDARD_ERRORS = 2.0
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
            part.sub_(shift[:, None]).clamp_(-BOUND, BOUND)
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
    problem = Problem.of(examples, basis, chosen, particle_channel)
    weights, factor = problem.minimise(problem.centre, strength)
    clicks, click_changes, _ = problem.positives.held_out(weights, factor)
    negatives, negative_changes, _ = problem.negatives.held_out(weights, factor)
    head = _head_of(basis, weights, chosen, strength)
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
            problem = Problem.of(known, basis, degree, particle_channel, _SELECTION_POINTS)
            other = Problem.of(new, basis, degree, particle_channel, _SELECTION_POINTS)
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
        problem = Problem.of(examples, basis, degree, particle_channel, _SELECTION_POINTS)
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


def _path(problem: Problem, degree: int) -> Iterator[tuple[float, Floats, Any]]:
    """Yield strength, weights and Hessian factor of one degree, from strong to weak."""
    weights = problem.centre
    for strength in STRENGTHS[degree]:
        weights, factor = problem.minimise(weights, strength)
        yield strength, weights, factor


def _head_of(basis: Basis, weights: Floats, degree: int, strength: float) -> Head:
    """Return the head of the weights of rows of a basis."""
    width = len(basis.mean)
    squares = weights[width:-1] if degree == 2 else np.zeros(width)
    intercept = float(weights[-1] - squares.sum())
    linear, quadratic = weights[:width] * basis.scale, squares * basis.scale**2
    return Head(basis.mean, basis.deviation, linear, quadratic, intercept, strength)
