import numpy as np
import pytest

from napari_cryoml.data import ArrayImage, ScoreMap
from napari_cryoml.picking import picks_from_map, refine


def _map(values: np.ndarray, step: float = 8.0) -> ScoreMap:
    ndim = values.ndim
    return ScoreMap(values.astype(np.float32), np.full(ndim, step), np.zeros(ndim))


@pytest.mark.parametrize("ndim", [2, 3])
def test_refining_keeps_the_grid_points_and_their_places(ndim: int) -> None:
    coarse = _map(np.random.default_rng(0).normal(size=(9,) * ndim))
    fine = refine(coarse, diameter=20)
    assert fine.values.shape == (33,) * ndim
    kept = fine.values[(slice(None, None, 4),) * ndim]
    assert np.allclose(kept, coarse.values, atol=1e-4)
    assert np.allclose(fine.to_image([[4] * ndim]), coarse.to_image([[1] * ndim]))


def test_a_grid_that_is_fine_enough_is_left_alone() -> None:
    coarse = _map(np.zeros((9, 9)))
    assert refine(coarse, diameter=80) is coarse
    line = _map(np.zeros((1, 9)))
    assert refine(line, diameter=20) is line


def test_two_particles_closer_than_two_grid_points_are_told_apart() -> None:
    yx = np.indices((12, 12)) * 8.0
    centres = [(40.0, 40.0), (40.0, 56.0)]
    bumps = [np.exp(-((yx[0] - y) ** 2 + (yx[1] - x) ** 2) / 50) for y, x in centres]
    image = ArrayImage(np.zeros((96, 96), np.float32))
    picks = picks_from_map(_map(6 * sum(bumps)), image, 24, 0.5, threshold=3)
    assert np.allclose(sorted(map(tuple, picks.positions)), centres, atol=2)


def test_picks_lie_inside_their_image() -> None:
    values = np.zeros((4, 4))
    values[3, 3] = 5
    picks = picks_from_map(_map(values, 10), ArrayImage(np.zeros((25, 25))), 100, 0.5, threshold=1)
    assert picks.positions.tolist() == [[24, 24]]
