import numpy as np

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
