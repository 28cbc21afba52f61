import json
import pickle

import numpy as np
import pytest

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import ArrayImage
from napari_cryoml.preprocess import PreprocessConfig, Preprocessor

CONFIG = PreprocessConfig(working_diameter=8, clip_low=0, clip_high=100)
DIAMETER = 16.0


def image(scale=1.0, offset=0.0, seed=0, shape=(96, 128), **options):
    """Dark discs on a light, noisy ground: counts about 100, times `scale`, plus `offset`."""
    rng = np.random.default_rng(seed)
    counts = rng.normal(100, 8, shape)
    grid = np.indices(shape) - np.reshape([n // 4 for n in shape], (-1, *[1] * len(shape)))
    counts[np.sqrt((grid**2).sum(0)) < DIAMETER] -= 12
    return ArrayImage((scale * counts + offset).astype(np.float32), **options)


@pytest.mark.parametrize("normalisation", ["mixture", "percentile"])
@pytest.mark.parametrize("shape", [(96, 130), (24, 40, 50)])
def test_apply_gives_the_normalised_working_image(normalisation, shape):
    config = PreprocessConfig(working_diameter=8, normalisation=normalisation)
    images = [image(seed=s, shape=shape) for s in range(2)]
    working, rescaling = Preprocessor.fit(images, DIAMETER, config, seed=0).apply(images[0])
    assert working.shape == tuple(n // 2 for n in shape) == rescaling.shape_out
    assert rescaling.shape_in == shape
    assert working.dtype == np.float32
    assert abs(np.median(working)) < 0.5
    assert 0.5 < working.std() < 2


def test_the_scale_of_an_image_does_not_show():
    images = [image(scale, seed=s) for s, scale in enumerate((1.0, 1.5, 0.7))]
    fitted = Preprocessor.fit(images, DIAMETER, CONFIG, seed=0)
    assert not fitted.centred
    np.testing.assert_allclose(
        fitted.apply(image(5.0, seed=9))[0], fitted.apply(image(1.0, seed=9))[0], atol=1e-3
    )


def test_the_background_lies_at_zero_with_deviation_one():
    fitted = Preprocessor.fit([image(seed=s) for s in range(3)], DIAMETER, CONFIG, seed=0)
    working, _ = fitted.apply(image(seed=5))
    corner = working[30:, 40:]
    assert corner.mean() == pytest.approx(0, abs=0.2)
    assert corner.std() == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize(
    "offsets", [(-100, -100), (0, 400), (-300, -300)], ids=["mean zero", "own offsets", "negative"]
)
def test_offsets_are_taken_off_where_a_scale_cannot_explain_them(offsets):
    images = [image(1 + s, offset, seed=s) for s, offset in enumerate(offsets)]
    fitted = Preprocessor.fit(images, DIAMETER, CONFIG, seed=0)
    assert fitted.centred
    plain = Preprocessor.fit([image(seed=s) for s in range(2)], DIAMETER, CONFIG, seed=0)
    for s, img in enumerate(images):
        np.testing.assert_allclose(fitted.apply(img)[0], plain.apply(image(seed=s))[0], atol=0.35)


def test_a_new_image_with_its_mean_removed_is_centred_by_itself():
    fitted = Preprocessor.fit([image(seed=s) for s in range(2)], DIAMETER, CONFIG, seed=0)
    usual, _ = fitted.apply(image(seed=7))
    shifted, _ = fitted.apply(image(3.0, -300, seed=7))
    np.testing.assert_allclose(shifted, usual, atol=0.2)


def test_outliers_are_clipped_by_default_and_move_nothing():
    hot = image(seed=4)
    hot.array[10, 10] = 1e7
    fitted = Preprocessor.fit([image(seed=s) for s in range(2)], DIAMETER, PreprocessConfig(), 0)
    working, _ = fitted.apply(hot)
    assert np.abs(working).max() < 10
    assert working.std() > 0.5


def test_same_seed_same_result():
    images = [image(seed=s) for s in range(3)]
    config = PreprocessConfig(working_diameter=16, mixture_images=2)
    first, second = (Preprocessor.fit(images, DIAMETER, config, seed=3) for _ in range(2))
    assert first == second
    np.testing.assert_array_equal(first.apply(images[0])[0], second.apply(images[0])[0])


@pytest.mark.parametrize("normalisation", ["mixture", "percentile"])
def test_json_and_pickle_bring_it_back(normalisation):
    config = PreprocessConfig(normalisation=normalisation)
    fitted = Preprocessor.fit([image(pixel_size=2.0)], DIAMETER, config, seed=0)
    restored = Preprocessor.from_json(json.loads(json.dumps(fitted.to_json())))
    pickled = pickle.loads(pickle.dumps(fitted))  # noqa: S301
    assert pickled == fitted
    for other in (restored, pickled):
        np.testing.assert_array_equal(other.apply(image())[0], fitted.apply(image())[0])
        assert other.pixel_size == 2.0


@pytest.mark.parametrize(
    "change",
    [
        {"config": {"working_diameter": -1}},
        {"config": {"nonsense": 1}},
        {"diameter": "wide"},
        {"mixture": {"weights": [1]}},
        {"mixture": [1, 2]},
    ],
)
def test_damaged_json_is_refused(change):
    values = Preprocessor.fit([image()], DIAMETER, CONFIG, seed=0).to_json() | change
    with pytest.raises(InputError, match="preprocessing of this model"):
        Preprocessor.from_json(values)
    with pytest.raises(InputError, match="preprocessing of this model"):
        Preprocessor.from_json({})


def test_an_image_sampled_more_finely_lands_on_the_same_scale():
    fitted = Preprocessor.fit([image(pixel_size=2.0)], DIAMETER, CONFIG, seed=0)
    with pytest.warns(InputWarning, match="1 angstrom a pixel"):
        working, _ = fitted.apply(image(shape=(192, 256), pixel_size=1.0))
    assert working.shape == fitted.apply(image(pixel_size=2.0))[0].shape
    assert fitted.rescaling(image(pixel_size=None)).shape_out == (48, 64)
    assert fitted.diameter_in(image(pixel_size=1.0)) == 2 * DIAMETER
    assert fitted.diameter_in(image(pixel_size=None)) == DIAMETER


def test_pixel_sizes_that_disagree_are_not_relied_on():
    images = [image(pixel_size=1.0), image(pixel_size=2.0)]
    assert Preprocessor.fit(images, DIAMETER, CONFIG, seed=0).pixel_size is None


def test_holes_are_filled_with_a_warning():
    fitted = Preprocessor.fit([image()], DIAMETER, CONFIG, seed=0)
    holed = image(name="holed")
    holed.array[:20] = np.nan
    with pytest.warns(InputWarning, match="holed has 2560 pixels"):
        working, _ = fitted.apply(holed)
    assert np.isfinite(working).all()


@pytest.mark.parametrize("value", [7.0, np.nan])
def test_an_empty_image_is_refused_by_name(value):
    fitted = Preprocessor.fit([image()], DIAMETER, CONFIG, seed=0)
    empty = ArrayImage(np.full((96, 128), value), "blank.mrc")
    with pytest.raises(InputError, match=r"blank\.mrc"):
        fitted.apply(empty)
    with pytest.raises(InputError, match=r"blank\.mrc"):
        Preprocessor.fit([empty, empty], DIAMETER, CONFIG, seed=0)


def test_an_empty_image_does_not_change_the_fit_of_the_others():
    empty = ArrayImage(np.ones((96, 128)), "blank.mrc")
    alone = Preprocessor.fit([image()], DIAMETER, CONFIG, seed=0)
    beside = Preprocessor.fit([image(), empty], DIAMETER, CONFIG, seed=0)
    assert beside.mixture.means == pytest.approx(alone.mixture.means, rel=0.02)


def test_no_images_and_particles_larger_than_the_image_are_refused():
    with pytest.raises(InputError, match="one image at least"):
        Preprocessor.fit([], DIAMETER, CONFIG, seed=0)
    with pytest.raises(InputError, match="diameter"):
        Preprocessor.fit([image()], 500, CONFIG, seed=0)


def test_percentiles_must_be_in_order():
    with pytest.raises(ValueError, match="clip_low"):
        PreprocessConfig(clip_low=60, clip_high=55)


@pytest.mark.slow
def test_real_micrographs_become_standard(shared_data):
    imageio = pytest.importorskip("imageio.v3")
    folder = shared_data / "micrographs" / "empiar10028_ribosome80S"
    images = [ArrayImage(imageio.imread(p), p.name) for p in sorted(folder.glob("*.png"))]
    fitted = Preprocessor.fit(images, 54, PreprocessConfig(), seed=0)
    spreads = [fitted.apply(img)[0].std() for img in images]
    assert min(spreads) > 0.8
    assert max(spreads) < 1.5
