import numpy as np
import pytest

from napari_cryoml.embedding.drawing import (
    categorical,
    sequential,
    shades,
    unlabelled,
    value_limits,
)
from napari_cryoml.embedding.drawing._perception import (
    as_seen_without,
    from_linear,
    from_oklab,
    to_linear,
    to_oklab,
)


def seen_by(cone, colours):
    rgb = colours / 255
    return to_oklab(rgb if cone is None else as_seen_without(cone, rgb))


@pytest.mark.parametrize("n", [0, 1, 8, 9, 120])
def test_there_are_as_many_different_colours_as_classes(n):
    colours = categorical(n)
    assert colours.shape == (n, 3)
    assert len({tuple(colour) for colour in colours}) == n


def test_the_colours_of_few_classes_are_the_first_of_many():
    np.testing.assert_array_equal(categorical(7), categorical(100)[:7])
    np.testing.assert_array_equal(categorical(40), categorical(100)[:40])


@pytest.mark.parametrize("cone", [None, "red", "green"])
@pytest.mark.parametrize(("n", "least"), [(7, 0.07), (30, 0.03), (100, 0.012)])
def test_classes_can_be_told_apart_without_red_or_green_cones(n, least, cone):
    seen = seen_by(cone, categorical(n))
    distances = np.linalg.norm(seen[:, None] - seen[None], axis=-1)
    np.fill_diagonal(distances, 9)
    assert distances.min() > least


def test_the_eighth_is_seen_on_its_ground():
    assert categorical(8, dark=True)[7].min() == 255
    assert categorical(8, dark=False)[7].max() == 0


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize("cone", [None, "red", "green"])
def test_values_rise_in_lightness_for_everybody(dark, cone):
    lightness = seen_by(cone, sequential(dark))[:, 0]
    assert (np.diff(lightness[::4]) > 0).all()
    assert lightness[-1] - lightness[0] > 0.4


@pytest.mark.parametrize("dark", [True, False])
def test_steps_of_lightness_are_even(dark):
    steps = np.diff(seen_by(None, sequential(dark))[::16, 0])
    assert steps.max() < 1.2 * steps.min()


def test_shades_are_linear_between_the_limits():
    values = np.array([-1, 0, 0.5, 1, 7, np.nan, np.inf])
    assert shades(values, (0, 1)).tolist() == [0, 0, 128, 255, 255, -1, -1]


def test_limits_leave_out_the_extremes():
    values = np.concatenate([np.linspace(0, 1, 999), [1e9]])
    low, high = value_limits(values)
    assert 0 < low < 0.05
    assert 0.95 < high < 1


@pytest.mark.parametrize("values", [[], [np.nan], [3.0], [2.0, 2.0], [-np.inf, np.nan]])
def test_odd_values_have_limits(values):
    low, high = value_limits(np.array(values, float))
    assert low < high
    assert len(shades(np.array(values, float))) == len(values)


def test_colour_spaces_go_there_and_back():
    rgb = np.random.default_rng(0).uniform(size=(50, 3))
    np.testing.assert_allclose(from_linear(to_linear(rgb)), rgb, atol=1e-6)
    np.testing.assert_allclose(from_linear(from_oklab(to_oklab(rgb))), rgb, atol=1e-4)
    np.testing.assert_allclose(to_oklab([1, 1, 1]), [1, 0, 0], atol=1e-3)


def test_grey_stays_grey_without_cones():
    for cone in ("red", "green"):
        np.testing.assert_allclose(as_seen_without(cone, [0.5, 0.5, 0.5]), 0.5, atol=0.01)
    assert unlabelled(True) != unlabelled(False)
