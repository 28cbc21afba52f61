import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import resample

from napari_cryoml._errors import InputError
from napari_cryoml.preprocess import Rescaling, fourier_rescale, working_shape


def separable_reference(image, shape):
    for axis, size in enumerate(shape):
        image = resample(image, size, axis=axis)
    return image


@pytest.mark.parametrize(
    ("shape_in", "shape_out"),
    [
        ((12, 16), (6, 8)),
        ((13, 16), (6, 7)),
        ((12, 15), (5, 8)),
        ((9, 9), (8, 8)),
        ((10, 9), (10, 4)),
        ((10, 9), (4, 9)),
        ((6, 7, 8), (3, 4, 6)),
        ((9, 5, 12), (4, 5, 5)),
        ((7, 7), (1, 1)),
    ],
)
def test_agrees_with_resampling_each_axis(shape_in, shape_out):
    image = np.random.default_rng(0).normal(5, 1, shape_in)
    coarse = fourier_rescale(image, shape_out)
    assert coarse.dtype == np.float32
    np.testing.assert_allclose(coarse, separable_reference(image, shape_out), atol=1e-5)


@pytest.mark.parametrize("shape", [(20, 30), (8, 10, 12)])
def test_mean_is_kept_and_own_shape_changes_nothing(shape):
    image = np.random.default_rng(1).normal(1000, 1, shape).astype(np.float32)
    half = fourier_rescale(image, [size // 2 for size in shape])
    assert half.mean() == pytest.approx(image.mean(), rel=1e-6)
    np.testing.assert_allclose(fourier_rescale(image, shape), image, rtol=1e-6)


def test_an_axis_never_grows():
    image = np.arange(12.0).reshape(3, 4)
    assert fourier_rescale(image, (9, 2)).shape == (3, 2)


@pytest.mark.parametrize(("size", "new"), [(767, 47), (768, 50), (1001, 250)])
def test_a_blob_far_out_lands_where_the_rescaling_says(size, new):
    where, sigma = np.array([0.85, 0.8]) * size, 1.5 * size / new
    rescaling = Rescaling((size, size), (new, new))

    def blob(y, x):
        return np.exp(-((y - where[0]) ** 2 + (x - where[1]) ** 2) / (2 * sigma**2))

    coarse = fourier_rescale(blob(*np.mgrid[:size, :size]), (new, new))
    there = rescaling.inverse(np.indices((new, new)).reshape(2, -1).T).T
    np.testing.assert_allclose(coarse, blob(*there).reshape(new, new), atol=1e-3)


@given(
    shapes=st.lists(st.tuples(st.integers(1, 5000), st.integers(1, 5000)), min_size=2, max_size=3),
    position=st.floats(-10, 5000, allow_subnormal=False),
)
def test_inverse_undoes_forward(shapes, position):
    rescaling = Rescaling(tuple(a for a, _ in shapes), tuple(b for _, b in shapes))
    positions = np.full((3, len(shapes)), position)
    there_and_back = rescaling.inverse(rescaling.forward(positions))
    np.testing.assert_allclose(there_and_back, positions, rtol=1e-12)
    assert rescaling.forward(np.zeros((1, len(shapes)))).tolist() == [[0.0] * len(shapes)]


def test_rescaling_takes_no_positions():
    rescaling = Rescaling((10, 10), (5, 5))
    assert rescaling.inverse(np.empty((0, 2))).shape == (0, 2)


def test_working_shape_gives_the_particle_its_working_diameter():
    assert working_shape((1024, 2048), 56, 14) == (256, 512)
    assert working_shape((100, 100, 30), 20, 10) == (50, 50, 15)
    assert working_shape((7676, 7420), 224, 14) == (480, 464)


def test_small_particles_do_not_enlarge_the_image():
    assert working_shape((100, 90), 5, 14) == (100, 90)


def test_a_thin_axis_keeps_one_pixel():
    assert working_shape((2, 400, 400), 100, 10) == (1, 40, 40)


@pytest.mark.parametrize("diameter", [0, -3, 101, float("nan")])
def test_an_impossible_diameter_is_refused(diameter):
    with pytest.raises(InputError, match="particle diameter"):
        working_shape((100, 90), diameter, 14)
