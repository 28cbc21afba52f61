"""Amplitudes of rings of crops are plain sums, and do not change when a crop turns."""

import numpy as np
import pytest
from scipy import ndimage

from napari_cryoml.features import crop_harmonics
from napari_cryoml.features._angular import angular_harmonics


def smooth_crops(shape, n=3, seed=0):
    """Return crops of smooth noise that fades before the border."""
    white = np.random.default_rng(seed).normal(size=(n, *shape))
    sigma = (0, *[2.0] * len(shape))
    distance = np.sqrt(sum(np.square(axis - size // 2) for axis, size in grid(shape)))
    return (ndimage.gaussian_filter(white, sigma) * np.exp(-((distance / 8) ** 4))).astype("f4")


def grid(shape):
    return zip(np.indices(shape), shape, strict=True)


def plain_amplitude(crop, ring, order, n_rings):
    """Return the amplitude of one order on one ring, pixel by pixel."""
    offsets = [axis - size // 2 for axis, size in grid(crop.shape)]
    distance = np.sqrt(sum(np.square(axis) for axis in offsets))
    largest = (min(crop.shape) - 1) // 2
    spacing = largest / (n_rings - 1)
    profile = np.maximum(1 - np.abs(distance / spacing - ring), 0) * (distance <= largest)
    unit = [axis / np.maximum(distance, 1) for axis in offsets]
    waves = [profile * wave for wave in angular_harmonics(unit, order)]
    scale = np.sqrt(sum(np.square(wave).sum() for wave in waves))
    responses = [float((crop * wave).sum() / scale) for wave in waves]
    return responses[0] if order == 0 else float(np.linalg.norm(responses))


@pytest.mark.parametrize("shape", [(21, 21), (20, 24), (13, 13, 13), (12, 11, 14)])
def test_each_amplitude_is_a_plain_sum(shape):
    crops = np.random.default_rng(1).normal(size=(2, *shape)).astype(np.float32)
    found = crop_harmonics(crops, 4, 2)
    expected = [
        [plain_amplitude(crop, ring, 0, 4) for ring in range(4)]
        + [plain_amplitude(crop, ring, order, 4) for order in (1, 2) for ring in (1, 2, 3)]
        for crop in crops
    ]
    assert found.shape == (2, 4 + 2 * 3)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(25, 25), (15, 15, 15)])
def test_a_quarter_turn_changes_nothing(shape):
    crops = np.random.default_rng(2).normal(size=(3, *shape)).astype(np.float32)
    plain = crop_harmonics(crops, 5, 4)
    for axes in [(1, 2)] if len(shape) == 2 else [(1, 2), (1, 3), (2, 3)]:
        turned = crop_harmonics(np.rot90(crops, axes=axes), 5, 4)
        np.testing.assert_allclose(turned, plain, atol=1e-4)


@pytest.mark.parametrize("shape", [(33, 33), (25, 25, 25)])
def test_any_turn_changes_little_of_a_smooth_crop(shape):
    crops = smooth_crops(shape)
    plain = crop_harmonics(crops, 6, 4)
    turned = ndimage.rotate(crops, 33.0, axes=(1, 2), reshape=False, order=3)
    change = np.linalg.norm(crop_harmonics(turned, 6, 4) - plain, axis=1)
    assert (change < 0.03 * np.linalg.norm(plain, axis=1)).all()
    others = np.linalg.norm(plain - plain[[1, 2, 0]], axis=1)
    assert (others > 0.2 * np.linalg.norm(plain, axis=1)).all()


@pytest.mark.parametrize("ndim", [2, 3])
def test_white_noise_has_amplitudes_of_mean_square_1(ndim):
    crops = np.random.default_rng(3).normal(size=(400, *[15] * ndim)).astype(np.float32)
    mean_square = np.square(crop_harmonics(crops, 4, 3)).mean(axis=0)
    np.testing.assert_allclose(mean_square, 1, atol=0.3)


def test_a_wave_along_a_ring_is_seen_at_its_order():
    y, x = np.indices((41, 41)) - 20
    ring = np.exp(-((np.hypot(y, x) - 10) ** 2) / 4)
    crop = ring * np.cos(3 * np.arctan2(y, x))
    power = np.square(crop_harmonics(crop[None], 5, 4)[0])
    by_order = [power[:5].sum(), *power[5:].reshape(4, 4).sum(axis=1)]
    assert by_order[3] > 0.99 * sum(by_order)


def test_what_lies_beyond_the_reach_is_not_seen():
    inner = np.random.default_rng(4).normal(size=(1, 31, 31)).astype(np.float32)
    y, x = np.indices((31, 31)) - 15
    outer = np.where(np.hypot(y, x) > 7.5, np.nan, inner)
    same = [crop_harmonics(c, 5, 2, reach=0.5, standardise=True) for c in (inner, outer)]
    np.testing.assert_array_equal(*same)
    assert np.isnan(crop_harmonics(outer, 5, 2, reach=0.6)).all()


@pytest.mark.parametrize("ndim", [2, 3])
def test_standardised_crops_have_neither_contrast_nor_offset(ndim):
    crops = np.random.default_rng(5).normal(size=(3, *[15] * ndim)).astype(np.float32)
    plain = crop_harmonics(crops, 5, 2, standardise=True)
    other = crop_harmonics(30 - 0.5 * crops, 5, 2, standardise=True)
    np.testing.assert_allclose(other[:, :5], -plain[:, :5], atol=1e-3)
    np.testing.assert_allclose(other[:, 5:], plain[:, 5:], atol=1e-3)
    flat = np.full_like(crops, 1e6 / 3)
    assert (crop_harmonics(flat, 5, 2, standardise=True) == 0).all()


@pytest.mark.parametrize(("n_rings", "n_orders", "width"), [(1, 3, 1), (2, 0, 2), (3, 1, 5)])
def test_few_rings_and_orders(n_rings, n_orders, width):
    crops = np.ones((2, 9, 9), np.float32)
    found = crop_harmonics(crops, n_rings, n_orders)
    assert found.shape == (2, width)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (2, 2, 2)])
def test_tiny_crops_and_none_at_all(shape):
    assert np.isfinite(crop_harmonics(np.ones((2, *shape), np.float32), 3, 2)).all()
    assert len(crop_harmonics(np.ones((0, *shape), np.float32), 3, 2)) == 0
