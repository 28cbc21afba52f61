"""How many of the peaks of a score map are particles: a mixture fitted to their scores.

The scores of all peaks follow ``f = pi f1 + (1 - pi) f0``. The clicks, scored as if the picker had
not seen them, are a sample of f1; f0 is never seen alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import optimize
from scipy.special import expit, logit

Floats = npt.NDArray[np.float64]

_N_FRACTIONS = 20
_FRACTION_RANGE = (0.003, 0.9)
_N_BINS = 96
_LOWEST = -4.0  # units of scale below the median; peaks below are counted in the lowest bin
_ENOUGH_PEAKS = 400.0
_ENOUGH_PEAKS_A_CLICK = 10.0
_MAX_STEPS = 12
_DIFFERENCE = 1e-3

_CONTAMINANT_PLACE = 0.6
_CONTAMINANT_WIDTH = 0.4
_LEAST_GAP = 0.5
_HIGHEST_BACKGROUND = -0.1
_REACH = 1.5

_WIDTH = 0.8
_FEW_CLICKS = 10.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval.

    Parameters
    ----------
    value, low, high : float
    """

    value: float
    low: float
    high: float

    def scaled(self, factor: float) -> Estimate:
        """Return the estimate of `factor` times the number."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)

    def to_json(self) -> dict[str, float]:
        """Return the three numbers by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Estimate:
        """Return the estimate that `to_json` wrote."""
        return cls(*(float(values[name]) for name in ("value", "low", "high")))


@dataclass(frozen=True, slots=True, eq=False)
class ScoreModel:
    """What the scores say about the peaks.

    Parameters
    ----------
    scores : array of shape (n_bins,)
        Raw scores, rising.
    counts : array of shape (n_bins,)
        Peaks at each of them.
    probability : array of shape (n_bins,)
        Chance that a peak of that score is a particle; it need not rise everywhere.
    fraction : Estimate
        Fraction of the peaks that are particles.
    """

    scores: Floats
    counts: Floats
    probability: Floats
    fraction: Estimate


