"""Features on a coarse grid, looked up in image pixels."""

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.features import FeatureMap


def counted(grid: tuple[int, ...], channels: int = 2) -> FeatureMap:
    """Return a map whose values count up, 4 image pixels a step from pixel 1."""
    values = np.arange(channels * np.prod(grid)).reshape(channels, *grid).astype(np.float16)
    ndim = len(grid)
    return FeatureMap(values, np.full(ndim, 4.0), np.full(ndim, 1.0))


@pytest.mark.parametrize("grid", [(3, 5), (2, 3, 4)])
def test_grid_points_find_their_own_values(grid):
    features = counted(grid)
    points = np.argwhere(np.ones(grid, bool))
    found = features.at(features.to_image(points))
    expected = features.values.reshape(2, -1).T
    assert found.dtype == np.float32
    assert np.array_equal(found, expected.astype(np.float32))


def test_nearest_point_wins_and_beyond_the_border_the_border_does():
    features = counted((3, 5))
    near = features.at([[1 + 4 + 1.9, 1 + 8 - 1.9], [-50, 400]])
    assert np.array_equal(near, [features.values[:, 1, 2], features.values[:, 0, 4]])


def test_to_grid_undoes_to_image():
    features = counted((2, 3, 4))
    places = np.random.default_rng(0).uniform(-5, 20, (7, 3))
    assert np.allclose(features.to_grid(features.to_image(places)), places)


def test_no_positions_give_no_rows():
    assert counted((3, 5), channels=4).at(np.empty((0, 2))).shape == (0, 4)


def test_bytes_count_the_mask():
    plain = counted((3, 5))
    masked = FeatureMap(plain.values, plain.scale, plain.offset, np.ones((3, 5), bool))
    assert plain.nbytes == 2 * 15 * 2
    assert masked.nbytes == plain.nbytes + 15


def test_shapes_that_do_not_agree_are_refused():
    values = np.zeros((2, 3, 5), np.float16)
    with pytest.raises(InputError, match="scale and an offset of shape"):
        FeatureMap(values, np.ones(3), np.zeros(3))
    with pytest.raises(InputError, match="mask"):
        FeatureMap(values, np.ones(2), np.zeros(2), np.ones((5, 3), bool))
