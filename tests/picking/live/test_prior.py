import numpy as np
import pytest

from napari_cryoml.picking.live._prior import Estimate, fit_scores

NONE = np.empty(0)


def _scores(seed, *, fraction, n_peaks, n_clicks, distance, skewed=False, bump=0.0):
    """Return held-out scores of clicks, scores of peaks, and how many of these are particles."""
    rng = np.random.default_rng(seed)
    n = rng.binomial(n_peaks, fraction)
    background = rng.gumbel(size=n_peaks - n) / 1.28 if skewed else rng.normal(size=n_peaks - n)
    contaminants = rng.random(len(background)) < bump
    background[contaminants] = rng.normal(0.6 * distance, 0.6, contaminants.sum())
    particles = rng.normal(distance, 1.0, n)
    clicks = rng.choice(particles, min(n_clicks, n), replace=False)
    return 2 * clicks - 3, 2 * np.concatenate([particles, background]) - 3, n


def _estimates(n_sets, **options):
    """Return estimate over truth, and whether the interval holds it, for some sets."""
    ratios, holds = [], []
    for seed in range(n_sets):
        clicks, peaks, n = _scores(seed, **options)
        found = fit_scores(clicks, peaks, NONE).fraction.scaled(len(peaks))
        ratios.append(found.value / n)
        holds.append(found.low <= n <= found.high)
    return np.array(ratios), np.array(holds)


def _pooled(n_sets, shape, distance):
    """Estimates over prevalences, numbers of clicks and of peaks."""
    found = [
        _estimates(
            n_sets,
            fraction=fraction,
            n_peaks=n_peaks,
            n_clicks=n_clicks,
            distance=distance,
            **shape,
        )
        for fraction in (0.05, 0.2, 0.5)
        for n_peaks in (300, 3000)
        for n_clicks in (10, 100)
    ]
    return (np.concatenate(part) for part in zip(*found, strict=True))


@pytest.mark.parametrize("shape", [{}, {"bump": 0.01}])
def test_fraction_is_within_a_quarter_in_four_of_five_sets_and_its_interval_is_honest(shape):
    ratios, holds = _pooled(25, shape, 3.0)
    assert np.mean(np.abs(ratios - 1) <= 0.25) >= 0.8
    assert np.mean(holds) >= 0.95 - 2 * np.sqrt(0.05 * 0.95 / len(holds))


def test_interval_is_honest_where_scores_overlap():
    _, holds = _pooled(15, {}, 1.5)
    assert np.mean(holds) >= 0.95 - 2 * np.sqrt(0.05 * 0.95 / len(holds))


@pytest.mark.slow
@pytest.mark.parametrize("distance", [1.2, 1.8, 2.4, 3.0])
@pytest.mark.parametrize("shape", [{}, {"skewed": True}, {"bump": 0.03}])
def test_interval_is_honest_for_backgrounds_of_any_kind(distance, shape):
    _, holds = _pooled(20, shape, distance)
    assert np.mean(holds) >= 0.95 - 2 * np.sqrt(0.05 * 0.95 / len(holds))


def test_fraction_does_not_depend_on_unit_and_zero_of_the_scores():
    clicks, peaks, _ = _scores(1, fraction=0.2, n_peaks=500, n_clicks=20, distance=3.0)
    one = fit_scores(clicks, peaks, NONE).fraction
    other = fit_scores(100 * clicks + 7, 100 * peaks + 7, NONE).fraction
    np.testing.assert_allclose(one.value, other.value, rtol=1e-3)


def test_absurdly_high_peaks_do_not_spoil_the_fit():
    clicks, peaks, _ = _scores(1, fraction=0.2, n_peaks=500, n_clicks=20, distance=3.0)
    clean = fit_scores(clicks, peaks, NONE).fraction.value
    assert fit_scores(clicks, np.append(peaks, 1e6), NONE).fraction.value == pytest.approx(
        clean, rel=0.1
    )


def test_pinned_fraction_is_kept():
    clicks, peaks, _ = _scores(1, fraction=0.2, n_peaks=500, n_clicks=20, distance=3.0)
    model = fit_scores(clicks, peaks, NONE, fraction=0.4)
    assert model.fraction == Estimate(0.4, 0.4, 0.4)
    held = (model.probability * model.counts).sum() / model.counts.sum()
    assert held == pytest.approx(0.4)


def test_fully_marked_box_pulls_the_fraction_and_narrows_the_interval():
    clicks, peaks, n = _scores(3, fraction=0.2, n_peaks=500, n_clicks=10, distance=1.5)
    without = fit_scores(clicks, peaks, NONE).fraction
    with_box = fit_scores(clicks, peaks, NONE, marked=(60, 300)).fraction
    assert with_box.value == pytest.approx(n / 500, rel=0.25)
    assert with_box.high - with_box.low < without.high - without.low


def test_negatives_at_high_scores_lower_the_fraction():
    clicks, peaks, _ = _scores(3, fraction=0.2, n_peaks=300, n_clicks=10, distance=2.0)
    against = np.full(20, clicks.mean())
    assert (
        fit_scores(clicks, peaks, against).fraction.value
        < fit_scores(clicks, peaks, NONE).fraction.value
    )


def test_there_are_hardly_fewer_particles_than_are_known():
    clicks, peaks, _ = _scores(4, fraction=0.3, n_peaks=200, n_clicks=60, distance=1.0)
    without = fit_scores(clicks, peaks, NONE).fraction
    known = fit_scores(clicks, peaks, NONE, n_known=100).fraction
    assert known.value * 200 > max(90, without.value * 200)


@pytest.mark.parametrize("n_clicks", [0, 1, 2])
@pytest.mark.parametrize("peaks", [[1.0], [1.0, 1.0, 1.0], [0.0, 5.0], np.linspace(0, 1, 50)])
def test_next_to_nothing_is_known(n_clicks, peaks):
    model = fit_scores(np.full(n_clicks, 1.0), np.asarray(peaks), NONE)
    assert np.isfinite(model.probability).all()
    assert 0 < model.fraction.low < model.fraction.value < model.fraction.high < 1
