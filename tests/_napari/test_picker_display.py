import numpy as np
import pytest
import tifffile

from napari_cryoml import io
from napari_cryoml._napari._picker_display import (
    contrast_limits,
    display_binning,
    prepare_display,
    some_slices,
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


def stored(folder, shape, dtype=np.float32):
    values = np.random.default_rng(0).normal(0, 20, shape).astype(dtype)
    if dtype == np.float32:
        io.write_mrc(folder / "a.mrc", values, 4.0)
        return io.open_image(folder / "a.mrc")
    layout = {"metadata": {"axes": "ZYX"}, "photometric": "minisblack"}
    tifffile.imwrite(folder / "a.tif", values, **layout)
    return io.open_image(folder / "a.tif")


@pytest.mark.parametrize("dtype", [np.float32, np.uint16])
def test_a_volume_is_left_on_disk(tmp_path, dtype):
    image = stored(tmp_path, (7, 40, 30), dtype)
    display = prepare_display(image)
    assert isinstance(display.array, np.memmap)
    assert (display.array.shape, display.binning) == ((7, 40, 30), 1)
    low, high = np.percentile(image.read(), (0.5, 99.5))
    assert np.allclose(display.contrast_limits, (low, high), rtol=0.1, atol=1)


def test_a_volume_of_a_slow_type_or_a_large_side_is_read(tmp_path):
    assert prepare_display(stored(tmp_path, (3, 20, 30), np.float64)).array.dtype == np.float32
    wide = prepare_display(stored(tmp_path, (2, 8, 2050)))
    assert (wide.binning, wide.array.shape) == (2, (1, 4, 1025))


def test_some_slices_of_a_volume_are_not_its_outermost():
    volume = np.arange(50)[:, None, None] * np.ones((1, 2, 2))
    found = np.unique(some_slices(volume))
    assert len(found) == 5
    assert 0 < found.min() < found.max() < 49
    assert some_slices(np.zeros((1, 4, 4))).shape == (4, 4)
