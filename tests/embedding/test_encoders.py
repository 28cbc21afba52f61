"""What each encoder makes of crops."""

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import ArrayCrops, ArrayImage, Picks, PicksTable
from napari_cryoml.embedding import LiveEncoderConfig, encoders
from napari_cryoml.embedding import _live_encoder as live_module
from napari_cryoml.features import FeatureCache, FeatureMap
from napari_cryoml.picking import Picker, PickerConfig
from napari_cryoml.picking.live import LiveConfig, LivePicker, live_features
from napari_cryoml.preprocess import PickCrops, PreprocessConfig, Preprocessor
from napari_cryoml.simulate import MicrographConfig, simulate_micrograph

DIAMETER = 28


def noise(n, *shape, seed=0):
    return np.random.default_rng(seed).normal(size=(n, *shape)).astype(np.float32)


def encode(name, crops, rows=None, **options):
    crops = crops if not isinstance(crops, np.ndarray) else ArrayCrops.of(crops)
    rows = np.arange(len(crops)) if rows is None else rows
    return encoders.create(name, **options).build().encode(crops, rows)


def pick_crops(images, n=5, box=32, seed=0):
    rng = np.random.default_rng(seed)
    table = [
        Picks(image.name, rng.uniform(0, np.array(image.shape) - 1, (n, len(image.shape))))
        for image in images
    ]
    return PickCrops(images, PicksTable.of(table), box)


@pytest.fixture(scope="module")
def image():
    options = MicrographConfig(shape=(160, 150), diameter=DIAMETER, n_particles=8, carbon=0, snr=1)
    return ArrayImage(simulate_micrograph(options, seed=1).image, "one.mrc", 4.0)


# rings


@pytest.mark.parametrize("shape", [(21, 21), (13, 13, 13)])
def test_rings_know_neither_contrast_nor_offset(shape):
    crops = noise(3, 1, *shape)
    other = 100 + 7 * crops
    np.testing.assert_allclose(encode("rings", other), encode("rings", crops), atol=1e-3)


def test_rings_take_each_channel_by_itself():
    crops = noise(4, 3, 21, 21)
    together = encode("rings", crops, rings=5, orders=2)
    each = [encode("rings", crops[:, [channel]], rings=5, orders=2) for channel in range(3)]
    np.testing.assert_allclose(together, np.concatenate(each, axis=1), atol=1e-5)


