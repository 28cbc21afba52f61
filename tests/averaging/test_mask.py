import numpy as np
import pytest

from napari_cryoml.averaging._mask import centre_of, soft_mask


@pytest.mark.parametrize("shape", [(32, 32), (24, 40), (16, 16, 16), (9, 9)])
def test_a_mask_is_one_in_the_centre_and_nothing_at_the_border(shape):
    mask = soft_mask(shape)
    assert mask.shape == shape
    assert mask[tuple(size // 2 for size in shape)] == 1
    assert mask[(0,) * len(shape)] == 0
    assert mask.min() >= 0
    assert mask.max() == 1


def test_the_weight_is_one_half_at_the_diameter():
    mask = soft_mask((65, 65), diameter=30)
    assert mask[32, 32 + 15] == pytest.approx(0.5)
    assert mask[32 + 15, 32] == pytest.approx(0.5)


def test_the_edge_stays_within_the_shortest_side_however_large_the_diameter():
    mask = soft_mask((32, 64), diameter=1000)
    assert mask[16, 0] == 0
    assert mask[0, 32] == 0


def test_the_centre_is_the_pixel_that_a_fourier_transform_leaves_in_place():
    assert centre_of((8, 9, 10)).tolist() == [4, 4, 5]
    for size in (8, 9):
        assert np.fft.fftshift(np.fft.fftfreq(size))[size // 2] == 0
