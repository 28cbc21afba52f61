"""The two-component Gaussian mixture that a set of images shares up to one scale an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from napari_cryoml._errors import InputError

Floats = npt.NDArray[np.float64]

_DARK_FRACTIONS = (0.05, 0.2, 0.5, 0.8, 0.95)
_MIN_WEIGHT = 1e-4
_MIN_RELATIVE_SIGMA = 0.02
_MAX_SCALE_STEP = 100.0


@dataclass(frozen=True, slots=True)
class ScaledMixture:
    """Pixel values of image k: a_k times a draw from one of two Gaussians.

    Parameters
    ----------
    weights : (float, float)
        Fraction of the pixels in each component; they add up to 1.
    means, sigmas : (float, float)
        Mean and standard deviation of each component, in units of an image of scale 1.
    scales : tuple of float
        Scale a_k of each image of the fit; their mean is 1.
    log_likelihoods : tuple of float
        Mean log-likelihood of a sampled pixel after each step of the fit; it never falls.
    """

    weights: tuple[float, float]
    means: tuple[float, float]
    sigmas: tuple[float, float]
    scales: tuple[float, ...] = ()
    log_likelihoods: tuple[float, ...] = ()

    @property
    def dominant(self) -> int:
        """Number of the component that holds more of the pixels: the background."""
        return int(self.weights[1] > self.weights[0])

    @property
    def mean(self) -> float:
        """Mean of the mixture."""
        return float(np.dot(self.weights, self.means))

    @property
    def sigma(self) -> float:
        """Standard deviation of the mixture."""
        second = np.square(self.sigmas) + np.square(self.means)
        return float(np.sqrt(np.dot(self.weights, second) - self.mean**2))

    def scale_of(self, values: npt.ArrayLike, start: float) -> float:
        """Return the scale under which `values` of a new image are likeliest.

        Parameters
        ----------
        values : array of shape (n,)
            Pixels of the image, or a sample of them.
        start : float
            First guess; the search goes uphill from there.
        """
        x = np.asarray(values, np.float64)
        scale = start
        for _ in range(200):
            share, _ = _responsibility(x / scale, self)
            previous, scale = scale, _likeliest_scale(x, share, self)
            if abs(scale - previous) < 1e-5 * previous:
                break
        return scale

    def standardise(
        self, image: npt.NDArray[np.floating], scale: float, offset: float = 0.0
    ) -> npt.NDArray[np.float32]:
        """Return ``((image - offset) / scale - mean) / sigma`` of the dominant component."""
        mean, sigma = self.means[self.dominant], self.sigmas[self.dominant]
        centre = np.float32(offset + scale * mean)
        return np.asarray((image - centre) / np.float32(scale * sigma), np.float32)


def fit_scaled_mixture(
    samples: Sequence[npt.ArrayLike],
    seed: int,
    *,
    max_samples: int = 20_000,
    max_steps: int = 200,
    tolerance: float = 1e-6,
) -> ScaledMixture:
    """Fit the scaled two-component mixture to pixels of several images by likelihood.

    Expectation maximisation with closed-form steps: with the memberships r_iz of the pixels x_i
    of an image held, its scale a solves ``n a^2 + B a - A = 0``, where
    ``A = sum r_iz x_i^2 / s_z^2`` and ``B = sum r_iz x_i m_z / s_z^2``. Several splits of the
    pooled pixels are tried on a thinned sample, and the likeliest is carried on with all of it.
    The first scale is held while fitting, which makes the parameters unique; at the end all are
    divided by their mean.

    Parameters
    ----------
    samples : sequence of arrays of shape (n_k,)
        Pixels of each image, finite; n_k may differ.
    seed : int
        Seed of the draw where an image has more than `max_samples` pixels.
    max_samples : int, default 20000
        Pixels used of each image; fewer from each where there are more than ten images.
    max_steps : int, default 200
        Steps of expectation maximisation at most.
    tolerance : float, default 1e-6
        Stop when a step adds less than this to the mean log-likelihood of a pixel.

    Returns
    -------
    ScaledMixture

    Raises
    ------
    InputError
        If there is no image, or an image of fewer than two different values.

    References
    ----------
    Bepler et al., "Positive-unlabeled convolutional neural networks for particle picking in
    cryo-electron micrographs" (arXiv:1803.08207), appendix "Image preprocessing".
    """
    images = _draw(samples, seed, max_samples)
    start = _initial_scales(images)
    thinned = [x[:: max(len(x) // 2000, 1)] for x in images]
    tries = [
        _maximise(thinned, _split(thinned, start, dark), min(max_steps, 40), 1e-5)
        for dark in _DARK_FRACTIONS
    ]
    best = max(tries, key=lambda mixture: mixture.log_likelihoods[-1])
    fitted = _maximise(images, replace(best, log_likelihoods=()), max_steps, tolerance)
    return _with_mean_scale_one(fitted)


def _draw(samples: Sequence[npt.ArrayLike], seed: int, max_samples: int) -> list[Floats]:
    if not samples:
        raise InputError("A mixture needs pixels of one image at least; none was given.")
    rng = np.random.default_rng(seed)
    limit = min(max_samples, max(10 * max_samples // len(samples), 500))
    images = []
    for number, sample in enumerate(samples):
        x = np.asarray(sample, np.float64).ravel()
        if x.size < 2 or not np.ptp(x) > 0:
            raise InputError(
                f"Image {number} of the set holds a single value: there is nothing to normalise. "
                "Leave it out."
            )
        drawn = rng.choice(x, limit, replace=False) if x.size > limit else x
        images.append(drawn if np.ptp(drawn) > 0 else x)
    return images


def _initial_scales(images: list[Floats]) -> Floats:
    """Guess scales from root mean squares, which scale with the image whatever its mean."""
    sizes = np.array([np.sqrt(np.mean(x * x)) for x in images])
    return np.asarray(sizes / sizes[0], np.float64)


def _split(images: list[Floats], scales: Floats, dark_fraction: float) -> ScaledMixture:
    """Start from the darkest `dark_fraction` of all pixels as one component, the rest as other."""
    y = np.sort(np.concatenate([x / a for x, a in zip(images, scales, strict=True)]))
    cut = min(max(round(dark_fraction * len(y)), 1), len(y) - 1)
    floor = _MIN_RELATIVE_SIGMA * float(y.std())
    parts = (y[:cut], y[cut:])
    return ScaledMixture(
        weights=(cut / len(y), 1 - cut / len(y)),
        means=(float(parts[0].mean()), float(parts[1].mean())),
        sigmas=(max(float(parts[0].std()), floor), max(float(parts[1].std()), floor)),
        scales=tuple(float(a) for a in scales),
    )


def _maximise(
    images: list[Floats], start: ScaledMixture, max_steps: int, tolerance: float
) -> ScaledMixture:
    x = np.concatenate(images)
    owner = np.repeat(np.arange(len(images)), [len(values) for values in images])
    first = np.asarray(start.scales)
    floor = _MIN_RELATIVE_SIGMA * float(np.std(x / first[owner]))
    mixture, trace = start, []
    for _ in range(max_steps):
        scales = np.asarray(mixture.scales)
        y = x / scales[owner]
        share, log_density = _responsibility(y, mixture)
        trace.append(float(np.mean(log_density - np.log(scales)[owner])))
        if len(trace) > 1 and trace[-1] - trace[-2] < tolerance:
            break
        mixture = _update_components(y, share, mixture, floor)
        mixture = replace(mixture, scales=_update_scales(x, share, owner, mixture, first))
    return replace(mixture, log_likelihoods=tuple(trace))


def _responsibility(y: Floats, mixture: ScaledMixture) -> tuple[Floats, Floats]:
    """Return how far each value belongs to component 1, and its log-density."""
    dark, light = (
        np.log(w) - np.log(s) - 0.5 * np.log(2 * np.pi) - 0.5 * np.square((y - m) / s)
        for w, m, s in zip(mixture.weights, mixture.means, mixture.sigmas, strict=True)
    )
    return np.asarray(expit(light - dark)), np.asarray(np.logaddexp(dark, light))


def _update_components(
    y: Floats, share: Floats, mixture: ScaledMixture, floor: float
) -> ScaledMixture:
    """Maximise over weights, means and deviations, the deviations being at least `floor`."""
    light = float(np.clip(share.mean(), _MIN_WEIGHT, 1 - _MIN_WEIGHT))
    means, sigmas = [], []
    for number, membership in enumerate((1 - share, share)):
        total = float(membership.sum())
        mean = float(membership @ y) / total if total > 0 else mixture.means[number]
        variance = float(membership @ np.square(y - mean)) / total if total > 0 else 0.0
        means.append(mean)
        sigmas.append(max(float(np.sqrt(variance)), floor))
    return replace(
        mixture,
        weights=(1 - light, light),
        means=(means[0], means[1]),
        sigmas=(sigmas[0], sigmas[1]),
    )


def _update_scales(
    x: Floats,
    share: Floats,
    owner: npt.NDArray[np.intp],
    mixture: ScaledMixture,
    first: Floats,
) -> tuple[float, ...]:
    """Maximise over the scales of all images but the first, which fixes the unit."""
    precision, pull = _precision_and_pull(share, mixture)
    a = np.bincount(owner, precision * x * x)
    b = np.bincount(owner, pull * x)
    scales = _positive_root(np.bincount(owner), b, a)
    # A nearly constant image could otherwise shrink without end.
    scales = np.clip(scales, first / _MAX_SCALE_STEP, first * _MAX_SCALE_STEP)
    return (float(first[0]), *(float(scale) for scale in scales[1:]))


def _likeliest_scale(x: Floats, share: Floats, mixture: ScaledMixture) -> float:
    precision, pull = _precision_and_pull(share, mixture)
    a, b = float(np.sum(precision * x * x)), float(np.sum(pull * x))
    return float(_positive_root(len(x), b, a))


def _precision_and_pull(share: Floats, mixture: ScaledMixture) -> tuple[Floats, Floats]:
    """Return sum_z r_iz / s_z^2 and sum_z r_iz m_z / s_z^2 of each pixel i."""
    dark, light = (1 / s**2 for s in mixture.sigmas)
    precision = dark + share * (light - dark)
    pull = dark * mixture.means[0] * (1 - share) + light * mixture.means[1] * share
    return precision, pull


def _positive_root(n: npt.ArrayLike, b: npt.ArrayLike, a: npt.ArrayLike) -> Floats:
    """Solve n s^2 + b s - a = 0 for s > 0 without cancellation."""
    n, b, a = (np.asarray(term, np.float64) for term in (n, b, a))
    q = np.abs(b) + np.sqrt(b * b + 4 * n * a)
    return np.asarray(np.where(b > 0, 2 * a / q, q / (2 * n)), np.float64)


def _with_mean_scale_one(mixture: ScaledMixture) -> ScaledMixture:
    unit = float(np.mean(mixture.scales))
    return replace(
        mixture,
        means=(mixture.means[0] * unit, mixture.means[1] * unit),
        sigmas=(mixture.sigmas[0] * unit, mixture.sigmas[1] * unit),
        scales=tuple(scale / unit for scale in mixture.scales),
    )
