"""From raw scores of the live head to probabilities, and to the number of particles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression
from scipy.special import expit, logit

from napari_cryoml._errors import InputError
from napari_cryoml.picking.live._prior import Estimate, ScoreModel, fit_scores

Floats = npt.NDArray[np.float64]

_N_KNOTS = 17
_LEAST_RISE = 0.05
_SHARPEST = 1e-4
_Z95 = 1.96


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns raw scores into log-odds, in the same order.

    Straight lines join the knots, and the first and the last go on beyond.

    Parameters
    ----------
    scores : tuple of float
        Raw scores of the knots, rising; two or more.
    knot_log_odds : tuple of float
        Natural log-odds at the knots, rising.
    particles_per_image : Estimate
        Mean number of particles in an image, with its 95 % interval; the three are equal if it
        was given by the user.
    """

    scores: tuple[float, ...]
    knot_log_odds: tuple[float, ...]
    particles_per_image: Estimate

    def log_odds(self, scores: npt.ArrayLike) -> Floats:
        """Return the log-odds that a peak is a particle.

        Parameters
        ----------
        scores : array of any shape
            Raw scores; NaN stays NaN, and infinities stay infinite.

        Returns
        -------
        array of float64 of the same shape
            Rising strictly with the score.
        """
        knots, values = np.array(self.scores), np.array(self.knot_log_odds)
        slopes = np.diff(values) / np.diff(knots)
        raw = np.asarray(scores, np.float64)
        segment = np.clip(np.searchsorted(knots, raw, "right") - 1, 0, len(slopes) - 1)
        return np.asarray(values[segment] + slopes[segment] * (raw - knots[segment]))

    def probability(self, scores: npt.ArrayLike) -> Floats:
        """Return the chance that a peak is a particle, between 0 and 1, see `log_odds`."""
        return np.asarray(expit(self.log_odds(scores)))

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON takes it."""
        return {
            "scores": list(self.scores),
            "knot_log_odds": list(self.knot_log_odds),
            "particles_per_image": self.particles_per_image.to_json(),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Calibration:
        """Return the calibration that `to_json` wrote."""
        return cls(
            tuple(float(score) for score in values["scores"]),
            tuple(float(value) for value in values["knot_log_odds"]),
            Estimate.from_json(values["particles_per_image"]),
        )


def calibrate(
    clicks: npt.ArrayLike,
    candidates: Sequence[npt.ArrayLike],
    negatives: npt.ArrayLike = (),
    *,
    particles_per_image: float | None = None,
    n_known: int = 0,
    exhaustive: tuple[int, npt.ArrayLike] | None = None,
) -> Calibration:
    """Find out which raw score means which probability, and how many particles there are.

    Scores that are not finite are left out. The clicks are taken for a random sample of the
    particles; who clicks only the clearest ones is told a number that is too small.

    Parameters
    ----------
    clicks : array of shape (n_clicks,)
        Raw scores of the peaks of clicked particles, each by a picker that has not seen it.
    candidates : sequence of arrays of shape (n_k,)
        Raw scores of all peaks of each labelled image, those at clicks included; best with the
        held-out score at each click and each explicit negative.
    negatives : array of shape (n_negatives,)
        Raw scores of explicit negatives, each by a picker that has not seen it.
    particles_per_image : float, optional
        Number that the user knows.
    n_known : int, default 0
        Particles that are known among the candidates: the clicks in these images.
    exhaustive : (int, array of shape (n,)), optional
        For one box in which every particle was marked: their number, and the raw scores of all
        peaks in it.

    Returns
    -------
    Calibration

    Raises
    ------
    InputError
        If there is no image, or the number of particles is not positive.

    See Also
    --------
    napari_cryoml.picking.live._prior.fit_scores : the model and its sources.
    """
    images = [_finite(scores) for scores in candidates]
    if not images:
        raise InputError("A calibration needs the peaks of one image or more; none came.")
    if particles_per_image is not None and not particles_per_image > 0:
        raise InputError(f"Particles per image must be more than 0; {particles_per_image:g} came.")
    peaks = np.concatenate(images)
    if not peaks.size:
        return _without_peaks(_finite(clicks), len(images), particles_per_image)
    fraction = None
    if particles_per_image is not None:
        fraction = particles_per_image * len(images) / len(peaks)
    marked = None if exhaustive is None else (exhaustive[0], len(_finite(exhaustive[1])))
    model = fit_scores(
        _finite(clicks),
        peaks,
        _finite(negatives),
        fraction=fraction,
        n_known=n_known,
        marked=marked,
    )
    knots, values = _rising_knots(model)
    if particles_per_image is not None:
        number = Estimate(*([float(particles_per_image)] * 3))
    else:
        chances = [expit(np.interp(scores, knots, values)) for scores in images]
        number = _number_per_image(model.fraction, chances)
    return Calibration(tuple(knots.tolist()), tuple(values.tolist()), number)


def expected_curve(log_odds: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return what the picks at or above each threshold are expected to hold.

    Parameters
    ----------
    log_odds : array of shape (n,)
        Calibrated scores of picks, in any order.

    Returns
    -------
    thresholds : array of shape (k,)
        The different scores, falling.
    precision : array of shape (k,)
        Expected fraction of particles among the picks at or above each: their mean probability.
    count : array of shape (k,)
        Expected number of particles among them: the sum of their probabilities.
    """
    ordered = np.sort(np.asarray(log_odds, np.float64).ravel())[::-1]
    last = np.append(ordered[:-1] > ordered[1:], True)[: len(ordered)]
    count = np.cumsum(expit(ordered))
    precision = count / np.arange(1, len(ordered) + 1)
    return ordered[last], precision[last], count[last]


