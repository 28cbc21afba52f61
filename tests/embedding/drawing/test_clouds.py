import numpy as np
import pytest
from scipy.stats import gaussian_kde

from napari_cryoml.embedding.drawing import category_clouds


def places(cloud):
    """Return the map positions of the middles of the cells, shape (h, w, 2)."""
    left, right, bottom, top = cloud.extent
    height, width = cloud.opacity.shape
    x = left + (np.arange(width) + 0.5) * (right - left) / width
    y = top - (np.arange(height) + 0.5) * (top - bottom) / height
    return np.stack(np.meshgrid(x, y), axis=-1)


@pytest.fixture
def points():
    rng = np.random.default_rng(0)
    slanted = rng.normal(size=(400, 2)) @ np.array([[2.0, 1.2], [0.0, 0.5]])
    return slanted + np.array([5, -3])


def test_it_is_the_estimate_of_scipy(points):
    cloud = category_clouds(points, np.zeros(400, int))[0]
    density = gaussian_kde(points.T)(places(cloud).reshape(-1, 2).T)
    order = np.argsort(density)
    share = np.empty_like(density)
    share[order] = np.cumsum(density[order]) / density.sum()
    assert np.abs(share.reshape(cloud.opacity.shape) - cloud.opacity).max() < 0.03


def test_the_mode_is_where_the_density_is_greatest(points):
    cloud = category_clouds(points, np.zeros(400, int))[0]
    density = gaussian_kde(points.T)
    best = density(places(cloud).reshape(-1, 2).T).max()
    assert density(cloud.mode)[0] > 0.98 * best


def test_opacity_is_the_mass_at_lower_densities(points):
    cloud = category_clouds(points, np.zeros(400, int))[0]
    assert cloud.opacity.max() == pytest.approx(1)
    assert cloud.opacity[0].max() < 0.02
    # Half of the points lie where the opacity is more than about a half.
    grid = places(cloud)
    nearest = np.abs(grid[None, 0, :, 0] - points[:, :1]).argmin(axis=1)
    lines = np.abs(grid[None, :, 0, 1] - points[:, 1:]).argmin(axis=1)
    assert (cloud.opacity[lines, nearest] > 0.5).mean() == pytest.approx(0.5, abs=0.1)


def test_each_category_has_its_own_cloud(points):
    both = np.concatenate([points, points + np.array([50, 0]), [[np.nan, 0]]])
    codes = np.repeat([4, 1, 1], [400, 400, 1])
    clouds = category_clouds(both, codes)
    assert [(cloud.code, cloud.count) for cloud in clouds] == [(1, 400), (4, 400)]
    np.testing.assert_allclose(
        clouds[0].mode, np.array(clouds[1].mode) + np.array([50, 0]), atol=0.3
    )


@pytest.mark.parametrize(
    "points",
    [np.zeros((10, 2)), np.stack([np.arange(10.0), np.arange(10.0)], axis=1), [[0, 0], [1, 2]]],
)
def test_too_few_points_or_no_spread_have_no_cloud(points):
    assert category_clouds(np.array(points, float), np.zeros(len(points), int)) == []


def test_rows_without_a_category_have_no_cloud(points):
    assert category_clouds(points, np.full(400, -1)) == []
    assert category_clouds(np.empty((0, 2)), np.empty(0, int)) == []


def test_three_points_are_enough():
    clouds = category_clouds(np.array([[0, 0], [1, 0], [0, 1.0]]), np.zeros(3, int))
    assert np.isfinite(clouds[0].opacity).all()
