import numpy as np
import pytest
from pydantic import ValidationError

from napari_cryoml._errors import InputError
from napari_cryoml.preprocess import SegmentConfig, segment_cells


def _discs(centres, radius=8, shape=(64, 80), bright=100.0):
    grid = np.indices(shape)
    image = np.full(shape, 10.0)
    for y, x in centres:
        image[(grid[0] - y) ** 2 + (grid[1] - x) ** 2 <= radius**2] = bright
    return image


CENTRES = [(20, 20), (20, 50), (45, 35)]


def test_discs_are_cells() -> None:
    labels = segment_cells(_discs(CENTRES), SegmentConfig(smooth=1))
    assert labels.dtype == np.int32
    assert sorted(np.unique(labels)) == [0, 1, 2, 3]
    assert len({labels[centre] for centre in CENTRES}) == 3
    areas = np.bincount(labels.ravel())[1:]
    np.testing.assert_allclose(areas, np.pi * 8**2, rtol=0.3)


def test_one_cell_far_brighter_than_the_rest_does_not_hide_them() -> None:
    image = _discs(CENTRES) + np.random.default_rng(0).normal(0, 2, (64, 80))
    image[_discs(CENTRES[:1]) > 50] = 2_000
    labels = segment_cells(image)
    assert labels.max() == 3
    assert all(labels[centre] for centre in CENTRES)


@pytest.mark.parametrize(("split", "n"), [("distance", 2), ("none", 1)])
def test_touching_discs_are_taken_apart(split, n) -> None:
    image = _discs([(32, 30), (32, 44)])
    labels = segment_cells(image, SegmentConfig(smooth=1, split=split))
    assert labels.max() == n
    if n == 2:
        assert labels[32, 30] != labels[32, 44]
        left, right = np.bincount(labels.ravel())[1:]
        assert abs(left - right) <= 0.1 * left


def test_bright_middles_take_nuclei_apart() -> None:
    y, x = np.indices((40, 60))
    image = np.exp(-((y - 20) ** 2 + (x - 20) ** 2) / 60) + np.exp(
        -((y - 20) ** 2 + (x - 36) ** 2) / 60
    )
    labels = segment_cells(image, SegmentConfig(smooth=0, split="intensity", threshold=0.5))
    assert labels.max() == 2
    assert (labels[20, 20], labels[20, 36]) in ((1, 2), (2, 1))


def test_small_pieces_and_cells_at_the_border_are_left_out() -> None:
    image = _discs([(32, 40), (0, 10)])
    image[60:63, 70:73] = 100
    both = segment_cells(image, SegmentConfig(smooth=0.5, smallest=20))
    assert both.max() == 2
    assert both[61, 71] == 0
    inner = segment_cells(image, SegmentConfig(smooth=0.5, smallest=20, drop_border=True))
    assert inner.max() == 1
    assert inner[32, 40] == 1


def test_a_hole_belongs_to_its_cell() -> None:
    image = _discs([(32, 40)], radius=10)
    image[30:35, 38:43] = 10
    assert segment_cells(image, SegmentConfig(smooth=0.5))[32, 40] == 1


def test_a_lower_threshold_makes_cells_larger() -> None:
    y, x = np.indices((50, 50))
    image = np.exp(-((y - 25) ** 2 + (x - 25) ** 2) / 100)
    areas = [(segment_cells(image, SegmentConfig(threshold=t)) > 0).sum() for t in (0.5, 1, 1.5)]
    assert areas[0] > areas[1] > areas[2] > 0


def test_uneven_light_is_taken_off() -> None:
    image = _discs(CENTRES, bright=40) + 2.0 * np.indices((64, 80))[1]
    assert segment_cells(image, SegmentConfig(smooth=1, flatten=20)).max() >= 3
    labels = segment_cells(image, SegmentConfig(smooth=1, flatten=20))
    assert all(labels[centre] for centre in CENTRES)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float64, bool])
def test_any_type_of_number(dtype) -> None:
    image = (_discs(CENTRES) > 50).astype(dtype)
    assert segment_cells(image, SegmentConfig(smooth=1)).max() == 3


@pytest.mark.parametrize("value", [0, 7.5])
def test_an_image_of_one_value_has_no_cells(value) -> None:
    assert not segment_cells(np.full((20, 30), value)).any()


def test_pixels_that_are_not_finite_are_passed_over() -> None:
    image = _discs(CENTRES)
    image[0, 0], image[5, 5] = np.nan, np.inf
    assert segment_cells(image, SegmentConfig(smooth=1)).max() == 3


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (np.zeros((2, 5, 5)), "one channel of axes"),
        (np.zeros((0, 5)), "one channel of axes"),
        (np.full((5, 5), np.nan), "no finite pixel"),
        (np.full((5, 5), "a"), "one channel of axes"),
    ],
)
def test_what_is_no_channel_is_a_sentence(image, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        segment_cells(image)


@pytest.mark.parametrize("options", [{"smooth": -1}, {"threshold": 0}, {"split": "x"}])
def test_options_have_bounds(options) -> None:
    with pytest.raises(ValidationError):
        SegmentConfig(**options)


@pytest.mark.parametrize("radius", [6, 14])
def test_the_spacing_follows_the_size_of_the_cells(radius) -> None:
    centres = [(32, 20), (32, 20 + int(2 * radius)), (32, 70)]
    image = _discs(centres, radius, shape=(64, 96)) + np.random.default_rng(0).normal(
        0, 3, (64, 96)
    )
    labels = segment_cells(image)
    assert labels.max() == 3
    assert len({labels[centre] for centre in centres}) == 3
