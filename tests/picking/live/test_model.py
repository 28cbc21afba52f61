"""A model picks the peaks of its scores where a particle may be, as calibrated log-odds."""

import numpy as np
import pytest
from scipy.special import expit

from napari_cryoml.data import ArrayImage
from napari_cryoml.features import FeatureMap
from napari_cryoml.picking._scoring import LOWEST_SCORE
from napari_cryoml.picking.live import Calibration, Estimate, Head, LiveConfig, LiveModel
from napari_cryoml.picking.live._model import raw_peaks, raw_scores

PEAKS = {2: {(4, 5): 5.0, (12, 6): 4.0, (9, 15): 2.0}, 3: {(4, 5, 6): 5.0, (10, 4, 9): 3.0}}


def model(ndim: int = 2, *, slope: float = 2.0, **options) -> LiveModel:
    """Return a model whose raw score is the first feature, and log-odds `slope` times that."""
    head = Head(np.zeros(2), np.ones(2), np.array([1.0, 0.0]), np.zeros(2), 0.0, 1.0)
    calibration = Calibration((0.0, 1.0), (0.0, slope), Estimate(3, 2, 4))
    config = LiveConfig(diameter=14, ndim=ndim, device="cpu", **options)
    return LiveModel(config, head, calibration, 0.5, 3, 0)


def features(ndim: int = 2, scale: float = 2.0, mask=None, size: int | None = None) -> FeatureMap:
    """Return features of which the first has a few peaks above -2."""
    grid = (20,) * ndim if size is None else (size,) * ndim
    values = np.full((2, *grid), -2.0)
    values[1] = np.random.default_rng(0).normal(size=grid)
    for place, height in PEAKS[ndim].items():
        if max(place) < grid[0]:
            values[(0, *place)] = height
    return FeatureMap(values.astype(np.float16), np.full(ndim, scale), np.zeros(ndim), mask)


def image(ndim: int = 2, size: int = 40, pixel_size: float | None = None) -> ArrayImage:
    return ArrayImage(np.zeros((size,) * ndim), "m.mrc", pixel_size)


@pytest.mark.parametrize("ndim", [2, 3])
def test_peaks_become_picks_by_falling_log_odds(ndim):
    score_map, picks = model(ndim).pick(image(ndim), features(ndim))
    n = len(PEAKS[ndim])
    np.testing.assert_allclose(picks.positions[:n], 2.0 * np.array(list(PEAKS[ndim])))
    np.testing.assert_allclose(picks.scores[:n], [2 * height for height in PEAKS[ndim].values()])
    assert (np.diff(picks.scores) <= 0).all()
    assert picks.image == "m.mrc"
    assert picks.diameter == 14
    np.testing.assert_allclose(score_map.values.max(), 10)
    assert score_map.scale.tolist() == [2.0] * ndim


@pytest.mark.parametrize("ndim", [2, 3])
def test_nothing_is_picked_where_no_particle_may_be(ndim):
    mask = np.ones((20,) * ndim, bool)
    first, *others = PEAKS[ndim]
    mask[first] = False
    found = features(ndim, mask=mask)
    score_map, picks = model(ndim).pick(image(ndim), found)
    assert (2.0 * np.array(first) != picks.positions).any(axis=1).all()
    np.testing.assert_allclose(picks.positions[0], 2.0 * np.array(others[0]))
    assert score_map.values[first] == score_map.values.min() == -4
    np.testing.assert_array_equal(score_map.values, model(ndim).score(found).values)


def test_a_whole_mask_is_no_mask_and_an_empty_one_leaves_no_pick():
    everywhere, nowhere = np.ones((20, 20), bool), np.zeros((20, 20), bool)
    _, plain = model().pick(image(), features())
    _, whole = model().pick(image(), features(mask=everywhere))
    np.testing.assert_array_equal(plain.positions, whole.positions)
    score_map, none = model().pick(image(), features(mask=nowhere))
    assert len(none) == 0
    assert np.ptp(score_map.values) == 0


def test_picks_below_the_lowest_score_are_not_kept():
    steep = model(slope=3.5)  # the ground lies at -7
    _, picks = steep.pick(image(), features())
    assert len(picks) == 3
    assert picks.scores.min() >= LOWEST_SCORE
    _, most = model(slope=2.9).pick(image(), features())
    assert len(most) > 3


def test_picks_stay_in_an_image_that_is_smaller_than_its_grid():
    small = features(size=13)  # the last grid point lies on pixel 24
    _, picks = model().pick(image(size=24), small)
    assert picks.positions.max() <= 23
    assert [24 - 1, 12] in picks.positions.tolist()


@pytest.mark.parametrize(("separation", "n"), [(0.5, 2), (1.0, 1)])
def test_two_peaks_closer_than_the_separation_are_one(separation, n):
    values = np.full((2, 30, 30), -20.0, np.float16)
    values[0, 10, 10], values[0, 10, 15] = 5, 4  # 10 pixels apart, of a diameter of 14
    near = FeatureMap(values, np.full(2, 2.0), np.zeros(2))
    _, picks = model(separation=separation).pick(image(size=60), near)
    assert (picks.scores > 0).sum() == n


def test_the_diameter_follows_the_pixel_size_of_the_image():
    known = model(pixel_size=2.0)
    _, picks = known.pick(image(size=80, pixel_size=1.0), features(scale=4.0))
    assert picks.diameter == 28
    assert picks.pixel_size == 1.0
    np.testing.assert_allclose(picks.positions[:3], 4.0 * np.array(list(PEAKS[2])))


def test_scores_are_log_odds_of_the_calibration():
    found = features()
    raw, score_map = raw_scores(model().head, found), model().score(found)
    np.testing.assert_allclose(raw.values, found.values[0], rtol=1e-6)
    np.testing.assert_allclose(
        expit(score_map.values), model().calibration.probability(raw.values), rtol=1e-5
    )
    assert score_map.values.dtype == np.float32
    np.testing.assert_allclose(score_map.to_image([[4, 5]]), [[8, 10]])


def test_raw_peaks_are_the_picks_before_calibration():
    one, found = model(), features()
    peaks = raw_peaks(one.head, found, one.config, image())
    score_map, picks = one.pick(image(), found)
    again_map, again = one.picked(image(), found, peaks)
    np.testing.assert_array_equal(again.positions, picks.positions)
    np.testing.assert_array_equal(again_map.values, score_map.values)
    np.testing.assert_allclose(peaks.scores[:3], [5, 4, 2])
    assert one.prior == Estimate(3, 2, 4)


def test_a_map_of_one_value_gives_finite_scores():
    flat = FeatureMap(np.zeros((2, 6, 6), np.float16), np.full(2, 2.0), np.zeros(2))
    score_map, picks = model().pick(image(size=12), flat)
    assert (score_map.values == 0).all()
    assert np.isfinite(picks.positions).all()


def test_a_grid_of_one_point_is_one_pick_at_most():
    point = FeatureMap(np.ones((2, 1, 1), np.float16), np.full(2, 2.0), np.zeros(2))
    _, picks = model().pick(image(size=2), point)
    assert len(picks) <= 1
