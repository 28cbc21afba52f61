import numpy as np
import pytest

from napari_cryoml._widgets.picker._score_book import ScoreBook


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


def test_counts_follow_each_image_at_the_threshold_of_before():
    book = ScoreBook()
    book.set("a", np.float32([1.0, 2.0, 3.0]))
    assert book.counts(1.5) == {"a": 2}
    book.set("b", np.float32([1.0, 5.0]))
    book.set("a", np.float32([2.0]))
    assert book.counts(1.5) == {"a": 1, "b": 1}
    book.drop("a")
    book.drop("never there")
    assert book.counts(1.5) == {"b": 1}
    assert book.counts(0.0) == {"b": 2}


def test_expected_precision_is_the_mean_probability_of_what_is_kept():
    book, rng = ScoreBook(), np.random.default_rng(0)
    scores = {name: rng.normal(size=30).astype(np.float32) for name in "ab"}
    for name, values in scores.items():
        book.set(name, values)
    book.set("c", np.empty(0, np.float32))
    together = np.concatenate([scores["a"], scores["b"]])
    for threshold in (-10.0, 0.0, 1.0):
        kept = together[together >= threshold]
        expected = (1 / (1 + np.exp(-kept))).mean()
        assert book.expected_precision(threshold) == pytest.approx(expected, rel=1e-5)
    assert np.isnan(book.expected_precision(100.0))
    assert np.isnan(ScoreBook().expected_precision(0.0))
