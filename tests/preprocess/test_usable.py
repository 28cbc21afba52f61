"""Padding and repeated borders are found; ordinary images stay whole."""

import imagecodecs
import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.preprocess import Rescaling, fourier_rescale, usable_mask, working_shape
from napari_cryoml.simulate import MicrographConfig, simulate_micrograph

SIDE, DIAMETER = 240, 28.0


def noise(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 10, shape).astype(np.float32)


def through_jpeg(image: np.ndarray) -> np.ndarray:
    low, high = np.percentile(image, (0.1, 99.9))
    grey = np.clip((image - low) / (high - low) * 255, 0, 255).round().astype(np.uint8)
    return imagecodecs.jpeg8_decode(imagecodecs.jpeg8_encode(grey, level=85)).astype(np.float32)


def with_noise(image: np.ndarray) -> np.ndarray:
    return image + np.random.default_rng(1).normal(0, 0.5, image.shape).astype(np.float32)


def with_bands(bands, kind: str, shape=(SIDE, SIDE)) -> np.ndarray:
    """Return noise with bands at both ends of each axis, padded or repeated."""
    inner = noise(tuple(n - sum(pair) for n, pair in zip(shape, bands, strict=True)))
    if kind == "repeated":
        return np.pad(inner, bands, mode="edge")
    return np.pad(inner, bands, constant_values={"zero": 0.0, "mean": 100.0}[kind])


def box_of(mask: np.ndarray) -> list[tuple[int, int]]:
    """Return the first and last plane of each axis that is not all False; it must be solid."""
    places = np.argwhere(mask)
    low, high = places.min(axis=0), places.max(axis=0)
    assert mask[tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))].all()
    return list(zip(low.tolist(), high.tolist(), strict=True))


