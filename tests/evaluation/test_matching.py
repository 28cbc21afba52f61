"""Assignments have the most pairs and, among those, the smallest total distance."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from napari_cryoml._errors import InputError
from napari_cryoml.evaluation import match


def dense_reference(predicted, truth, radius):
    """Number of pairs and total distance of the best assignment, from the whole matrix."""
    distance = cdist(predicted, truth)
    allowed = distance <= radius
    rows, columns = linear_sum_assignment(np.where(allowed, distance, 1e6))
    kept = allowed[rows, columns]
    return int(kept.sum()), float(distance[rows, columns][kept].sum())


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize(("n", "m"), [(60, 40), (40, 60), (50, 50), (1, 30), (30, 1)])
def test_equals_the_dense_assignment(n, m, ndim):
    rng = np.random.default_rng(n + m)
    for crowding in (3, 10, 60):
        predicted = rng.uniform(0, crowding, (n, ndim)).round(1)
        truth = rng.uniform(0, crowding, (m, ndim)).round(1)
        assigned = match(predicted, truth, 2.0)
        hit = assigned >= 0
        distance = np.linalg.norm(predicted[hit] - truth[assigned[hit]], axis=1)
        assert len(np.unique(assigned[hit])) == hit.sum()
        assert (distance <= 2.0).all()
        pairs, total = dense_reference(predicted, truth, 2.0)
        assert hit.sum() == pairs
        assert distance.sum() == pytest.approx(total)


def test_more_pairs_go_before_closer_pairs():
    predicted, truth = [[0, 0], [0, 3]], [[0, 1], [0, -4]]
    np.testing.assert_array_equal(match(predicted, truth, 4), [1, 0])
    np.testing.assert_array_equal(match(predicted, truth, 3.9), [0, -1])


def test_the_radius_is_inclusive():
    assert match([[3, 4]], [[0, 0]], 5)[0] == 0
    assert match([[3, 4]], [[0, 0]], np.nextafter(5, 0))[0] == -1
    assert match([[0.1, 0.7]], [[0.4, 0.7]], 0.30000000000000004)[0] == 0


def test_each_particle_is_matched_once():
    assert sorted(match(np.zeros((3, 2)), np.zeros((1, 2)), 1)) == [-1, -1, 0]


@pytest.mark.parametrize(("n", "m"), [(0, 0), (3, 0), (0, 3)])
def test_nothing_to_match(n, m):
    np.testing.assert_array_equal(match(np.zeros((n, 2)), np.zeros((m, 2)), 1), np.full(n, -1))


@pytest.mark.parametrize(
    ("predicted", "truth", "radius"),
    [
        ([[0, 0]], [[0, 0, 0]], 1),
        ([[np.nan, 0]], [[0, 0]], 1),
        ([[0, 0]], [[np.inf, 0]], 1),
        ([0, 0], [[0, 0]], 1),
        ([[0, 0]], [[0, 0]], 0),
        ([[0, 0]], [[0, 0]], np.nan),
    ],
)
def test_unusable_input_is_refused(predicted, truth, radius):
    with pytest.raises(InputError, match=r"positions|radius"):
        match(predicted, truth, radius)