def fit_scores(
    clicks: Floats,
    peaks: Floats,
    negatives: Floats,
    *,
    fraction: float | None = None,
    n_known: int = 0,
    marked: tuple[int, int] | None = None,
) -> ScoreModel:
    """Fit the mixture of particles and background to the scores of peaks.

    f1 is a normal density, held near the clicks. f0 is a skewed normal density (Jones and Pewsey
    2009, without change of tails) with a small share of contaminants halfway up to the
    particles. For each of a series of fractions pi the rest is fitted by Fisher scoring, all at
    once; the fractions are then weighted by their likelihood with Laplace's correction. Beyond
    some hundred peaks more of them do not count as more evidence: the shape of f0, not chance,
    limits what they can tell (a "coarsened" likelihood, Miller and Dunson 2019).

    Parameters
    ----------
    clicks : array of shape (n_clicks,)
        Scores of clicked particles, each by a picker that has not seen it.
    peaks : array of shape (n_peaks,)
        Scores of all peaks of the labelled images; one or more.
    negatives : array of shape (n_negatives,)
        Scores of explicit negatives, each by a picker that has not seen it.
    fraction : float, optional
        Known fraction of the peaks that are particles.
    n_known : int, default 0
        Particles that are known among the peaks, as those that were clicked.
    marked : (int, int), optional
        Particles and peaks in a box in which every particle was marked.

    Returns
    -------
    ScoreModel

    References
    ----------
    Jones and Pewsey, "Sinh-arcsinh distributions", Biometrika 96 (2009) 761. Miller and Dunson,
    "Robust Bayesian inference via coarsening", JASA 114 (2019) 1113. Ward et al., "Presence-only
    data and the EM algorithm", Biometrics 65 (2009) 554.
    """
    mixture = _Mixture.of(clicks, peaks, negatives)
    grid = _fractions(fraction)
    parameters, evidence = _fit_all(mixture, logit(grid))
    if fraction is None:
        evidence = evidence + _log_prior(grid, len(peaks), n_known, marked)
    weights = np.exp(evidence - evidence.max())
    weights /= weights.sum()
    estimate = _summary(grid, weights, len(clicks))
    nearest = np.abs(logit(grid) - logit(estimate.value)).argmin()
    probability = mixture.posterior(parameters[nearest], logit(estimate.value))
    if fraction is not None:
        probability = _with_mean(probability, mixture.counts, estimate.value)
    return ScoreModel(
        scores=mixture.centre + mixture.scale * mixture.x,
        counts=mixture.counts,
        probability=probability,
        fraction=estimate,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Mixture:
    """Binned scores, in units of `scale` from `centre`, and what is expected of the densities.

    The parameters of the densities are the mean and the logarithm of the deviation of f1, place,
    log width and skew of f0, and the logit of the share of contaminants in f0.
    """

    x: Floats
    counts: Floats
    evidence: Floats
    negatives: Floats
    centre: float
    scale: float
    expected: Floats
    deviations: Floats

    @classmethod
    def of(cls, clicks: Floats, peaks: Floats, negatives: Floats) -> _Mixture:
        low, centre, high = np.quantile(peaks, (0.16, 0.5, 0.97))
        scale = centre - low
        if not scale > 0:
            spread = np.std(np.concatenate([peaks, clicks]))
            scale = spread if spread > 0 else 1.0
        top = max(float((high - centre) / scale), 1.0)
        clicks = (clicks - centre) / scale
        expected, deviations = _expectations(clicks, top)
        # a few absurdly high peaks, as of hot pixels, must not stretch the bins
        most = max(expected[0] + 3.5 * np.exp(expected[1]), np.max(clicks, initial=0))
        peaks, negatives = (
            np.clip((values - centre) / scale, _LOWEST, most) for values in (peaks, negatives)
        )
        last = max(float(np.max(values, initial=1.0)) for values in (peaks, clicks, negatives))
        edges = np.linspace(_LOWEST, last, _N_BINS + 1)
        counts, _ = np.histogram(peaks, edges)
        against, _ = np.histogram(negatives, edges)
        weight = 1 / (1 + len(peaks) / (_ENOUGH_PEAKS + _ENOUGH_PEAKS_A_CLICK * len(clicks)))
        return cls(
            (edges[1:] + edges[:-1]) / 2,
            counts.astype(np.float64),
            counts * weight,
            against * weight,
            float(centre),
            float(scale),
            expected,
            deviations,
        )

    def densities(self, parameters: Floats) -> tuple[Floats, Floats]:
        """Return f1 and f0 at all bins, up to a factor, for parameters of shape (..., 6)."""
        mean, log_sigma, place, log_width, skew, contaminants = (
            parameters[..., k, None] for k in range(6)
        )
        y = (self.x - place) * np.exp(-log_width)
        root = np.sqrt(1 + y * y)
        cosh, sinh = np.cosh(skew), np.sinh(skew)
        main = np.exp(-0.5 * (y * cosh - root * sinh) ** 2 - log_width) * (cosh - sinh * y / root)
        gap = np.maximum(mean - place, _LEAST_GAP)
        width = _CONTAMINANT_WIDTH * gap
        between = (self.x - place - _CONTAMINANT_PLACE * gap) / width
        share = expit(contaminants)
        background = (1 - share) * main + share * np.exp(-0.5 * between**2) / width
        particles = np.exp(-0.5 * ((self.x - mean) * np.exp(-log_sigma)) ** 2 - log_sigma)
        return particles, background

    def log_densities(self, parameters: Floats, log_odds: Floats) -> Floats:
        """Return log f, and below it log f0, at all bins; log_odds has the leading axes."""
        particles, background = self.densities(parameters)
        pi = expit(log_odds)[..., None]
        mixed = pi * particles + (1 - pi) * background
        return np.log(np.concatenate([mixed, background], axis=-1) + 1e-30)

    def posterior(self, parameters: Floats, log_odds: Floats) -> Floats:
        """Return the chance of being a particle at all bins."""
        particles, background = self.densities(parameters)
        ratio = np.log(particles + 1e-30) - np.log(background + 1e-30)
        return np.asarray(expit(ratio + np.asarray(log_odds)[..., None]))

    def limits(self) -> tuple[Floats, Floats]:
        """Return the least and the largest parameters that make sense.

        Without them f1 could leave the clicks to stand in for the tails of the background.
        """
        reach = np.array([_REACH, _REACH, np.inf, np.inf, np.inf, np.inf]) * self.deviations
        highest = self.expected + reach
        highest[2] = _HIGHEST_BACKGROUND
        return self.expected - reach, highest

    def penalty(self, parameters: Floats) -> Floats:
        """Return the logarithm of the prior density of parameters, up to a constant."""
        off = (parameters - self.expected) / self.deviations
        return np.asarray(-0.5 * np.sum(off * off, axis=-1))


def _expectations(clicks: Floats, top: float) -> tuple[Floats, Floats]:
    """Return expected values and deviations of the parameters, in units of scale.

    A deviation is the sampling error of the clicks where they tell a parameter. A few invented
    clicks, near the best peaks and with the spread of the background, stand in where there are
    too few; and held-out scores of few clicks lie lower than those of other particles.
    """
    n, n_places, n_spreads = len(clicks), 0.3, 15.0
    mean = (clicks.sum() + n_places * top) / (n + n_places)
    squares = np.sum(np.square(clicks - clicks.mean())) if n else 0.0
    sigma = np.sqrt((squares + n_spreads) / (n + n_spreads))
    sampling = np.sqrt(1 / (n + n_places) + 1 / (n + 1))
    expected = (mean, np.log(sigma), 0.0, np.log(0.9), 0.15, logit(0.015))
    deviations = (sigma * sampling, 1 / np.sqrt(2 * (n + n_spreads)), 0.7, 0.35, 0.2, 0.4)
    return np.array(expected), np.array(deviations)


def _fractions(fraction: float | None) -> Floats:
    if fraction is not None:
        return np.array([np.clip(fraction, 1e-6, 1 - 1e-6)])
    low, high = (float(logit(end)) for end in _FRACTION_RANGE)
    return np.asarray(expit(np.linspace(low, high, _N_FRACTIONS)))


def _log_prior(grid: Floats, n_peaks: int, n_known: int, marked: tuple[int, int] | None) -> Floats:
    """Return the logarithm of what is known of the fraction beside the scores.

    Very small and very large fractions are unlikely, there are no fewer particles than are known,
    and a fully marked box gives a Poisson count.
    """
    known = 0.5 * np.log(grid * (1 - grid))
    missing = np.maximum(n_known - grid * n_peaks, 0.0)
    known -= 0.5 * missing**2 / max(n_known, 1)
    if marked is not None and marked[1]:
        n_marked, n_inside = marked
        known += n_marked * np.log(grid * n_inside) - grid * n_inside
    return np.asarray(known)


def _fit_all(mixture: _Mixture, log_odds: Floats) -> tuple[Floats, Floats]:
    """Return the likeliest parameters (n, 6) at each fraction, and the evidence for it (n,)."""
    evidence = np.concatenate([mixture.evidence, mixture.negatives])
    parameters = np.tile(mixture.expected, (len(log_odds), 1))
    parameters[:, 2] = _HIGHEST_BACKGROUND
    n_parameters = parameters.shape[1]
    damping = np.full(len(log_odds), 1e-2)
    lowest, highest = mixture.limits()
    shifts = np.vstack([np.zeros(n_parameters), _DIFFERENCE * np.eye(n_parameters)])
    wide = np.tile(log_odds[:, None], (1, n_parameters + 1))
    for _ in range(_MAX_STEPS):
        logs = mixture.log_densities(parameters[:, None] + shifts, wide)
        slopes = (logs[:, 1:] - logs[:, :1]) / _DIFFERENCE
        here = logs[:, 0] @ evidence + mixture.penalty(parameters)
        uphill = slopes @ evidence - (parameters - mixture.expected) / mixture.deviations**2
        curvature = (slopes * evidence) @ slopes.transpose(0, 2, 1)
        curvature += np.diag(mixture.deviations**-2.0)
        moved = parameters + _damped_step(curvature, uphill, damping)
        moved = np.clip(moved, lowest, highest)
        there = mixture.log_densities(moved, log_odds) @ evidence + mixture.penalty(moved)
        better = there > here
        parameters = np.where(better[:, None], moved, parameters)
        damping *= np.where(better, 0.2, 8.0)
        if np.all(np.abs(there - here) < 1e-3):
            break
    best = np.maximum(here, there)
    return parameters, best - 0.5 * np.linalg.slogdet(curvature)[1]


def _damped_step(curvature: Floats, uphill: Floats, damping: Floats) -> Floats:
    """Return the step of Levenberg and Marquardt, at most 1 in each parameter."""
    diagonal = np.einsum("gii->gi", curvature) * damping[:, None]
    damped = curvature + diagonal[:, :, None] * np.eye(curvature.shape[1])
    return np.clip(np.linalg.solve(damped, uphill[..., None])[..., 0], -1, 1)


def _summary(grid: Floats, weights: Floats, n_clicks: int) -> Estimate:
    """Return the median of the fraction, and its 95 % interval.

    On simulated sets the percentiles of the coarsened likelihood lie too far apart for many
    clicks and too close for a handful; the interval is drawn in, or out, in log-odds.
    """
    if len(grid) == 1:
        return Estimate(*([float(grid[0])] * 3))
    below = np.cumsum(weights) - weights / 2
    low, value, high = np.interp((0.025, 0.5, 0.975), below, logit(grid))
    width = _WIDTH * np.hypot(1.0, _FEW_CLICKS / (n_clicks + 1))
    low, high = value - width * (value - low), value + width * (high - value)
    return Estimate(float(expit(value)), float(expit(low)), float(expit(high)))


def _with_mean(probability: Floats, counts: Floats, mean: float) -> Floats:
    """Shift the log-odds so that the probabilities of all peaks have the mean that is known."""
    odds = logit(np.clip(probability, 1e-12, 1 - 1e-12))
    weights = counts / counts.sum()
    shift = optimize.brentq(lambda by: float(weights @ expit(odds + by)) - mean, -60.0, 60.0)
    return np.asarray(expit(odds + shift))
