import numpy as np
import pytest
from matplotlib.path import Path

from napari_cryoml.embedding.drawing import lasso_mask, rectangle_mask

SQUARE = [(0, 0), (2, 0), (2, 2), (0, 2)]


def star(n, seed=0):
    """A polygon whose edges cross."""
    rng = np.random.default_rng(seed)
    angles = np.linspace(0, 6 * np.pi, n, endpoint=False)
    radii = rng.uniform(0.2, 1.0, n)
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)


def distance_to_edges(points, polygon):
    starts, ends = polygon, np.roll(polygon, -1, axis=0)
    best = np.full(len(points), np.inf)
    for start, end in zip(starts, ends, strict=True):
        along = end - start
        share = np.clip((points - start) @ along / (along @ along), 0, 1)
        best = np.minimum(best, np.linalg.norm(points - start - share[:, None] * along, axis=1))
    return best


def even_odd(points, polygon):
    """A plain reference: count the edges to the right of each point."""
    inside = []
    for x, y in points:
        crossings = 0
        for (ax, ay), (bx, by) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
            if (ay > y) != (by > y) and x < ax + (y - ay) * (bx - ax) / (by - ay):
                crossings += 1
        inside.append(crossings % 2 == 1)
    return np.array(inside)


def test_a_square_holds_what_lies_within():
    points = [(1, 1), (3, 1), (1, -1), (0.1, 1.9), (np.nan, 1), (1, np.inf)]
    assert lasso_mask(np.array(points), SQUARE).tolist() == [True, False, False, True, False, False]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("n", [500, 20_000])
def test_it_is_matplotlibs_answer_away_from_the_edges(n, kind):
    angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    radii = 0.6 + 0.2 * np.sin(7 * angles)
    polygon = np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)
    points = np.random.default_rng(1).uniform(-1.2, 1.2, (n, 2)).astype(kind)
    clear = distance_to_edges(points, polygon) > 1e-6
    expected = Path(polygon).contains_points(points)
    np.testing.assert_array_equal(lasso_mask(points, polygon)[clear], expected[clear])
    assert 0 < expected.sum() < n


@pytest.mark.parametrize("n_corners", [3, 5, 40])
def test_lines_that_cross_count_by_the_even_odd_rule(n_corners):
    polygon = star(n_corners)
    points = np.random.default_rng(2).uniform(-1, 1, (4000, 2))
    np.testing.assert_array_equal(lasso_mask(points, polygon), even_odd(points, polygon))


def test_many_points_and_few_get_the_same_answer():
    polygon = star(30, seed=3)
    points = np.random.default_rng(4).normal(size=(30_000, 2)).astype(np.float32)
    whole = lasso_mask(points, polygon)
    parts = np.concatenate([lasso_mask(part, polygon) for part in np.array_split(points, 60)])
    np.testing.assert_array_equal(whole, parts)


def test_neither_the_first_corner_nor_the_direction_matters():
    polygon = star(9)
    points = np.random.default_rng(5).uniform(-1, 1, (3000, 2))
    mask = lasso_mask(points, polygon)
    np.testing.assert_array_equal(mask, lasso_mask(points, np.roll(polygon, 4, axis=0)))
    np.testing.assert_array_equal(mask, lasso_mask(points, polygon[::-1]))


@pytest.mark.parametrize(
    "polygon",
    [
        [],
        [(1, 1)],
        [(0, 0), (2, 2)],
        [(1, 1)] * 5,
        [(0, 1), (2, 1), (1, 1)],
        [(0, 0), (np.nan, 1), (1, 0)],
    ],
)
def test_an_outline_without_area_holds_nothing(polygon):
    points = np.array([[1.0, 1.0], [0.0, 0.0], [0.5, 0.5]])
    assert not lasso_mask(points, polygon).any()


def test_a_slanted_line_holds_nothing():
    points = np.random.default_rng(6).uniform(0, 1, (5000, 2))
    assert not lasso_mask(points, [(0, 0), (1, 1), (0.5, 0.5)]).any()


def test_no_points_give_an_empty_mask():
    assert lasso_mask(np.empty((0, 2)), SQUARE).shape == (0,)
    assert rectangle_mask(np.empty((0, 2)), (0, 0), (1, 1)).shape == (0,)


def test_a_rectangle_may_be_given_by_any_two_opposite_corners():
    points = np.array([[0.5, 0.5], [1, 1], [2, 0.5], [np.nan, 0.5]])
    for corner, opposite in (((0, 0), (1, 1)), ((1, 0), (0, 1)), ((1, 1), (0, 0))):
        assert rectangle_mask(points, corner, opposite).tolist() == [True, True, False, False]
