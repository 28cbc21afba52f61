import numpy as np
import pytest

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.preprocess import percentile_normalise
from napari_cryoml.preprocess._intensity import clip_percentiles, mend, thin, without_hot_pixels


@pytest.mark.parametrize("shape", [(50, 60), (12, 14, 16)])
def test_percentile_normalise_gives_mean_0_and_deviation_1(shape):
    image = np.random.default_rng(0).normal(100, 7, shape)
    image.flat[0] = 1e9
    normal = percentile_normalise(image)
    assert normal.dtype == np.float32
    assert normal.mean() == pytest.approx(0, abs=1e-4)
    assert normal.std() == pytest.approx(1, abs=1e-4)
    assert normal.max() < 5


def test_percentile_normalise_does_not_depend_on_scale_and_offset():
    image = np.random.default_rng(0).normal(size=(40, 40))
    np.testing.assert_allclose(
        percentile_normalise(image), percentile_normalise(3 * image - 20), atol=1e-4
    )


def test_a_flat_ground_with_one_bright_pixel_is_still_finite():
    image = np.zeros((40, 40))
    image[3, 4] = 5
    assert np.isfinite(percentile_normalise(image, 5, 95)).all()


def test_a_constant_image_is_refused():
    with pytest.raises(InputError, match="single value"):
        percentile_normalise(np.full((4, 4), 2.0))


def test_clipping_is_at_the_percentiles_and_can_be_off():
    image = np.arange(101.0).reshape(1, 101)
    clipped = clip_percentiles(image, 10, 80)
    assert (clipped.min(), clipped.max()) == (10, 80)
    np.testing.assert_array_equal(clip_percentiles(image, 0, 100), image)


def test_hot_pixels_are_drawn_in_and_gold_is_left():
    image = np.random.default_rng(0).normal(100, 5, (100, 100)).astype(np.float32)
    image[40:48, 40:48] = 10  # gold
    tamed = image.copy()
    tamed[5, 5], tamed[9, 9] = 1e6, -1e6
    tamed = without_hot_pixels(tamed)
    assert np.abs(tamed).max() < 400
    untouched = np.ones(image.shape, bool)
    untouched[[5, 9], [5, 9]] = False
    np.testing.assert_array_equal(tamed[untouched], image[untouched])


def test_holes_get_the_median():
    image = np.array([[1, 2, 3], [np.nan, np.inf, 2]], np.float32)
    with pytest.warns(InputWarning, match="mic has 2 pixels"):
        mended = mend(image, "mic")
    assert mended.tolist() == [[1, 2, 3], [2, 2, 2]]


@pytest.mark.parametrize("value", [np.nan, 3.0])
def test_images_without_content_are_refused_by_name(value):
    with pytest.raises(InputError, match="mic holds"):
        mend(np.full((3, 3), value, np.float32), "mic")


def test_thinning_sees_every_column():
    image = np.broadcast_to(np.arange(2048.0), (2048, 2048))
    assert thin(image).mean() == pytest.approx(1023.5, rel=1e-3)
    assert len(thin(image)) < image.size / 3
