import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.averaging import thumbnails
from napari_cryoml.averaging._thumbnails import PictureCache, crossed


def ramp(side=32, channels=1, n=2):
    row = np.linspace(-5, 5, side, dtype=np.float32)
    return np.broadcast_to(row, (n, channels, side, side)).copy()


@pytest.mark.parametrize("side", [16, 32, 48])
def test_grey_crops_are_stretched_from_black_to_white(side):
    found = thumbnails(ramp(), side, smooth=0)
    assert found.shape == (2, side, side)
    assert found.dtype == np.uint8
    assert found[0, :, 0].max() <= 5
    assert found[0, :, -1].min() >= 250
    assert (np.diff(found[0, 0].astype(int)) >= 0).all()


def test_one_bright_pixel_does_not_darken_the_rest():
    crop = ramp()
    crop[0, 0, 3, 3] = 1e6
    assert thumbnails(crop, 32, smooth=0)[0, 20, 28] > 150


def test_each_crop_has_its_own_contrast():
    crops = ramp()
    crops[1] = 1000 + 0.1 * crops[1]
    found = thumbnails(crops, 32)
    assert found[0] == pytest.approx(found[1], abs=1)


def test_a_volume_shows_its_central_section():
    volume = np.zeros((1, 1, 9, 16, 16), np.float32)
    volume[0, 0, 4] = ramp(16)[0, 0]
    volume[0, 0, 0] = -ramp(16)[0, 0]
    assert thumbnails(volume, 16, smooth=0)[0] == pytest.approx(
        thumbnails(ramp(16), 16, smooth=0)[0]
    )


def test_of_two_channels_one_is_green_and_the_other_magenta():
    crops = np.zeros((1, 2, 16, 16), np.float32)
    crops[0, 0, :, :8] = 1
    crops[0, 1, :8] = 1
    found = thumbnails(crops, 16, smooth=0)[0]
    assert found.shape == (16, 16, 3)
    assert found[12, 2].tolist() == [0, 255, 0]
    assert found[2, 12].tolist() == [255, 0, 255]
    assert found[2, 2].tolist() == [255, 255, 255]
    assert found[12, 12].tolist() == [0, 0, 0]


def test_of_more_channels_the_first_three_are_red_green_and_blue():
    crops = ramp(16, channels=5, n=1)
    crops[0, 1] *= -1
    found = thumbnails(crops, 16, smooth=0)[0]
    assert found[8, 15].tolist() == [255, 0, 255]


def test_uneven_sides_leave_black_margins():
    crops = np.broadcast_to(np.linspace(0, 1, 32), (1, 1, 16, 32)).astype(np.float32)
    found = thumbnails(crops, 32)[0]
    assert not found[:8].any()
    assert not found[24:].any()
    assert found[16, -1] > 200


def test_even_crops_are_grey_and_unusable_ones_crossed():
    crops = ramp(16, n=3)
    crops[0] = 4
    crops[1, 0, 2, 2] = np.nan
    found = thumbnails(crops, 16, smooth=0)
    assert (found[0] == 128).all()
    assert (found[1] == crossed(16)).all()
    assert found[2, 8, 15] > 250


def test_noise_is_smoothed():
    noise = np.random.default_rng(0).normal(size=(1, 1, 64, 64)).astype(np.float32)
    rough, smooth = (thumbnails(noise, 64, smooth)[0].astype(float) for smooth in (0, 2))
    assert np.abs(np.diff(smooth)).mean() < np.abs(np.diff(rough)).mean() / 2


def test_no_crops_are_no_trouble():
    assert thumbnails(np.zeros((0, 1, 16, 16), np.float32), 32).shape == (0, 32, 32)
    assert thumbnails(np.zeros((0, 2, 16, 16), np.float32), 32).shape == (0, 32, 32, 3)


@pytest.mark.parametrize("side", [0, 7, 10_000])
def test_absurd_sizes_are_refused(side):
    with pytest.raises(InputError, match="wide"):
        thumbnails(ramp(), side)


def test_a_crossed_picture_is_the_same_from_all_sides():
    picture = crossed(32)
    assert len(np.unique(picture)) == 2
    assert (picture == picture[::-1]).all()
    assert (picture == picture.T).all()
    assert (crossed(32, 3) == picture[..., None]).all()


class TestCache:
    def picture(self, value):
        return np.full((1, 4, 4), value, np.uint8)

    def test_keeps_what_was_put(self):
        cache = PictureCache(1000)
        cache.put(["a"], self.picture(3))
        assert (cache.get("a") == 3).all()
        assert cache.get("b") is None

    def test_stays_within_its_bound_and_forgets_what_was_not_asked_for(self):
        cache = PictureCache(40)  # room for two
        cache.put(["a"], self.picture(1))
        cache.put(["b"], self.picture(2))
        cache.get("a")
        cache.put(["c"], self.picture(3))
        assert cache.get("b") is None
        assert cache.get("a") is not None
        assert cache.n_bytes == 32
        assert len(cache) == 2

    def test_counts_a_picture_that_is_put_again_once(self):
        cache = PictureCache(40)
        for _ in range(5):
            cache.put(["a"], self.picture(1))
        assert cache.n_bytes == 16
