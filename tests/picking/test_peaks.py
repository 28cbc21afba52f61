"""Peaks are those of plain greedy suppression, in 2-D and 3-D."""

import itertools

import numpy as np
import pytest
from scipy import ndimage

from napari_cryoml._errors import InputError
from napari_cryoml.data import ScoreMap
from napari_cryoml.picking._peaks import find_peaks

SHAPES = [(17, 22), (7, 9, 8)]


def neighbourhood_maxima(scores):
    """Positions that no neighbour exceeds, ties to the first, by explicit loops."""
    kept = []
    for position in np.ndindex(scores.shape):
        rivals = []
        for step in itertools.product((-1, 0, 1), repeat=scores.ndim):
            rival = tuple(np.add(position, step))
            if any(step) and all(0 <= r < n for r, n in zip(rival, scores.shape, strict=True)):
                rivals.append(rival)
        own = (scores[position], [-p for p in position])
        if all(own > (scores[rival], [-r for r in rival]) for rival in rivals):
            kept.append(position)
    return kept


def greedy(scores, radius, threshold, local_maxima):
    """Exact greedy suppression, one candidate after the other."""
    candidates = neighbourhood_maxima(scores) if local_maxima else list(np.ndindex(scores.shape))
    candidates = [position for position in candidates if scores[position] >= threshold]
    candidates.sort(key=lambda position: -scores[position])
    taken = np.empty((0, scores.ndim))
    for position in candidates:
        if (np.sum((taken - position) ** 2, axis=1) > radius**2).all():
            taken = np.vstack((taken, position))
    return taken


def random_maps(shape):
    rng = np.random.default_rng(5)
    noise = rng.normal(size=shape).astype(np.float32)
    yield "noise", noise
    yield "smooth", 5 * ndimage.gaussian_filter(noise, 2)
    yield "ties", rng.integers(0, 3, shape).astype(np.float32)
    yield "plateau", np.zeros(shape, np.float32)
    yield "ramp", np.indices(shape).sum(axis=0).astype(np.float32)


@pytest.mark.parametrize("local_maxima", [True, False])
@pytest.mark.parametrize("radius", [0, 1, 2.5, 6])
@pytest.mark.parametrize("shape", SHAPES, ids=["2d", "3d"])
def test_equals_plain_greedy_suppression(shape, radius, local_maxima):
    for name, scores in random_maps(shape):
        found, values = find_peaks(scores, radius, 0.1, subpixel=False, local_maxima=local_maxima)
        expected = greedy(scores, radius, 0.1, local_maxima)
        np.testing.assert_array_equal(found, expected, err_msg=name)
        np.testing.assert_array_equal(values, scores[tuple(found.astype(int).T)], err_msg=name)


@pytest.mark.parametrize("local_maxima", [True, False])
@pytest.mark.parametrize("shape", [(80, 90), (20, 24, 28)], ids=["2d", "3d"])
def test_a_higher_threshold_is_a_slice(shape, local_maxima):
    scores = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=shape), 1.5)
    positions, values = find_peaks(scores, 4, -np.inf, local_maxima=local_maxima)
    assert (np.diff(values) <= 0).all()
    for threshold in np.quantile(values, [0.2, 0.6, 0.95]):
        fewer, their_values = find_peaks(scores, 4, threshold, local_maxima=local_maxima)
        kept = int(np.sum(values >= threshold))
        np.testing.assert_array_equal(fewer, positions[:kept])
        np.testing.assert_array_equal(their_values, values[:kept])


@pytest.mark.parametrize("ndim", [2, 3])
def test_peaks_at_opposite_borders_do_not_see_each_other(ndim):
    scores = np.full((20,) * ndim, -9.0, np.float32)
    left, right = (3,) * (ndim - 1) + (0,), (2,) * (ndim - 1) + (19,)
    scores[left], scores[right] = 2, 1
    positions, values = find_peaks(scores, 5, 0)
    np.testing.assert_array_equal(positions, [left, right])
    np.testing.assert_array_equal(values, [2, 1])


@pytest.mark.parametrize("ndim", [2, 3])
def test_slopes_give_no_picks_unless_asked_for(ndim):
    distance = np.linalg.norm(np.indices((21,) * ndim) - 10, axis=0)
    scores = np.exp(-(distance**2) / 50)
    assert len(find_peaks(scores, 3, 0.01)[0]) == 1
    assert len(find_peaks(scores, 3, 0.01, local_maxima=False)[0]) > 5


@pytest.mark.parametrize("centre", [(8.3, 9.8), (5.0, 6.25, 7.6)], ids=["2d", "3d"])
def test_subpixel_peak_of_a_parabola_is_exact(centre):
    scores = -sum(
        (axis - c) ** 2 for axis, c in zip(np.indices((16,) * len(centre)), centre, strict=True)
    )
    positions, values = find_peaks(scores, 3, -np.inf)
    np.testing.assert_allclose(positions, [centre], atol=1e-5)
    assert values[0] == scores.astype(np.float32).max()


def test_subpixel_shift_is_at_most_half_and_zero_across_an_edge():
    scores = np.array([[9, 8, 0, 0], [8, 7, 0, 0], [0, 0, 0, 0], [0, 0, 5, 4.999]], np.float32)
    positions, _ = find_peaks(scores, 1, 1)
    np.testing.assert_array_equal(positions[0], [0, 0])
    assert positions[1, 0] == 3
    assert 2 < positions[1, 1] <= 2.5
    slopes, _ = find_peaks(scores, 1, 1, local_maxima=False)
    grid, _ = find_peaks(scores, 1, 1, local_maxima=False, subpixel=False)
    assert np.abs(slopes - grid).max() <= 0.5


def test_nan_and_minus_infinity_are_never_picked():
    scores = np.full((6, 6), np.nan)
    scores[2, 3], scores[5, 0] = 1, -np.inf
    for local_maxima in (True, False):
        positions, values = find_peaks(scores, 2, -np.inf, local_maxima=local_maxima)
        np.testing.assert_array_equal(positions, [[2, 3]])
        np.testing.assert_array_equal(values, [1])


@pytest.mark.parametrize("shape", [(5, 5), (0, 4), (4, 4, 4)])
def test_nothing_above_the_threshold_gives_empty_tables(shape):
    positions, values = find_peaks(np.zeros(shape), 2, 1)
    assert positions.shape == (0, len(shape))
    assert positions.dtype == np.float64
    assert values.shape == (0,)
    assert values.dtype == np.float32


def test_a_score_map_is_read_on_its_grid():
    values = np.zeros((8, 8), np.float32)
    values[4, 6] = 1
    score_map = ScoreMap(values, scale=np.array([3.0, 3.0]), offset=np.array([1.0, 1.0]))
    positions, _ = find_peaks(score_map, 2, 0.5)
    np.testing.assert_array_equal(score_map.to_image(positions), [[13, 19]])


@pytest.mark.parametrize(("radius", "threshold"), [(-1, 0), (np.nan, 0), (np.inf, 0), (1, np.nan)])
def test_senseless_options_are_refused(radius, threshold):
    with pytest.raises(InputError, match=r"radius must be|threshold"):
        find_peaks(np.zeros((4, 4)), radius, threshold)
