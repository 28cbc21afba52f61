import json

import numpy as np
import pytest
from scipy.special import expit

from napari_cryoml._errors import InputError
from napari_cryoml.picking.live._calibration import Calibration, calibrate, expected_curve
from napari_cryoml.picking.live._prior import Estimate


def _images(seed, n_images=4, n_peaks=400, fraction=0.2, distance=3.0, n_clicks=30):
    """Return held-out scores of clicks, and scores and truths of all peaks by image."""
    rng = np.random.default_rng(seed)
    truths = [rng.random(n_peaks) < fraction for _ in range(n_images)]
    scores = [rng.normal(np.where(truth, distance, 0.0), 1.0) for truth in truths]
    particles = np.concatenate([s[t] for s, t in zip(scores, truths, strict=True)])
    return rng.choice(particles, min(n_clicks, len(particles)), replace=False), scores, truths


def test_log_odds_rise_strictly_even_far_outside_the_candidates():
    clicks, scores, _ = _images(0)
    calibration = calibrate(clicks, scores)
    ladder = np.linspace(-100, 100, 20001)
    assert (np.diff(calibration.log_odds(ladder)) > 0).all()


@pytest.mark.parametrize("n_clicks", [3, 10, 1000])
def test_log_odds_rise_strictly_for_few_and_many_clicks(n_clicks):
    clicks, scores, _ = _images(1, n_clicks=n_clicks, n_peaks=2000)
    log_odds = calibrate(clicks, scores).log_odds(np.sort(scores[0]))
    assert (np.diff(log_odds) > 0).all()


@pytest.mark.parametrize("n_clicks", [10, 100])
def test_probabilities_are_near_the_true_ones(n_clicks):
    errors = []
    for seed in range(10):
        clicks, scores, _ = _images(seed, n_clicks=n_clicks)
        ladder = np.linspace(-1, 5, 61)
        true = expit(3.0 * ladder - 4.5 + np.log(0.2 / 0.8))
        errors.append(np.abs(calibrate(clicks, scores).probability(ladder) - true).mean())
    assert np.median(errors) < 0.05


def test_expected_precision_is_cautious_and_near_the_precision():
    differences = []
    for seed in range(10):
        clicks, scores, truths = _images(seed, distance=2.5)
        log_odds = calibrate(clicks, scores).log_odds(np.concatenate(scores))
        thresholds, precision, _ = expected_curve(log_odds)
        chosen = log_odds >= thresholds[np.argmax(precision < 0.8)]
        differences.append(np.concatenate(truths)[chosen].mean() - 0.8)
    assert -0.05 < np.median(differences) < 0.18


def test_particles_per_image_are_found():
    clicks, scores, truths = _images(2, n_images=5)
    found = calibrate(clicks, scores).particles_per_image
    mean = np.mean([truth.sum() for truth in truths])
    assert found.value == pytest.approx(mean, rel=0.25)
    assert found.low < mean < found.high


def test_interval_is_wider_where_images_differ():
    clicks, scores, _ = _images(2, n_images=6)
    uneven = [*scores[:3], *(image[image < 1.5] for image in scores[3:])]
    mixed = np.random.default_rng(0).permutation(np.concatenate(uneven))
    wide = calibrate(clicks, uneven).particles_per_image
    narrow = calibrate(clicks, np.array_split(mixed, 6)).particles_per_image
    assert wide.high / wide.low > 1.1 * narrow.high / narrow.low


def test_pinned_number_is_kept_and_moves_the_probabilities():
    clicks, scores, _ = _images(3)
    few = calibrate(clicks, scores, particles_per_image=20)
    many = calibrate(clicks, scores, particles_per_image=160)
    assert few.particles_per_image == Estimate(20.0, 20.0, 20.0)
    assert few.probability(2.0) < many.probability(2.0)
    held = np.mean([many.probability(image).sum() for image in scores])
    assert held == pytest.approx(160, rel=0.25)


def test_pinned_number_above_the_number_of_peaks():
    clicks, scores, _ = _images(3, n_peaks=50)
    pinned = calibrate(clicks, scores, particles_per_image=1000)
    assert np.isfinite(pinned.log_odds(scores[0])).all()


def test_fully_marked_box_is_used():
    clicks, scores, _ = _images(4, distance=1.5, n_clicks=10)
    alone = calibrate(clicks, scores).particles_per_image
    boxed = calibrate(clicks, scores, exhaustive=(40, scores[0][:200])).particles_per_image
    assert boxed.high / boxed.low < alone.high / alone.low
    assert boxed.value == pytest.approx(80, rel=0.3)


def test_shape_and_non_finite_scores_are_kept():
    clicks, scores, _ = _images(5)
    calibration = calibrate(clicks, scores)
    mapped = calibration.log_odds(np.array([[np.nan, -np.inf], [np.inf, 0.0]]))
    assert np.isnan(mapped[0, 0])
    assert mapped[0, 1] == -np.inf
    assert mapped[1, 0] == np.inf
    assert calibration.log_odds(1.0).shape == ()


def test_non_finite_scores_are_left_out():
    clicks, scores, _ = _images(5)
    spoilt = [np.append(scores[0], [np.nan, -np.inf]), *scores[1:]]
    assert calibrate(np.append(clicks, np.nan), spoilt) == calibrate(clicks, scores)


def test_same_input_gives_the_same_calibration():
    clicks, scores, _ = _images(6)
    assert calibrate(clicks, scores) == calibrate(clicks, scores)


def test_calibration_survives_json():
    clicks, scores, _ = _images(6)
    calibration = calibrate(clicks, scores, negatives=[-1.0, 2.0])
    assert Calibration.from_json(json.loads(json.dumps(calibration.to_json()))) == calibration


@pytest.mark.parametrize("n_clicks", [0, 1, 2])
@pytest.mark.parametrize("image", [[], [2.0], [1.0, 1.0, 1.0], np.linspace(-2, 2, 40)])
def test_next_to_nothing_is_known(n_clicks, image):
    calibration = calibrate(np.full(n_clicks, 1.0), [image])
    log_odds = calibration.log_odds([-1.0, 0.0, 1.0, 2.0])
    assert np.isfinite(log_odds).all()
    assert (np.diff(log_odds) > 0).all()
    number = calibration.particles_per_image
    assert number.low <= number.value <= number.high


def test_expected_curve_of_three_picks():
    log_odds = [0.0, np.log(3), 0.0, np.log(9)]
    thresholds, precision, count = expected_curve(log_odds)
    np.testing.assert_allclose(thresholds, [np.log(9), np.log(3), 0])
    np.testing.assert_allclose(precision, [0.9, 0.825, 0.6625])
    np.testing.assert_allclose(count, [0.9, 1.65, 2.65])


def test_expected_curve_of_nothing():
    assert [part.size for part in expected_curve([])] == [0, 0, 0]


def test_calibrate_refuses():
    with pytest.raises(InputError, match="one image or more"):
        calibrate([1.0], [])
    with pytest.raises(InputError, match="more than 0"):
        calibrate([1.0], [[1.0]], particles_per_image=0)
