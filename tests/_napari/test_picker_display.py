import numpy as np
import pytest

from napari_cryoml._napari._picker_display import (
    contrast_limits,
    display_binning,
    prepare_display,
)
from napari_cryoml.data import ArrayImage


@pytest.mark.parametrize(
    ("shape", "binning"),
    [((100, 80), 1), ((2048, 2048), 1), ((4096, 4096), 2), ((4100, 100), 3), ((8, 512, 512), 1)],
)
def test_binning_keeps_images_small(shape, binning):
    assert display_binning(shape) == binning


def test_binned_pixels_are_means_of_blocks():
    image = np.zeros((4097, 4098), np.float32)
    image[0, 0] = 9.0
    display = prepare_display(ArrayImage(image, "a", 1.5))
    assert display.binning == 3
    assert display.array.shape == (1365, 1366)
    assert display.array[0, 0] == pytest.approx(1.0)
    assert (display.shape, display.pixel_size) == ((4097, 4098), 1.5)


def test_what_is_no_number_becomes_dark():
    image = np.arange(100, dtype=np.float32).reshape(10, 10)
    image[5, 5] = np.nan
    display = prepare_display(ArrayImage(image))
    assert np.isfinite(display.array).all()
    assert display.array[5, 5] == display.contrast_limits[0]


@pytest.mark.parametrize("value", [0.0, 5.0, np.nan])
def test_limits_of_a_flat_image_differ(value):
    low, high = contrast_limits(np.full((20, 20), value, np.float32))
    assert low < high


def test_the_source_is_not_changed():
    image = np.full((10, 10), np.nan, np.float32)
    prepare_display(ArrayImage(image))
    assert np.isnan(image).all()