def test_a_hot_pixel_hides_nothing():
    crops = noise(20, 1, 41, 41)
    hot = crops.copy()
    hot[:, 0, 12, 30] = 5000
    plain, changed = encode("rings", crops), encode("rings", hot)
    nearest = np.linalg.norm(changed[:, None] - plain, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(nearest, np.arange(20))


@pytest.mark.parametrize("name", ["rings", "spectrum"])
@pytest.mark.parametrize("shape", [(12, 12), (8, 8, 8)])
def test_flat_crops_are_0_and_broken_ones_nan(name, shape):
    crops = noise(4, 1, *shape)
    crops[1] = 1e6 / 3
    crops[(2, 0, *(size // 2 for size in shape))] = np.nan
    crops[3] = 0
    vectors = encode(name, crops)
    assert np.isfinite(vectors[0]).all()
    assert (vectors[[1, 3]] == 0).all()
    assert np.isnan(vectors[2]).all()


# spectrum


@pytest.mark.parametrize("shape", [(20, 24), (19, 15), (12, 10, 8)])
@pytest.mark.parametrize("radial", [False, True])
def test_spectra_do_not_change_with_a_shift(shape, radial):
    crops = noise(3, 2, *shape)
    moved = np.roll(crops, (3, 5), axis=(2, 3))
    plain = encode("spectrum", crops, radial=radial)
    np.testing.assert_allclose(encode("spectrum", moved, radial=radial), plain, atol=1e-5)
    assert np.abs(plain[0] - plain[1]).max() > 0.05


def test_radial_spectra_do_not_change_with_a_turn():
    crops = noise(2, 1, 20, 20)
    plain = encode("spectrum", crops, radial=True)
    turned = encode("spectrum", np.rot90(crops, axes=(2, 3)), radial=True)
    np.testing.assert_allclose(turned, plain, atol=1e-5)
    directed = [encode("spectrum", c) for c in (crops, np.rot90(crops, axes=(2, 3)))]
    assert np.abs(directed[0] - directed[1]).max() > 0.05


@pytest.mark.parametrize(("period", "ring"), [(4, 6), (8, 3), (12, 2)])
def test_a_wave_is_seen_at_its_frequency(period, ring):
    wave = np.cos(2 * np.pi * np.arange(48) / period)
    crop = np.broadcast_to(wave, (48, 48)).astype(np.float32)[None, None]
    vector = encode("spectrum", crop, radial=True, grid=12)[0]
    assert len(vector) == 7
    assert vector.argmax() == ring


def test_a_spectrum_is_the_plain_mean_of_logarithms():
    crop = noise(1, 1, 10, 10)
    vector = encode("spectrum", crop, highest=1.0, grid=10)[0]
    spectrum = np.fft.rfftn((crop[0, 0] - crop.mean()) / crop.std()) / 10
    # Every coefficient has a cell of its own, but for the rows of plus and minus 5.
    rows = np.fft.fftshift(np.log1p(np.abs(spectrum)), axes=0)
    np.testing.assert_allclose(vector, rows.ravel(), atol=1e-5)


def test_white_noise_has_a_flat_spectrum():
    vectors = encode("spectrum", noise(200, 1, 32, 32), highest=1.0, radial=True)
    parts = np.random.default_rng(1).normal(size=(2, 10**5)) / np.sqrt(2)
    expected = np.log1p(np.hypot(*parts)).mean()
    np.testing.assert_allclose(vectors.mean(axis=0)[1:-1], expected, atol=0.02)


# live


def plane(shape, slope, offset=0.0):
    """Return a feature map that rises evenly along each axis, two channels."""
    values = np.stack([np.tensordot(slope, np.indices(shape), 1), np.ones(shape)])
    ndim = len(shape)
    return FeatureMap(values.astype(np.float16), np.full(ndim, 2.0), np.full(ndim, offset))


@pytest.mark.parametrize(("shape", "slope"), [((9, 7), (1, 4)), ((5, 6, 4), (1, 2, 4))])
def test_features_between_grid_points_are_linear(shape, slope):
    features = plane(shape, slope, offset=1.0)
    last = 1 + 2 * (np.array(shape) - 1)
    places = np.random.default_rng(0).uniform(1, last, (20, len(shape)))
    found = live_module.interpolated(features, places, slice(None))
    np.testing.assert_allclose(found[:, 0], (places - 1) / 2 @ np.array(slope), rtol=1e-5)
    np.testing.assert_allclose(found[:, 1], 1, rtol=1e-6)


def test_features_beyond_the_grid_are_those_of_its_border():
    features = plane((4, 3), (1, 10))
    far = np.array([[-50.0, -50.0], [50.0, 50.0], [0.0, 50.0]])
    found = live_module.interpolated(features, far, slice(0, 1))
    np.testing.assert_allclose(found[:, 0], [0, 3 + 20, 20])
    thin = plane((1, 3), (1, 10))
    np.testing.assert_allclose(live_module.interpolated(thin, far, slice(0, 1))[:, 0], [0, 20, 20])


def test_live_vectors_are_learned_channels_then_rings(image):
    crops = pick_crops([image], box=DIAMETER + 5)
    options = {"diameter": DIAMETER, "keep": False, "device": "cpu"}
    vectors = encode("live", crops, **options)
    live = LiveConfig(diameter=DIAMETER, device="cpu")
    features = live_features(image, live)
    learned = slice(live.harmonics().n_channels, None)
    channels = live_module.interpolated(features, crops.positions, learned)
    np.testing.assert_allclose(vectors[:, : channels.shape[1]], channels, atol=1e-5)
    np.testing.assert_array_equal(encode("live", crops, rings=0, **options), channels)
    reach = 1.05 * DIAMETER / (DIAMETER + 5)
    rings = encode("rings", crops, reach=reach)
    np.testing.assert_allclose(vectors[:, channels.shape[1] :], 0.3 * rings, atol=1e-4)


def test_live_without_learned_channels_draws_in_outliers(image):
    crops = pick_crops([image])
    vectors = encode("live", crops, diameter=DIAMETER, learned=False, rings=0, keep=False)
    live = LiveConfig(diameter=DIAMETER, encoder=False)
    assert vectors.shape[1] == live.harmonics().n_channels
    raw = live_module.interpolated(live_features(image, live), crops.positions, slice(None))
    np.testing.assert_allclose(np.sinh(vectors / 0.15) * 0.2, raw, atol=1e-3)


def test_features_that_the_live_picker_made_are_used(image, monkeypatch, tmp_path):
    monkeypatch.setattr(live_module, "user_cache_folder", lambda: tmp_path)
    live = LiveConfig(diameter=DIAMETER, pixel_size=4.0, device="cpu")
    LivePicker.of([image], FeatureCache(folder=tmp_path)).features("one.mrc", live)

    def refuse(*_):
        raise AssertionError("made again")

    monkeypatch.setattr("napari_cryoml.picking.live._engine.live_features", refuse)
    crops = pick_crops([image])
    for config in (LiveEncoderConfig.of(live), LiveEncoderConfig(diameter=DIAMETER)):
        assert len(config.build().encode(crops, np.arange(5))) == 5
        with pytest.raises(AssertionError, match="made again"):
            live_module.LiveEncoder(config, FeatureCache()).encode(crops, [0])


def test_the_pixel_size_is_that_of_the_images_if_they_agree(image):
    config = LiveEncoderConfig(diameter=DIAMETER)
    assert config.live(pick_crops([image])).pixel_size == 4.0
    assert LiveEncoderConfig(diameter=9, pixel_size=3.0).live(pick_crops([image])).pixel_size == 3
    other = ArrayImage(image.array, "other.mrc", 4.01)
    assert config.live(pick_crops([image, other])).pixel_size is None


def test_the_live_encoder_needs_a_diameter_and_images(image):
    config = encoders.create("live", keep=False)
    with pytest.raises(InputError, match="diameter"):
        config.check(pick_crops([image]))
    with pytest.raises(InputError, match='use the encoder "rings"'):
        encoders.create("live", diameter=DIAMETER).check(ArrayCrops.of(noise(2, 1, 8, 8)))


def test_live_vectors_of_tomograms():
    image = ArrayImage(noise(1, 30, 32, 28)[0], "tomogram.mrc")
    crops = pick_crops([image], n=3, box=12)
    vectors = encode("live", crops, diameter=10, keep=False, device="cpu")
    assert vectors.shape[0] == 3
    assert np.isfinite(vectors).all()


# detector


def small_picker(path, ndim=2):
    import torch

    torch.manual_seed(0)
    network = {"units": 4}
    config = PickerConfig(diameter=14, ndim=ndim, model="conv31", network=network, device="cpu")
    detector = config.detector_config().build().eval()
    preprocess = PreprocessConfig(working_diameter=14, normalisation="percentile")
    Picker(config, detector, Preprocessor(14, preprocess, 0)).save(path)
    return path


@pytest.mark.parametrize("shape", [(60, 70), (40, 44, 42)])
def test_the_detector_gives_what_its_classifier_sees(shape, tmp_path):
    import torch

    path = small_picker(tmp_path / "picker.safetensors", len(shape))
    image = ArrayImage(noise(1, *shape)[0], "one.mrc")
    positions = np.array([[30.2] * len(shape), [4.0] * len(shape), [30.4] * len(shape)])
    crops = PickCrops([image], PicksTable.of([Picks("one.mrc", positions)]), 16)
    found = encode("detector", crops, picker=path, device="cpu")
    picker = Picker.load(path)
    working, _ = picker.preprocessor.apply(image)
    around = tuple(slice(15, 46) for _ in shape)
    padded = np.pad(working, 31, mode="symmetric")
    near_corner = tuple(slice(31 + 4 - 15, 31 + 4 + 16) for _ in shape)
    with torch.no_grad():
        patches = torch.from_numpy(np.stack([padded[near_corner]])[:, None])
        corner = picker.detector.features(patches).flatten(1)
        middle = tuple(slice(31 + s.start, 31 + s.stop) for s in around)
        centre = picker.detector.features(torch.from_numpy(padded[middle][None, None])).flatten(1)
    np.testing.assert_allclose(found[0], centre[0], atol=1e-4)
    np.testing.assert_allclose(found[1], corner[0], atol=1e-4)
    np.testing.assert_allclose(found[2], found[0], atol=1e-6)


def test_a_picker_of_other_images_is_refused(tmp_path):
    path = small_picker(tmp_path / "picker.safetensors", ndim=3)
    crops = pick_crops([ArrayImage(noise(1, 50, 50)[0], "flat.mrc")])
    with pytest.raises(InputError, match=r"3-D images, but 'flat\.mrc' has 2 axes"):
        encode("detector", crops, picker=path, device="cpu")


def test_a_picker_that_is_not_there_is_named(tmp_path):
    config = encoders.create("detector", picker=tmp_path / "none.safetensors")
    with pytest.raises(InputError, match=r"none\.safetensors"):
        config.state()
    with pytest.raises(InputError, match=r"none\.safetensors"):
        config.build()


def test_the_state_of_a_picker_changes_with_its_file(tmp_path):
    path = small_picker(tmp_path / "picker.safetensors")
    config = encoders.create("detector", picker=path)
    before = config.state()
    small_picker(path, ndim=3)
    assert config.state() != before
