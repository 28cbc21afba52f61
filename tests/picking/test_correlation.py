"""Correlation by Fourier transforms equals the sums it stands for."""

import numpy as np
import pytest

from napari_cryoml.picking import _correlation as correlation


def plain_correlation(image, template, mask, position):
    half = mask.shape[0] // 2
    box = tuple(slice(p - half, p + half + 1) for p in position)
    pixels, reference = image[box][mask].astype(float), template[mask]
    return float(np.corrcoef(pixels, reference)[0, 1])


@pytest.mark.parametrize("shape", [(20, 23), (12, 11, 13)], ids=["2d", "3d"])
def test_equals_the_correlation_coefficient_of_each_place(shape):
    rng = np.random.default_rng(0)
    image = rng.normal(size=shape).astype(np.float32) + 3
    template, mask = rng.normal(size=(7,) * len(shape)), correlation.ball(3, len(shape), 2.5)
    scores = correlation.best_correlation(image, [template], mask)
    assert scores.shape == shape
    assert scores.dtype == np.float32
    for position in rng.integers(3, np.array(shape) - 3, (25, len(shape))):
        expected = plain_correlation(image, template, mask, position)
        assert scores[tuple(position)] == pytest.approx(expected, abs=1e-3)


def test_edges_are_mirrored():
    rng = np.random.default_rng(1)
    image, template = rng.normal(size=(9, 9)).astype(np.float32), rng.normal(size=(5, 5))
    mask = correlation.ball(2, 2, 2)
    mirrored = np.pad(image, 2, mode="symmetric")
    scores = correlation.best_correlation(image, [template], mask)
    for position in [(0, 0), (0, 5), (8, 8), (4, 0)]:
        expected = plain_correlation(mirrored, template, mask, np.add(position, 2))
        assert scores[position] == pytest.approx(expected, abs=1e-3)


def test_the_best_template_counts():
    rng = np.random.default_rng(2)
    image = rng.normal(size=(15, 15)).astype(np.float32)
    templates, mask = rng.normal(size=(3, 5, 5)), correlation.ball(2, 2, 2)
    each = [correlation.best_correlation(image, [template], mask) for template in templates]
    best = correlation.best_correlation(image, templates, mask)
    np.testing.assert_allclose(best, np.max(each, axis=0), atol=1e-6)


def test_flat_places_do_not_correlate():
    image = np.zeros((20, 20), np.float32)
    image[:, 14:] = np.random.default_rng(0).normal(size=(20, 6))
    template, mask = np.random.default_rng(1).normal(size=(5, 5)), correlation.ball(2, 2, 2)
    scores = correlation.best_correlation(image, [template, np.ones((5, 5))], mask)
    assert (scores[:, :10] == 0).all()
    assert np.isfinite(scores).all()
    assert (correlation.best_correlation(image * 0, [template], mask) == 0).all()


def test_rotations_turn_about_the_centre():
    template = np.random.default_rng(0).normal(size=(7, 7))
    quarter = correlation.rotations(2, 90)
    assert len(quarter) == 4
    turned = correlation.rotate(template, quarter[1])
    np.testing.assert_allclose(turned, np.rot90(template), atol=1e-9)


def test_a_cube_has_24_rotations():
    turns = correlation.rotations(3, 15)
    assert len({tuple(np.rint(turn).astype(int).ravel()) for turn in turns}) == 24
    template = np.random.default_rng(0).normal(size=(5, 5, 5))
    for turn in turns:
        turned = correlation.rotate(template, turn)
        np.testing.assert_allclose(np.sort(turned.ravel()), np.sort(template.ravel()), atol=1e-6)


@pytest.mark.parametrize("ndim", [2, 3])
def test_rotational_average_depends_on_the_distance_alone(ndim):
    template = np.random.default_rng(0).normal(size=(9,) * ndim)
    average = correlation.rotational_average(template)
    distance = np.linalg.norm(np.indices(template.shape) - 4, axis=0)
    for value in np.unique(distance):
        assert np.ptp(average[distance == value]) < 1e-9
    np.testing.assert_allclose(correlation.rotational_average(np.full((5,) * ndim, 3.0)), 3)
    cone = correlation.rotational_average(10 - distance)
    inner = distance <= 4
    np.testing.assert_allclose(cone[inner], 10 - distance[inner], atol=0.3)


@pytest.mark.parametrize("ndim", [2, 3])
def test_crops_are_centred_between_pixels(ndim):
    image = np.indices((12,) * ndim)[-1].astype(np.float32)
    position = np.full(ndim, 5.25)
    (crop,) = correlation.cut_crops(image, position[None], 2)
    assert crop.shape == (5,) * ndim
    np.testing.assert_allclose(crop[(2,) * ndim], 5.25)
    np.testing.assert_allclose(crop[(2,) * (ndim - 1)], 5.25 + np.arange(-2, 3))


def test_crops_beyond_the_edge_are_unknown_there():
    image = np.arange(25, dtype=np.float32).reshape(5, 5)
    corner, inside = correlation.cut_crops(image, [[0, 0], [2, 2]], 1)
    assert np.isnan(corner[0]).all()
    np.testing.assert_array_equal(corner[1:, 1:], [[0, 1], [5, 6]])
    average = correlation.average_crops([corner, inside])
    np.testing.assert_array_equal(average[0], inside[0])
    np.testing.assert_array_equal(average[1:, 1:], (corner[1:, 1:] + inside[1:, 1:]) / 2)
    assert np.isfinite(correlation.average_crops([corner])).all()


def test_no_crops_have_no_average():
    assert correlation.average_crops([]).size == 0
