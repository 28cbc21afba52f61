"""Harmonic features are plain correlations with rings, and do not change when an image turns."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import ndimage

from napari_cryoml.features import HarmonicsConfig, harmonic_channels, harmonic_features
from napari_cryoml.features._angular import angular_harmonics

RADIUS = 5.0


def noise(shape: tuple[int, ...], seed: int = 0, smooth: float = 2.0) -> np.ndarray:
    white = np.random.default_rng(seed).normal(size=shape)
    image = ndimage.gaussian_filter(white, smooth, mode="mirror")
    return (image / image.std()).astype(np.float32)


def small(ndim: int, **options) -> HarmonicsConfig:
    options = {"radii": (0.0, 0.7, 1.4), "orders": (0, 1, 2)} | options
    return HarmonicsConfig(ndim=ndim, **options)


def plain_response(image, point, ring_px, width_px, order):
    """Return the correlation about one pixel, summed pixel by pixel in real space."""
    reach = int(np.ceil(ring_px + 5 * width_px))
    padded = np.pad(image.astype(float), reach, mode="symmetric")
    axes = np.indices((2 * reach + 1,) * image.ndim) - float(reach)
    distance = np.sqrt(np.square(axes).sum(axis=0))
    ring = np.exp(-np.square(distance - ring_px) / (2 * width_px**2))
    ring /= ring.sum()
    unit = axes / np.maximum(distance, 1)
    if image.ndim == 2 and order:
        angle = order * np.arctan2(*axes)
        waves = [np.cos(angle), np.sin(angle)]
    elif order:
        unit[(0, *(reach,) * image.ndim)] = 1.0
        waves = angular_harmonics(list(unit), order)
    else:
        waves = [np.ones_like(ring)]
    part = padded[tuple(slice(at, at + 2 * reach + 1) for at in point)]
    found = [float((part * ring * wave).sum()) for wave in waves]
    return found[0] if order == 0 else float(np.linalg.norm(found))


@pytest.mark.parametrize(
    ("shape", "orders"), [((40, 35), (0, 1, 2, 3, 6)), ((21, 18, 20), (0, 1, 2))]
)
@pytest.mark.parametrize("stride", [1, 2])
def test_each_channel_is_a_plain_correlation(shape, orders, stride):
    image = noise(shape)
    config = small(len(shape), radii=(0.0, 1.0), width=0.3, orders=orders, stride=stride)
    features = harmonic_features(image, RADIUS, config)
    rng = np.random.default_rng(3)
    points = [tuple(int(rng.integers(n)) for n in features.shape[1:]) for _ in range(12)]
    points += [(0,) * image.ndim, tuple(n - 1 for n in features.shape[1:])]
    for channel, (ring, order) in enumerate(config.kernels):
        expected = [
            plain_response(image, np.multiply(p, stride), ring * RADIUS, 0.3 * RADIUS, order)
            for p in points
        ]
        found = [features[(channel, *p)] for p in points]
        np.testing.assert_allclose(found, expected, atol=0.03 * np.abs(expected).max())


@pytest.mark.parametrize("shape", [(61, 61), (25, 25, 25)])
def test_turning_the_image_turns_the_features(shape):
    # Grid points lie on even pixels: of an odd size, a turn maps them onto each other.
    image, config = noise(shape), small(len(shape))
    plain = harmonic_features(image, RADIUS, config)
    for axes in [(0, 1)] if len(shape) == 2 else [(0, 1), (0, 2), (1, 2)]:
        turned = harmonic_features(np.rot90(image, axes=axes).copy(), RADIUS, config)
        back = np.rot90(turned, -1, axes=tuple(axis + 1 for axis in axes))
        inner = (slice(None), *(slice(4, -4),) * len(shape))
        spread = plain.std(axis=tuple(range(1, plain.ndim)), keepdims=True)
        np.testing.assert_allclose((back / spread)[inner], (plain / spread)[inner], atol=0.02)


@pytest.mark.parametrize("shape", [(61, 61), (25, 25, 25)])
def test_a_mirror_image_has_the_same_features(shape):
    image, config = noise(shape), small(len(shape))
    plain = harmonic_features(image, RADIUS, config)
    back = np.flip(harmonic_features(np.flip(image, 0).copy(), RADIUS, config), 1)
    inner = (slice(None), *(slice(4, -4),) * len(shape))
    spread = plain.std(axis=tuple(range(1, plain.ndim)), keepdims=True)
    np.testing.assert_allclose((back / spread)[inner], (plain / spread)[inner], atol=0.02)


@pytest.mark.parametrize("ndim", [2, 3])
def test_contrast_turned_over_changes_the_sign_of_order_zero_alone(ndim):
    image, config = noise((30, 27, 24)[:ndim]), small(ndim)
    up, down = (harmonic_features(sign * image, RADIUS, config) for sign in (1, -1))
    n = len(config.kernels)
    for channel, (_, order) in enumerate(config.kernels):
        sign = -1 if order == 0 else 1
        np.testing.assert_allclose(down[channel], sign * up[channel], atol=1e-4)
        np.testing.assert_allclose(down[channel + n], sign * up[channel + n], atol=1e-4)
    np.testing.assert_allclose(down[-1], up[-1], atol=1e-4)
    assert up[0].min() < 0 < up[0].max()


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("factor", [0.25, 7.0])
def test_half_of_the_channels_are_blind_to_contrast(ndim, factor):
    image, config = noise((40, 37, 24)[:ndim]), small(ndim)
    plain, scaled = (harmonic_features(f * image, RADIUS, config) for f in (1.0, factor))
    n = len(config.kernels)
    np.testing.assert_allclose(scaled[:n], factor * plain[:n], rtol=1e-3, atol=1e-3 * factor)
    np.testing.assert_allclose(scaled[n:-1], plain[n:-1], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(scaled[-1] - plain[-1], np.log(factor), atol=1e-3)


def test_the_last_channel_is_the_logarithm_of_the_local_deviation():
    image = noise((50, 50)) * np.linspace(1, 5, 50, dtype=np.float32)
    found = harmonic_features(image, RADIUS, small(2))[-1]
    blur = {"sigma": RADIUS, "mode": "reflect", "truncate": 6}
    mean, square = (ndimage.gaussian_filter(part, **blur) for part in (image, image**2))
    expected = 0.5 * np.log(square - mean**2)[::2, ::2]
    np.testing.assert_allclose(found, expected, atol=0.05)


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_ring_answers_to_a_ball_of_its_size_and_place(ndim):
    distance = np.linalg.norm(np.indices((41,) * ndim) - 20.0, axis=0)
    shell = np.exp(-((distance - RADIUS) ** 2) / 4).astype(np.float32)
    config = small(ndim, radii=(0.0, 1.0, 2.0), orders=(0,))
    features = harmonic_features(shell, RADIUS, config)
    middle = (10,) * ndim  # grid point 10 is pixel 20
    assert np.unravel_index(features[1].argmax(), features[1].shape) == middle
    assert features[(1, *middle)] > 2 * max(features[(0, *middle)], features[(2, *middle)])


def test_an_order_answers_to_its_symmetry():
    y, x = np.indices((41, 41)) - 20.0
    distance, angle = np.hypot(y, x), np.arctan2(y, x)
    config = HarmonicsConfig(radii=(1.4,), orders=(1, 2, 3, 4))
    for channel, order in enumerate(config.orders):
        image = np.cos(order * angle) * np.exp(-((distance - 7) ** 2) / 8)
        features = harmonic_features(image.astype(np.float32), RADIUS, config)
        assert features[:4, 10, 10].argmax() == channel
        others = np.delete(features[:4, 10, 10], channel)
        assert others.max() < 0.05 * features[channel, 10, 10]


@pytest.mark.parametrize("shape", [(32, 33), (1, 7), (2, 2), (5, 4, 3), (1, 1, 1)])
def test_there_is_a_number_for_every_channel_and_grid_point_of_small_images(shape):
    config = HarmonicsConfig(ndim=len(shape), orders=(0, 1, 2))
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    features = harmonic_features(image, 7.0, config)
    assert features.shape == (config.n_channels, *(-(-size // 2) for size in shape))
    assert features.dtype == np.float32
    assert np.isfinite(features).all()


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("value", [0.0, 5.0, -300.0])
def test_a_constant_image_has_finite_features_without_direction(ndim, value):
    config = small(ndim)
    features = harmonic_features(np.full((12,) * ndim, value, np.float32), RADIUS, config)
    assert np.isfinite(features).all()
    for channel, (_, order) in enumerate(config.kernels):
        expected = value if order == 0 else 0
        np.testing.assert_allclose(features[channel], expected, atol=1e-4 * max(abs(value), 1))


def test_a_flat_part_does_not_divide_by_nothing():
    image = noise((80, 80))
    image[:, 40:] = 0
    features = harmonic_features(image, RADIUS, small(2))
    n = len(small(2).kernels)
    flat, rest = np.abs(features[n:-1, :, 35:]), np.abs(features[n:-1, :, :35])
    assert flat.max() < rest.max()
    # The least deviation is a share of that of the image, mirrored part included.
    assert features[-1].min() == pytest.approx(np.log(0.05 * image.std()), abs=0.2)


def test_kernels_and_channels_are_counted():
    config = HarmonicsConfig()
    assert len(config.kernels) == 6 + 5 * 5
    assert config.n_channels == 2 * 31 + 1
    assert HarmonicsConfig(radii=(0.0,), orders=(0, 1, 2)).kernels == [(0.0, 0)]


@pytest.mark.parametrize(
    "options", [{"radii": ()}, {"orders": ()}, {"stride": 0}, {"width": 0}, {"ndim": 4}]
)
def test_options_that_mean_nothing_are_refused(options):
    with pytest.raises(ValidationError):
        HarmonicsConfig(**options)


@pytest.mark.parametrize("ndim", [2, 3])
def test_channels_come_one_by_one_as_they_are_together(ndim):
    image, config = noise((30, 27, 24)[:ndim]), small(ndim)
    together = harmonic_features(image, RADIUS, config)
    one_by_one = dict(harmonic_channels(image, RADIUS, config))
    assert sorted(one_by_one) == list(range(config.n_channels))
    for channel, values in one_by_one.items():
        np.testing.assert_array_equal(values.numpy(), together[channel])
