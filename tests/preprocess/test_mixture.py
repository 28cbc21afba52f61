import numpy as np
import pytest
from scipy.stats import norm

from napari_cryoml._errors import InputError
from napari_cryoml.preprocess import ScaledMixture, fit_scaled_mixture

TRUTH = ScaledMixture(weights=(0.25, 0.75), means=(80.0, 100.0), sigmas=(6.0, 4.0))
SCALES = (0.8, 1.0, 1.2)


def draw(mixture, scales, n=8000, seed=0):
    rng = np.random.default_rng(seed)
    samples = []
    for scale in scales:
        z = (rng.random(n) < mixture.weights[1]).astype(int)
        y = rng.normal(np.array(mixture.means)[z], np.array(mixture.sigmas)[z])
        samples.append(scale * y)
    return samples


def mean_log_likelihood(samples, mixture):
    total, n = 0.0, 0
    for x, a in zip(samples, mixture.scales, strict=True):
        density = sum(
            w * norm.pdf(x, a * m, a * s)
            for w, m, s in zip(mixture.weights, mixture.means, mixture.sigmas, strict=True)
        )
        total, n = total + np.log(density).sum(), n + len(x)
    return total / n


def test_planted_parameters_come_back():
    fitted = fit_scaled_mixture(draw(TRUTH, SCALES), 0, tolerance=1e-9)
    np.testing.assert_allclose(fitted.weights, TRUTH.weights, atol=0.02)
    np.testing.assert_allclose(fitted.means, TRUTH.means, rtol=0.01)
    np.testing.assert_allclose(fitted.sigmas, TRUTH.sigmas, rtol=0.05)
    np.testing.assert_allclose(fitted.scales, SCALES, rtol=0.005)
    assert fitted.dominant == 1


def test_a_bright_minority_leaves_the_dark_component_dominant():
    samples = draw(ScaledMixture((0.8, 0.2), (50.0, 70.0), (3.0, 3.0)), (1.0,))
    fitted = fit_scaled_mixture(samples, 0)
    assert fitted.dominant == 0
    assert fitted.means[0] == pytest.approx(50, rel=0.01)


def test_the_log_likelihood_never_falls_and_is_that_of_the_formula():
    samples = draw(TRUTH, SCALES, n=500)
    fitted = fit_scaled_mixture(samples, 0, tolerance=0.0)
    assert len(fitted.log_likelihoods) > 5
    assert np.diff(fitted.log_likelihoods).min() > -1e-10
    assert fitted.log_likelihoods[-1] == pytest.approx(
        mean_log_likelihood(samples, fitted), abs=1e-5
    )


def test_no_other_parameters_nearby_are_likelier():
    samples = draw(TRUTH, SCALES, n=1000)
    fitted = fit_scaled_mixture(samples, 0, tolerance=1e-12, max_steps=3000)
    best = mean_log_likelihood(samples, fitted)
    rng = np.random.default_rng(3)
    for _ in range(20):
        jitter = 1 + 0.01 * rng.normal(size=(4, 3))
        other = ScaledMixture(
            weights=(fitted.weights[0] * jitter[0, 0], 1 - fitted.weights[0] * jitter[0, 0]),
            means=tuple(fitted.means * jitter[1, :2]),
            sigmas=tuple(fitted.sigmas * jitter[2, :2]),
            scales=tuple(fitted.scales * jitter[3]),
        )
        assert mean_log_likelihood(samples, other) < best


def test_scaling_all_images_scales_the_components_alone():
    samples = draw(TRUTH, SCALES, n=500)
    plain = fit_scaled_mixture(samples, 0)
    thousand = fit_scaled_mixture([1000 * x for x in samples], 0)
    np.testing.assert_allclose(thousand.means, 1000 * np.array(plain.means), rtol=1e-6)
    np.testing.assert_allclose(thousand.scales, plain.scales, rtol=1e-6)


def test_images_with_mean_zero_differ_by_their_spread():
    rng = np.random.default_rng(0)
    fitted = fit_scaled_mixture([rng.normal(0, s, 5000) for s in (1.0, 3.0)], 0)
    assert fitted.scales[1] / fitted.scales[0] == pytest.approx(3, rel=0.05)
    assert fitted.sigma == pytest.approx(2, rel=0.05)


def test_same_seed_same_fit():
    samples = draw(TRUTH, SCALES, n=3000)
    fits = [fit_scaled_mixture(samples, seed, max_samples=300) for seed in (4, 4, 5)]
    assert fits[0] == fits[1]
    assert fits[0] != fits[2]


def test_a_new_image_gets_its_own_scale():
    new = draw(TRUTH, (1.7,), seed=9)[0]
    assert TRUTH.scale_of(new, start=1.0) == pytest.approx(1.7, rel=0.005)


def test_the_scale_of_a_new_image_is_the_likeliest():
    new = draw(TRUTH, (1.3,), n=200, seed=2)[0]
    found = TRUTH.scale_of(new, start=1.0)
    grid = np.linspace(1.0, 1.6, 601)
    values = [
        mean_log_likelihood([new], ScaledMixture(TRUTH.weights, TRUTH.means, TRUTH.sigmas, (a,)))
        for a in grid
    ]
    assert found == pytest.approx(grid[np.argmax(values)], abs=0.002)


def test_standardising_follows_the_formula():
    image = np.array([[80.0, 100.0, 104.0]])
    expected = (image / 2 - 100) / 4
    np.testing.assert_allclose(TRUTH.standardise(image, 2.0), expected, rtol=1e-6)
    np.testing.assert_allclose(TRUTH.standardise(image + 7, 2.0, offset=7.0), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "sample",
    [
        np.array([1.0, 2.0]),
        np.repeat([0.0, 100.0], [900, 100]),
        np.concatenate([np.zeros(990), np.arange(10.0)]),
        np.concatenate([np.full(999, 5.0), [1e6]]),
    ],
    ids=["two values", "two levels", "mostly empty", "one outlier"],
)
def test_odd_data_give_finite_parameters(sample):
    fitted = fit_scaled_mixture([sample, sample * 2 + 1], 0)
    numbers = [*fitted.weights, *fitted.means, *fitted.sigmas, *fitted.scales]
    assert np.isfinite(numbers).all()
    assert min(fitted.sigmas) > 0
    assert min(fitted.scales) > 0


def test_nothing_to_fit_is_said_plainly():
    with pytest.raises(InputError, match="none was given"):
        fit_scaled_mixture([], 0)
    with pytest.raises(InputError, match="Image 1 of the set"):
        fit_scaled_mixture([np.arange(5.0), np.ones(5)], 0)
