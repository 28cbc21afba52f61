"""The features of an image: which channels, on which grid, and under which key."""

import warnings

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import ArrayImage
from napari_cryoml.features import harmonic_features
from napari_cryoml.models import load_encoder
from napari_cryoml.picking.live import LiveConfig, _channels
from napari_cryoml.picking.live._channels import live_features, live_key, particle_channel
from napari_cryoml.picking.live._encoded import encoded

PLAIN = LiveConfig(diameter=14, encoder=False, device="cpu")
BOTH = LiveConfig(diameter=14, device="cpu")
IN_3D = LiveConfig(diameter=14, ndim=3, device="cpu")


@pytest.mark.parametrize(("config", "size"), [(PLAIN, 60), (BOTH, 60), (IN_3D, 22)])
def test_one_vector_of_half_precision_every_second_working_pixel(make_field, config, size):
    image, _ = make_field(size=size, ndim=config.ndim)
    features = live_features(image, config)
    learned = 32 if config is BOTH else 0
    assert features.n_channels == config.harmonics().n_channels + learned
    assert features.grid == (size // 2,) * config.ndim
    assert features.values.dtype == np.float16
    assert features.scale.tolist() == [2.0] * config.ndim
    assert features.offset.tolist() == [0.0] * config.ndim
    assert features.mask is not None
    assert features.mask.dtype == bool


def test_analytic_channels_come_first_then_the_learned_ones(fields):
    image, _ = fields["a"]
    features = live_features(image, BOTH)
    working, _ = BOTH.preprocessor().apply(image)
    rings = harmonic_features(working, 7.0, BOTH.harmonics())
    learned = encoded(load_encoder(2), working, _channels.choose_device("cpu"))
    plain = np.concatenate([rings, learned])
    for found, expected in zip(features.values.astype(float), plain, strict=True):
        middle = np.median(expected[features.mask])
        np.testing.assert_allclose(found, expected - middle, atol=0.01 * np.abs(expected).max())


@pytest.mark.parametrize("mask_borders", [True, False])
def test_every_channel_has_median_zero_where_a_particle_may_be(fields, mask_borders):
    config = BOTH.model_copy(update={"mask_borders": mask_borders})
    features = live_features(fields["a"][0], config)
    assert (features.mask is not None) == mask_borders
    seen = features.values.astype(float)
    seen = seen[:, features.mask] if mask_borders else seen.reshape(len(seen), -1)
    spread = seen.std(axis=1)
    assert (np.abs(np.median(seen, axis=1)) <= 0.01 * spread).all()


def test_the_grid_follows_the_scale_of_the_particle(make_field):
    image, _ = make_field(size=101, diameter=28.0)
    features = live_features(image, PLAIN.model_copy(update={"diameter": 28.0}))
    assert features.grid == (25, 25)  # 50 working pixels
    np.testing.assert_allclose(features.scale, 2 * 101 / 50)


def test_pixel_sizes_bring_images_to_one_scale_without_a_word(make_field):
    config = PLAIN.model_copy(update={"pixel_size": 2.0})
    image, _ = make_field(size=120, diameter=28.0, pixel_size=1.0)
    assert config.diameter_in(image) == 28
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        features = live_features(image, config)
    assert features.grid == (30, 30)
    assert features.scale.tolist() == [4, 4]


def test_repeated_borders_are_masked(make_field):
    image, _ = make_field(size=80)
    pixels = np.pad(image.array, ((0, 0), (20, 0)), mode="edge")
    features = live_features(ArrayImage(pixels, "a"), PLAIN)
    assert not features.mask[:, :11].any()
    assert features.mask[5:-5, 16:-5].all()


@pytest.mark.parametrize("config", [PLAIN, BOTH])
def test_a_brighter_or_stronger_image_has_the_same_features(fields, config):
    image, _ = fields["b"]
    other = ArrayImage(image.array * 40 + 1000, "b")
    first, second = live_features(image, config), live_features(other, config)
    spread = first.values.astype(float).std(axis=(1, 2), keepdims=True)
    gap = np.abs(first.values.astype(float) - second.values.astype(float))
    assert (gap / spread).max() < 0.1


@pytest.mark.parametrize(
    ("image", "config", "words"),
    [
        (ArrayImage(np.ones((40, 40)), "flat"), PLAIN, "flat"),
        (ArrayImage(np.full((40, 40), np.nan), "holes"), PLAIN, "holes"),
        (ArrayImage(np.ones((40, 40)), "a"), IN_3D, "set to 3-D images, but 'a' has 2 axes"),
        (ArrayImage(np.ones((9, 9, 9)), "a"), PLAIN, "set to 2-D images, but 'a' has 3 axes"),
        (ArrayImage(np.eye(10), "a"), PLAIN, "diameter must lie between"),
    ],
)
def test_images_that_cannot_be_used_are_refused(image, config, words):
    with pytest.raises(InputError, match=words):
        live_features(image, config)


def test_pixels_that_are_no_number_do_not_spread(fields):
    pixels = fields["a"][0].array.copy()
    pixels[40, 40] = np.nan
    with pytest.warns(UserWarning):
        features = live_features(ArrayImage(pixels, "a"), BOTH)
    assert np.isfinite(features.values.astype(float)).all()


def test_the_key_changes_with_what_the_features_depend_on(fields):
    (image, _), (other, _) = fields["a"], fields["b"]
    options = [
        {},
        {"diameter": 15},
        {"pixel_size": 1.5},
        {"ndim": 3},
        {"encoder": False},
        {"mask_borders": False},
    ]
    keys = [live_key(image, BOTH.model_copy(update=changed)) for changed in options]
    keys.append(live_key(other, BOTH))
    assert len(set(keys)) == 7


@pytest.mark.parametrize(
    "changed",
    [
        {"device": "cuda"},
        {"separation": 1.0},
        {"head": "linear"},
        {"particles_per_image": 30.0},
    ],
)
def test_the_key_does_not_change_with_what_comes_afterwards(fields, changed):
    image, _ = fields["a"]
    assert live_key(image, BOTH) == live_key(image, BOTH.model_copy(update=changed))


def test_new_weights_or_another_version_make_another_key(fields, monkeypatch):
    image, _ = fields["a"]
    keys = {live_key(image, BOTH)}
    with monkeypatch.context() as patch:
        patch.setattr(_channels, "encoder_digest", lambda ndim: "other")
        keys.add(live_key(image, BOTH))
    with monkeypatch.context() as patch:
        patch.setattr(_channels, "FEATURES_VERSION", -1)
        keys.add(live_key(image, BOTH))
    assert len(keys) == 3


def test_the_channel_of_any_particle_is_the_first_of_the_encoder(fields):
    assert particle_channel(PLAIN) is None
    assert particle_channel(IN_3D) is None
    channel = particle_channel(BOTH)
    assert channel == BOTH.harmonics().n_channels
    image, centres = fields["a"]
    features = live_features(image, BOTH)
    at_particles = features.at(centres)[:, channel]
    elsewhere = features.values[channel].astype(float)
    assert np.median(at_particles) > np.quantile(elsewhere, 0.9)


def test_a_coarser_working_grid_holds_fewer_points(make_field):
    image, _ = make_field(size=28, ndim=3)
    coarse = IN_3D.model_copy(update={"working_diameter": 7.0})
    assert live_features(image, coarse).grid == (7, 7, 7)
    assert live_key(image, coarse) != live_key(image, IN_3D)
