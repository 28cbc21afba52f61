"""Nearest rows, against a table of all distances."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from napari_cryoml._errors import InputError
from napari_cryoml.embedding._neighbours import NeighbourIndex, into_cells, nearest


def _plain(vectors, queries, k):
    """Return what `nearest` should, ties by row number."""
    others = vectors if queries is None else queries
    apart = cdist(others, vectors)
    if queries is None:
        np.fill_diagonal(apart, np.inf)
    order = np.argsort(apart, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(apart, order, 1)


@pytest.mark.parametrize("d", [1, 2, 33])
@pytest.mark.parametrize("n", [2, 100, 1100])
def test_equals_a_table_of_all_distances(n, d):
    vectors = np.random.default_rng(0).normal(loc=5, size=(n, d)).astype(np.float32)
    k = min(7, n - 1)
    for queries in (None, vectors[::3] + np.float32(0.01)):
        indices, distances = nearest(vectors, queries, k)
        wanted, far = _plain(vectors, queries, k)
        np.testing.assert_array_equal(indices, wanted)
        np.testing.assert_allclose(distances, far, rtol=1e-4, atol=1e-5)


def test_a_row_is_no_neighbour_of_itself_but_its_twins_are():
    vectors = np.repeat(np.random.default_rng(0).normal(size=(10, 4)), 5, axis=0)
    indices, distances = nearest(vectors, k=4)
    assert (indices // 5 == np.arange(50)[:, None] // 5).all()
    assert (indices != np.arange(50)[:, None]).all()
    np.testing.assert_array_equal(distances, 0)
    assert (nearest(vectors, vectors, k=5)[0][:, 0] // 5 == np.arange(50) // 5).all()


def test_all_rows_equal():
    indices, distances = nearest(np.ones((6, 3)), k=3)
    assert (indices != np.arange(6)[:, None]).all()
    assert all(len(set(row)) == 3 for row in indices)
    np.testing.assert_array_equal(distances, 0)


@pytest.mark.parametrize("scale", [1e-25, 1e25])
def test_units_do_not_matter(scale):
    vectors = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
    indices, distances = nearest(vectors, k=5)
    scaled, far = nearest(vectors * np.float32(scale), k=5)
    np.testing.assert_array_equal(scaled, indices)
    np.testing.assert_allclose(far / scale, distances, rtol=1e-4)


def test_an_offset_costs_no_precision():
    vectors = np.random.default_rng(0).integers(0, 50, size=(200, 3)).astype(np.float32)
    shifted = nearest(vectors + 100_000, k=3)[1]
    np.testing.assert_allclose(shifted, nearest(vectors, k=3)[1], rtol=1e-6)


def test_fewer_rows_than_asked_for():
    vectors = np.eye(3)
    assert nearest(vectors, k=10)[0].shape == (3, 2)
    assert nearest(vectors, np.zeros((2, 3)), k=10)[0].shape == (2, 3)
    assert nearest(vectors[:1], k=5)[0].shape == (1, 0)
    assert nearest(np.empty((0, 3)), k=5)[0].shape == (0, 0)
    assert nearest(vectors, np.empty((0, 3)), k=2)[1].shape == (0, 2)


def _groups(n, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(scale=3, size=(12, 8))
    return (centres[rng.integers(12, size=n)] + rng.normal(size=(n, 8))).astype(np.float32)


def test_cells_find_nearly_all_neighbours_and_look_at_few(monkeypatch):
    from napari_cryoml.embedding import _neighbours

    vectors = _groups(3000)
    seen = []
    plain = _neighbours.search_parts
    monkeypatch.setattr(
        _neighbours, "search_parts", lambda *args: seen.append(args[4]) or plain(*args)
    )
    indices, distances = NeighbourIndex(vectors, exact_pairs=0).search(k=10)
    wanted, _ = _plain(vectors, None, 10)
    shared = (indices[:, :, None] == wanted[:, None, :]).any(axis=2).mean()
    assert shared > 0.93
    assert np.mean([len(columns) for _, columns in seen[-1]]) < 0.6 * len(vectors)
    assert (indices != np.arange(3000)[:, None]).all()
    assert (np.diff(distances, axis=1) >= 0).all()


def test_cells_answer_further_rows():
    vectors, queries = _groups(2000), _groups(300, seed=1)
    found = NeighbourIndex(vectors, exact_pairs=0).search(queries, 5)
    again = NeighbourIndex(vectors, exact_pairs=0).search(queries, 5)
    np.testing.assert_array_equal(found[0], again[0])
    wanted, _ = _plain(vectors, queries, 5)
    assert (found[0][:, :, None] == wanted[:, None, :]).any(axis=2).mean() > 0.9


def test_cells_of_equal_rows():
    vectors = np.repeat(np.eye(3), 400, axis=0)
    indices, distances = NeighbourIndex(vectors, exact_pairs=0).search(k=5)
    assert (indices // 400 == np.arange(1200)[:, None] // 400).all()
    np.testing.assert_array_equal(distances, 0)


def test_rows_are_sorted_into_cells():
    vectors = np.repeat([[0.0, 0], [10, 0], [0, 10]], 30, axis=0).astype(np.float32)
    vectors += np.random.default_rng(0).normal(scale=0.1, size=vectors.shape).astype(np.float32)
    cell = into_cells(vectors, 9)
    groups = [set(cell[start : start + 30]) for start in (0, 30, 60)]
    assert not (groups[0] & groups[1] or groups[1] & groups[2] or groups[0] & groups[2])


def test_mistakes_are_said():
    with pytest.raises(InputError, match="not finite"):
        nearest(np.array([[1.0, np.nan], [0, 1]]))
    with pytest.raises(InputError, match=r"length 2 .* length 3"):
        nearest(np.eye(3), np.eye(2))
    with pytest.raises(InputError, match="table"):
        nearest(np.arange(5.0))