def _finite(scores: npt.ArrayLike) -> Floats:
    values = np.asarray(scores, np.float64).ravel()
    return np.asarray(values[np.isfinite(values)])


def _rising_knots(model: ScoreModel) -> tuple[Floats, Floats]:
    """Return knots of rising log-odds that follow the probabilities of the model.

    The log-odds of two densities can fall again where there are hardly any peaks; the nearest
    rising ones are taken, and a small slope is added so that no two scores become one.
    """
    raw = logit(np.clip(model.probability, _SHARPEST, 1 - _SHARPEST))
    weights = model.counts + 0.01 * model.counts.sum() / len(model.counts) + 1e-9
    rising = isotonic_regression(raw, weights=weights).x
    places = np.unique(np.linspace(0, len(rising) - 1, _N_KNOTS).round().astype(np.intp))
    knots, values = model.scores[places], rising[places]
    span = knots[-1] - knots[0]
    least = max((values[-1] - values[0]) / span, 1.0 / span) * _LEAST_RISE
    middle = float(np.average(model.scores, weights=weights))
    return knots, values + least * (knots - middle)


def _number_per_image(fraction: Estimate, chances: Sequence[Floats]) -> Estimate:
    """Widen the interval of the fraction by the chance with which images differ."""
    n_images = len(chances)
    per_image = sum(len(scores) for scores in chances) / n_images
    numbers = np.array([float(scores.sum()) for scores in chances])
    number = fraction.scaled(per_image)
    spread = 1.0
    if n_images > 2 and numbers.mean() > 0:
        spread = max(float(numbers.var(ddof=1) / numbers.mean()), 1.0)
    between = _Z95 * np.sqrt(spread / max(number.value * n_images, 1.0))
    down = np.hypot(np.log(number.value / number.low), between)
    up = np.hypot(np.log(number.high / number.value), between)
    return Estimate(
        number.value, float(number.value * np.exp(-down)), float(number.value * np.exp(up))
    )


def _without_peaks(clicks: Floats, n_images: int, particles_per_image: float | None) -> Calibration:
    """Return a calibration for images without a single peak: even odds at the middle click."""
    middle = float(np.median(clicks)) if clicks.size else 0.0
    number = particles_per_image or len(clicks) / n_images
    high = number if particles_per_image else float("inf")
    return Calibration((middle - 1, middle + 1), (-1.0, 1.0), Estimate(number, number, high))
