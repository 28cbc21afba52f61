"""A band filters an image onto a coarser grid without moving it."""

import numpy as np
import pytest
import torch

from napari_cryoml.features._band import Band


def waves(shape: tuple[int, ...], stride: int) -> np.ndarray:
    """Return what a mirror continues without a kink, well below what the grid can hold."""
    image = np.ones(shape, np.float32)
    for axis, size in enumerate(shape):
        # Half-sample symmetric about both ends, as the mirrored border is.
        place = (np.arange(size) + 0.5).reshape([-1 if i == axis else 1 for i in range(len(shape))])
        image = image * (1.5 + np.cos(np.pi * place * (size // (6 * stride)) / size))
    return image.astype(np.float32)


def filtered(image: np.ndarray, band: Band, gain=1.0) -> np.ndarray:
    return band.inverse(band.crop(torch.fft.rfftn(torch.from_numpy(band.pad(image)))) * gain)


def every(image: np.ndarray, stride: int) -> np.ndarray:
    return image[(slice(None, None, stride),) * image.ndim]


@pytest.mark.parametrize("shape", [(60, 47), (47, 60), (25, 31, 30), (24, 24, 24)])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_without_a_filter_grid_point_i_is_pixel_stride_i(shape, stride):
    # A long margin: the transform repeats the padded image, so its ends do not meet smoothly.
    image = waves(shape, stride)
    band = Band.of(shape, stride, 24)
    found = np.asarray(filtered(image, band))
    assert found.shape == tuple(-(-size // stride) for size in shape)
    np.testing.assert_allclose(found, every(image, stride), atol=0.04 * np.ptp(image))


@pytest.mark.parametrize("shape", [(20, 20), (21, 17), (12, 9, 11)])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_periodic_band_limited_image_passes_unchanged(shape, stride):
    """Built on the padded grid, so that it is periodic there: equal to rounding."""
    band = Band.of(shape, stride, 7)
    padded = np.zeros([n * stride for n in band.coarse])
    for axis, n in enumerate(band.coarse):
        turn = np.arange(n * stride) / (n * stride) * 2 * np.pi * ((n - 1) // 2)
        padded = padded + np.cos(turn + axis).reshape(
            [-1 if other == axis else 1 for other in range(len(shape))]
        )
    found = band.inverse(band.crop(torch.fft.rfftn(torch.from_numpy(padded)))).numpy()
    inner = tuple(slice(band.margin, band.margin + size) for size in shape)
    np.testing.assert_allclose(found, every(padded[inner], stride), atol=1e-10)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [32, 33])
def test_a_blob_stays_in_its_place(stride, size):
    y, x = np.indices((size, size + 1))
    image = np.exp(-((y - 12) ** 2 + (x - 18) ** 2) / 32).astype(np.float32)
    found = np.asarray(filtered(image, Band.of(image.shape, stride, 10)))
    assert np.unravel_index(found.argmax(), found.shape) == (12 // stride, 18 // stride)


@pytest.mark.parametrize("shape", [(5, 4), (3, 4, 2), (1, 1)])
def test_the_padding_is_the_mirror_image_also_where_it_is_longer_than_the_image(shape):
    image = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    band = Band.of(shape, 2, 11)
    padded = band.pad(image)
    assert padded.shape == tuple(2 * n for n in band.coarse)
    index = [np.arange(n) - band.margin for n in padded.shape]
    folded = [i % (2 * s) for i, s in zip(index, shape, strict=True)]
    mirrored = [np.where(i < s, i, 2 * s - 1 - i) for i, s in zip(folded, shape, strict=True)]
    np.testing.assert_array_equal(padded, image[np.ix_(*mirrored)])


@pytest.mark.parametrize("reach", [0, 0.1, 5, 6, 6.5])
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_the_margin_is_long_enough_and_keeps_to_the_grid(stride, reach):
    band = Band.of((10, 13), stride, reach)
    assert band.margin % stride == 0
    assert reach <= band.margin < reach + stride
    for size, n in zip(band.shape, band.coarse, strict=True):
        assert n * stride - size - band.margin >= reach


@pytest.mark.parametrize("shape", [(12, 15), (8, 9, 10)])
def test_frequencies_and_directions_are_those_of_the_transform(shape):
    band = Band.of(shape, 2, 3)
    axes = [np.fft.fftfreq(2 * n, 1)[np.r_[: (n + 1) // 2, -(n // 2) : 0]] for n in band.coarse]
    axes[-1] = np.fft.rfftfreq(2 * band.coarse[-1], 1)[: band.coarse[-1] // 2 + 1]
    grid = np.meshgrid(*axes, indexing="ij")
    length = np.sqrt(np.square(grid).sum(axis=0))
    np.testing.assert_allclose(band.length, length, atol=1e-12)
    assert band.bins(64).tolist() == np.rint(length * 64).astype(int).tolist()
    for part, direction in zip(grid, band.directions(), strict=True):
        np.testing.assert_allclose(direction * length, part, atol=1e-12)


def test_a_constant_stays_what_it_is():
    image = np.full((9, 7), 3.5, np.float32)
    np.testing.assert_allclose(filtered(image, Band.of(image.shape, 2, 4)), 3.5, rtol=1e-6)