@pytest.mark.parametrize("changed", [lambda image: image, with_noise, through_jpeg])
@pytest.mark.parametrize("kind", ["zero", "mean", "repeated"])
@pytest.mark.parametrize("width", [5, 17, 80])
@pytest.mark.parametrize("side", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_a_band_is_masked_whole_and_nothing_else(side, width, kind, changed):
    axis, end = side
    bands = np.zeros((2, 2), int)
    bands[axis, end] = width
    mask = usable_mask(changed(with_bands(bands, kind)), DIAMETER, margin=0)
    found = box_of(mask)
    assert found[1 - axis] == (0, SIDE - 1)
    width_found = (found[axis][0], SIDE - 1 - found[axis][1])
    assert width_found[1 - end] == 0
    # A JPEG codes blocks of 8 pixels: those across the border of a band change on both sides.
    least = width - 8 if changed is through_jpeg and width % 8 else width - 1
    assert least <= width_found[end] <= width + 3


@pytest.mark.parametrize("kind", ["zero", "repeated"])
@pytest.mark.parametrize("shape", [(SIDE, SIDE), (40, 70, 60)])
def test_bands_of_several_sides_add_up(shape, kind):
    bands = [(12, 7), (0, 9), (15, 0)][-len(shape) :]
    mask = usable_mask(with_bands(bands, kind, shape), 20.0, margin=0)
    for axis, (size, pair) in enumerate(zip(shape, bands, strict=True)):
        across = tuple(slice(None) if a == axis else n // 2 for a, n in enumerate(shape))
        found = np.flatnonzero(mask[across])
        assert abs(found[0] - pair[0]) <= 1
        assert abs(size - 1 - found[-1] - pair[1]) <= 1
        assert len(found) == found[-1] - found[0] + 1


def test_wide_bands_at_both_ends_leave_what_lies_between():
    found = box_of(usable_mask(with_bands([(60, 60), (0, 0)], "repeated"), DIAMETER, margin=0))
    assert found == [(60, 179), (0, SIDE - 1)]


def test_a_thin_strip_beyond_a_band_goes_with_it():
    image = with_bands([(30, 0), (0, 0)], "repeated")
    image[:6] = noise((6, SIDE), seed=1)
    ((low, _), _) = box_of(usable_mask(image, DIAMETER, margin=0))
    assert low == 30


def test_a_band_in_the_middle_is_not_the_border():
    image = noise((SIDE, SIDE))
    image[100:104] = image[100]
    assert usable_mask(image, DIAMETER, margin=0).all()


@pytest.mark.parametrize("kind", ["zero", "mean", "repeated"])
def test_the_mask_lies_on_the_working_grid(kind):
    image = with_bands([(40, 0), (0, 20)], kind)
    step = Rescaling(image.shape, working_shape(image.shape, DIAMETER, 14))
    mask = usable_mask(image, DIAMETER, step, margin=0)
    assert mask.shape == step.shape_out == (120, 120)
    (low, high), (left, right) = box_of(mask)
    assert (high, left) == (119, 0)
    assert abs(low - 20) <= 1
    assert abs(right - 109) <= 1


def test_repeated_borders_are_seen_after_fourier_cropping_too():
    working = fourier_rescale(with_bands([(60, 0), (0, 0)], "repeated"), (120, 120))
    ((low, _), _) = box_of(usable_mask(working, 14.0, margin=0))
    assert 20 <= low <= 31


def test_centres_keep_a_margin_from_what_is_usable():
    image = with_bands([(40, 0), (0, 0)], "repeated")
    assert box_of(usable_mask(image, 40.0, margin=0.25)) == [(50, 229), (10, 229)]


def test_a_thin_volume_keeps_its_middle():
    mask = usable_mask(noise((9, 60, 60)), 40.0, margin=0.5)
    assert box_of(mask) == [(2, 6), (15, 44), (15, 44)]


def turned_frame() -> tuple[np.ndarray, np.ndarray]:
    """Return noise in a diamond on a ground of zeros, and how far each pixel lies inside it."""
    y, x = np.indices((SIDE, SIDE)) - SIDE // 2
    inside_px = 150 / np.sqrt(2) - (np.abs(y) + np.abs(x)) / np.sqrt(2)
    return np.where(inside_px > 0, noise((SIDE, SIDE)), 0).astype(np.float32), inside_px


def test_corners_of_a_turned_frame_are_masked_with_the_margin():
    image, inside_px = turned_frame()
    mask = usable_mask(image, DIAMETER, margin=0.5)
    stride_px = DIAMETER / 7
    off_sides = np.zeros(image.shape, bool)
    off_sides[15:-15, 15:-15] = True
    assert not mask[inside_px < 0].any()
    assert mask[(inside_px > 14 + 2 * stride_px) & off_sides].all()


def test_a_turned_frame_is_masked_on_the_working_grid():
    image, inside_px = turned_frame()
    mask = usable_mask(image, DIAMETER, Rescaling(image.shape, (120, 120)))
    assert not mask[inside_px[::2, ::2] < 0].any()
    assert mask[4:-4, 4:-4][inside_px[8:-8:2, 8:-8:2] > DIAMETER / 2].all()


def test_pixels_that_are_not_finite_are_padding():
    image = noise((SIDE, SIDE))
    image[:30] = np.nan
    image[:, -20:] = np.inf
    (top, bottom), (left, right) = box_of(usable_mask(image, DIAMETER, margin=0))
    assert (bottom, left) == (239, 0)
    assert abs(top - 30) <= 2
    assert abs(right - 219) <= 2


def test_a_single_bad_pixel_or_row_masks_nothing():
    image = noise((SIDE, SIDE))
    image[3, 4], image[50, 60] = np.nan, 1e9
    image[1] = image[0]
    assert usable_mask(image, DIAMETER, margin=0).all()


@pytest.mark.parametrize("shape", [(32, 32), (8, 9, 10)])
@pytest.mark.parametrize("value", [0.0, 7.0, np.nan])
def test_an_image_of_one_value_shows_nothing(shape, value):
    mask = usable_mask(np.full(shape, value, np.float32), 8.0)
    assert mask.shape == shape
    assert not mask.any()


@pytest.mark.parametrize("axis", [0, 1])
def test_stripes_from_border_to_border_are_all_repeats(axis):
    rows = np.repeat(noise((1, 60)), 50, axis=0)
    assert not usable_mask(rows if axis == 0 else rows.T, 8.0).any()


@pytest.mark.parametrize("shape", [(1, 50), (2, 50), (1, 30, 30)])
def test_axes_of_hardly_any_planes_have_no_bands(shape):
    assert usable_mask(noise(shape), 8.0, margin=0).all()


def test_integers_do_not_wrap_around():
    image = noise((SIDE, SIDE)).astype(np.uint8)
    image[:20] = 0
    assert box_of(usable_mask(image, DIAMETER, margin=0))[0] == (19, 239)


def test_wrong_arguments_are_refused():
    image = noise((32, 32))
    with pytest.raises(InputError, match="starts at an image of shape"):
        usable_mask(image, 8.0, Rescaling((16, 16), (8, 8)))
    with pytest.raises(InputError, match="diameter above 0"):
        usable_mask(image, 0.0)
    with pytest.raises(InputError, match="margin of 0"):
        usable_mask(image, 8.0, margin=-1)


def micrograph(seed: int) -> tuple[np.ndarray, float]:
    """Return one of any kind: all contaminants, much or little contrast and smooth noise."""
    rng = np.random.default_rng(seed)
    diameter = float(rng.uniform(14, 40))
    shape = (int(rng.integers(128, 220)), int(rng.integers(128, 220)))
    config = MicrographConfig(
        shape=shape,
        diameter=diameter,
        n_particles=int(np.prod(shape) / diameter**2 / 4),
        snr=float(np.exp(rng.uniform(np.log(0.05), np.log(3)))),
        coloured_noise=float(rng.uniform(0, 0.9)),
        gold=2,
        ice=2,
        carbon=0.5,
        structure=seed % 5,
    )
    return simulate_micrograph(config, seed).image, diameter


def assert_whole(seed: int) -> None:
    image, diameter = micrograph(seed)
    for version in (image, through_jpeg(image)):
        assert usable_mask(version, diameter, margin=0).all()
        step = Rescaling(image.shape, working_shape(image.shape, diameter, 14))
        assert usable_mask(version, diameter, step, margin=0).all()
        assert usable_mask(fourier_rescale(version, step.shape_out), 14.0, margin=0).all()


@pytest.mark.parametrize("seed", range(20))
def test_ordinary_micrographs_stay_whole(seed):
    assert_whole(seed)


@pytest.mark.slow
def test_two_hundred_micrographs_stay_whole():
    for seed in range(20, 220):
        assert_whole(seed)
