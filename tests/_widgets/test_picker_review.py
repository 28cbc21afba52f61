import numpy as np
import pytest

from napari_cryoml._widgets.picker._review import (
    ScoreBook,
    final_picks,
    rejected,
    suggest_threshold,
)
from napari_cryoml.data import Annotations, Picks


def picks(positions, scores, ndim=2):
    return Picks("a", np.array(positions, float).reshape(-1, ndim), np.array(scores, np.float32))


@pytest.mark.parametrize("ndim", [2, 3])
def test_picks_on_a_negative_are_rejected(ndim):
    table = picks([[0] * ndim, [10] * ndim], [2, 1], ndim)
    marks = rejected(table, np.full((1, ndim), 9.0), 5.0)
    assert marks.tolist() == [False, True]


@pytest.mark.parametrize("ndim", [2, 3])
def test_nothing_is_rejected_where_there_is_nothing(ndim):
    none = np.empty((0, ndim))
    assert rejected(picks([[1] * ndim], [1], ndim), none, 5).tolist() == [False]
    assert rejected(picks([], [], ndim), np.zeros((1, ndim)), 5).tolist() == []


def test_final_picks_keep_good_ones_and_add_missed_particles():
    labels = Annotations(np.array([[0.5, 0], [50, 50], [10, 10]]), np.array([1, 1, 0]))
    final = final_picks(picks([[0, 0], [10, 10], [20, 20]], [3, 2, -1]), labels, 0.0, 8.0)
    assert final.positions.tolist() == [[0, 0], [50, 50]]
    assert final.scores.tolist() == [3, 0]
    assert final.diameter == 8.0


def test_without_picks_the_labels_are_the_result():
    labels = Annotations.of_positives([[1, 2], [3, 4]])
    final = final_picks(picks([], []), labels, 0.0, 8.0)
    assert final.positions.tolist() == [[1, 2], [3, 4]]


def test_counts_of_a_score_book_are_those_of_the_scores():
    book, rng = ScoreBook(), np.random.default_rng(0)
    scores = {name: rng.normal(size=50).astype(np.float32) for name in "ab"}
    for name, values in scores.items():
        book.set(name, values)
    book.set("c", np.empty(0, np.float32))
    for threshold in (-10.0, 0.0, float(scores["a"][3]), 10.0):
        assert book.counts(threshold) == {
            "a": (scores["a"] >= np.float32(threshold)).sum(),
            "b": (scores["b"] >= np.float32(threshold)).sum(),
            "c": 0,
        }
    assert len(book.all_scores()) == 100
    assert len(ScoreBook().all_scores()) == 0


@pytest.mark.parametrize(
    ("scores", "expected", "threshold"),
    [([3, 1, -1, -4], 2, 0.0), ([3, 1, -1, -4], 3, -1.0), ([3, 1], 99, 0.0), ([], 5, 0.0)],
)
def test_the_first_threshold_gives_what_is_expected_or_more(scores, expected, threshold):
    assert suggest_threshold(picks([[0, 0]] * len(scores), scores), expected) == threshold
