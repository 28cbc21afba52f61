"""Scores of maps, against scikit-learn and loops."""

import numpy as np
import pytest
from sklearn.manifold import trustworthiness as plain_trustworthiness
from sklearn.neighbors import NearestNeighbors

from napari_cryoml._errors import InputError
from napari_cryoml.evaluation import _neighbourhoods as module
from napari_cryoml.evaluation import neighbourhood_recall, trustworthiness


def _map(n=120, d=6, noise=0.4, seed=0):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, d))
    return vectors, vectors[:, :2] + noise * rng.normal(size=(n, 2))


def _plain_recall(vectors, layout, k):
    truth, found = (
        NearestNeighbors(n_neighbors=k).fit(table).kneighbors(return_distance=False)
        for table in (vectors, layout)
    )
    return np.mean([len(set(a) & set(b)) / k for a, b in zip(truth, found, strict=True)])


@pytest.mark.parametrize("k", [1, 5, 30])
def test_equals_plain_references(k, monkeypatch):
    monkeypatch.setattr(module, "_ENTRIES", 1000)  # many chunks
    vectors, layout = _map()
    wanted = plain_trustworthiness(vectors, layout, n_neighbors=k)
    assert trustworthiness(vectors, layout, k) == pytest.approx(wanted)
    assert neighbourhood_recall(vectors, layout, k) == pytest.approx(
        _plain_recall(vectors, layout, k)
    )


def test_a_map_that_is_the_truth_is_perfect():
    vectors, _ = _map(d=2)
    assert trustworthiness(vectors, 7 * vectors - 3, 10) == 1
    assert neighbourhood_recall(vectors, 7 * vectors - 3, 10) == 1


def test_a_random_map_is_worth_little():
    rng = np.random.default_rng(0)
    vectors, layout = rng.normal(size=(400, 8)), rng.normal(size=(400, 2))
    assert trustworthiness(vectors, layout, 10) == pytest.approx(0.5, abs=0.05)
    assert neighbourhood_recall(vectors, layout, 10) == pytest.approx(10 / 400, abs=0.02)


def test_a_row_by_hand():
    # On the line 0, 1, 2, 10, the map swaps the last two: the neighbour of the first is found.
    vectors, layout = np.array([[0.0], [1], [2], [10]]), np.array([[0.0], [1], [10], [2]])
    assert neighbourhood_recall(vectors, layout, 1) == pytest.approx(2 / 4)


def test_a_sample_of_all_rows_is_the_whole_and_a_smaller_one_is_near():
    vectors, layout = _map(n=500)
    for score in (trustworthiness, neighbourhood_recall):
        whole = score(vectors, layout, 10)
        assert score(vectors, layout, 10, sample=500) == pytest.approx(whole)
        sampled = score(vectors, layout, 10, sample=200, seed=1)
        assert sampled == pytest.approx(whole, abs=0.03)
        assert sampled == score(vectors, layout, 10, sample=200, seed=1)
        assert sampled != score(vectors, layout, 10, sample=200, seed=2)


def test_rows_without_a_place_are_left_out():
    vectors, layout = _map()
    wanted = trustworthiness(vectors[10:], layout[10:], 5)
    layout[:5], vectors[5:10, 1] = np.nan, np.inf
    assert trustworthiness(vectors, layout, 5) == pytest.approx(wanted)


def test_equal_rows_at_one_place_are_neighbours():
    vectors = np.repeat(np.arange(10.0)[:, None], 20, axis=0)
    assert trustworthiness(vectors, np.hstack([vectors, vectors]), 15) == 1
    assert 0 < neighbourhood_recall(vectors, np.hstack([vectors, vectors]), 15) <= 1


def test_half_precision_is_taken():
    vectors, layout = _map()
    exact = trustworthiness(vectors, layout, 5)
    assert trustworthiness(vectors.astype(np.float16), layout, 5) == pytest.approx(exact, abs=0.01)


@pytest.mark.parametrize("score", [trustworthiness, neighbourhood_recall])
def test_mistakes_are_said(score):
    vectors, layout = _map(n=20)
    with pytest.raises(InputError, match="one row each"):
        score(vectors, layout[:-1], 3)
    with pytest.raises(InputError, match="more than 20 rows"):
        score(vectors, layout, 10)
    with pytest.raises(InputError, match="there are 0"):
        score(np.empty((0, 3)), np.empty((0, 2)), 3)
    with pytest.raises(InputError, match="choose fewer"):
        score(vectors, layout, 0)
