import itertools

import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.objectives import class_prior, labelled_fraction, pixels_in_ball


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("radius", [0, 0.9, 1, 1.5, 2, 3, 4.3, 7])
def test_a_ball_is_counted_like_one_pixel_after_the_other(radius, ndim):
    reach = range(-8, 9)
    places = itertools.product(reach, repeat=ndim)
    expected = sum(sum(i * i for i in place) <= radius**2 for place in places)
    assert pixels_in_ball(radius, ndim) == expected


def test_the_usual_disc_and_ball():
    assert pixels_in_ball(3, 2) == 29
    assert pixels_in_ball(3, 3) == 123


def test_labelled_fraction():
    assert labelled_fraction(10, 3, 29_000, 2) == 0.01
    assert labelled_fraction(10, 3, 123_000, 3) == 0.01
    assert labelled_fraction(0, 3, 100, 2) == 0
    assert labelled_fraction(1000, 3, 100, 2) == 1


@pytest.mark.parametrize(("shape", "disc"), [((100, 290), 29), ((10, 30, 41), 123)])
def test_prior_of_all_pixels(shape, disc):
    pixels = 1
    for n in shape:
        pixels *= n
    assert class_prior(40, 3, [shape, shape]) == pytest.approx(40 * disc / (2 * pixels))


def test_prior_of_what_the_labels_leave():
    found = class_prior(40, 3, [(100, 100)], n_labels=10)
    assert found == pytest.approx(30 * 29 / (10_000 - 10 * 29))


@pytest.mark.parametrize(
    ("expected", "n_labels", "shapes", "sentence"),
    [
        (10, 10, [(100, 100)], "10 are labelled: raise"),
        (0, 0, [(100, 100)], "raise the expected number"),
        (10_000, 0, [(100, 100)], "do not fit"),
        (10, 9, [(10, 10)], "do not fit"),
        (10, 0, [], "at least one image"),
        (10, 0, [(0, 5)], "at least one image"),
    ],
)
def test_what_cannot_be(expected, n_labels, shapes, sentence):
    with pytest.raises(InputError, match=sentence):
        class_prior(expected, 3, shapes, n_labels=n_labels)
