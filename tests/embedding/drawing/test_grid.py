import numpy as np
import pytest

from napari_cryoml.embedding.drawing._grid import PointGrid


@pytest.fixture
def points():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(3000, 2)).astype(np.float32)
    points[17] = np.nan
    points[18] = (1e5, -1e5)
    return points


def test_every_finite_row_is_there_once_with_its_place(points):
    grid = PointGrid(points)
    assert sorted(grid.rows) == [row for row in range(3000) if row != 17]
    np.testing.assert_array_equal(grid.x, points[grid.rows, 0])
    np.testing.assert_array_equal(grid.y, points[grid.rows, 1])


@pytest.mark.parametrize(
    "extent", [(-0.5, 0.3, 0.1, 0.9), (-9, 9, 0, 0.01), (2, 1e6, -1e6, 1e6), (50, 60, 50, 60)]
)
def test_slices_hold_all_points_of_a_part_of_the_map(points, extent):
    grid = PointGrid(points)
    left, right, bottom, top = extent
    found = np.concatenate([grid.rows[part] for part in grid.slices(extent)] or [[]])
    x, y = points.T
    wanted = np.flatnonzero((x >= left) & (x <= right) & (y >= bottom) & (y <= top))
    assert set(wanted) <= set(found)
    assert len(found) == len(set(found))


def test_a_small_part_is_a_few_points(points):
    grid = PointGrid(points)
    found = sum(part.stop - part.start for part in grid.slices((0.1, 0.2, 0.1, 0.2)))
    assert found < 100


def test_the_nearest_is_the_nearest(points):
    grid = PointGrid(points)
    for x, y in np.random.default_rng(1).normal(size=(30, 2)):
        distances = np.hypot(points[:, 0] - x, points[:, 1] - y)
        best = int(np.nanargmin(distances))
        expected = best if distances[best] <= 0.05 else -1
        assert grid.nearest(x, y, 0.05) == expected


def test_points_beyond_the_grid_are_found_too(points):
    assert PointGrid(points).nearest(1e5, -1e5, 1.0) == 18


def test_a_subset_is_a_grid_of_those_points(points):
    grid = PointGrid(points)
    mask = grid.x > 0.5
    part = grid.subset(mask)
    np.testing.assert_array_equal(part.rows, grid.rows[mask])
    assert part.nearest(*points[0], 10.0) in part.rows
    found = np.concatenate([part.rows[s] for s in part.slices((0, 1, 0, 1))])
    assert set(found) <= set(part.rows)
    assert grid.subset(np.ones(len(grid), bool)) is grid


def test_more_points_in_the_same_place_are_a_crowd(points):
    grid = PointGrid(points)
    assert grid.crowding(1.0) > grid.crowding(0.5) > 0
    twice = PointGrid(np.concatenate([points, points]))
    assert twice.crowding(0.5) == pytest.approx(2 * grid.crowding(0.5), rel=0.5)


@pytest.mark.parametrize("points", [np.empty((0, 2)), np.full((3, 2), np.nan)])
def test_no_points(points):
    grid = PointGrid(points)
    assert len(grid) == 0
    assert grid.slices((-1, 1, -1, 1)) == []
    assert grid.nearest(0, 0, 5) == -1
    assert grid.crowding(0.5) == 0


def test_points_that_all_coincide():
    grid = PointGrid(np.ones((50, 2)))
    assert grid.nearest(1, 1, 0.1) in range(50)
    assert np.isfinite(grid.crowding(0.9))
