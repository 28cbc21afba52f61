"""A few selected rows become the class they are examples of."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from napari_cryoml._errors import InputError
from napari_cryoml.embedding._few_shot import few_shot
from napari_cryoml.embedding._score_mixture import share_by_scores


def blobs(sizes=(60, 200, 240), d=8, far=12.0, seed=0):
    """Return rows around points that lie far apart, in random order, and whose they are."""
    rng = np.random.default_rng(seed)
    kind = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return (far * np.eye(len(sizes), d)[kind] + rng.normal(size=(len(kind), d))), kind


@pytest.mark.parametrize("wanted", [0, 1, 2])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_three_rows_of_a_blob_stand_for_all_of_it(wanted, dtype):
    vectors, kind = blobs()
    members = np.flatnonzero(kind == wanted)
    found = few_shot(vectors.astype(dtype), members[:3])
    assert sorted(found.proposed) == members[3:].tolist()
    np.testing.assert_array_equal(found.probability > 0.5, kind == wanted)
    assert found.share == pytest.approx(len(members) / len(kind), abs=0.02)
    assert set(found.order[: len(members)]) == set(members)
    assert found.notes == ()


def test_class_of_a_few_rows_among_many_is_found():
    vectors, kind = blobs(sizes=(12, 800, 800), far=15.0)
    members = np.flatnonzero(kind == 0)
    found = few_shot(vectors, members[:3])
    assert sorted(found.proposed) == members[3:].tolist()


def test_class_of_most_rows_is_found():
    vectors, kind = blobs(sizes=(700, 100, 200))
    members = np.flatnonzero(kind == 0)
    found = few_shot(vectors, members[:3])
    assert np.isin(members[3:], found.proposed).mean() > 0.95
    assert (kind[found.proposed] == 0).mean() > 0.95


def test_units_of_features_do_not_matter_much():
    vectors, kind = blobs()
    members = np.flatnonzero(kind == 0)
    found = few_shot(vectors * np.linspace(0.5, 2, 8) + 100, members[:3])
    assert (kind[found.proposed] == 0).mean() > 0.9
    assert np.isin(members[3:], found.proposed).mean() > 0.9


def test_selected_rows_are_sure_and_not_proposed_and_order_is_by_score():
    vectors, kind = blobs()
    members, others = np.flatnonzero(kind == 0), np.flatnonzero(kind == 1)
    found = few_shot(vectors, members[:3], others[:2])
    assert found.probability[members[:3]].tolist() == [1, 1, 1]
    assert found.probability[others[:2]].tolist() == [0, 0]
    assert not np.isin(members[:3], found.proposed).any()
    assert (np.diff(found.scores[found.order]) <= 0).all()
    assert sorted(found.order) == list(range(len(vectors)))
    unknown = found.order[~np.isin(found.order, [*members[:3], *others[:2]])]
    assert (np.diff(found.probability[unknown]) <= 1e-6).all()


def test_negatives_part_what_lies_close():
    vectors, kind = blobs(sizes=(150, 150, 300), far=3.5)
    members, others = np.flatnonzero(kind == 0), np.flatnonzero(kind == 1)

    def rank_of_others(found):
        place = np.empty(len(kind))
        place[found.order] = np.arange(len(kind))
        return place[others].mean()

    without, with_them = few_shot(vectors, members[:3]), few_shot(vectors, members[:3], others[:5])
    assert rank_of_others(with_them) > rank_of_others(without)


def test_one_row_is_enough():
    vectors, kind = blobs()
    members = np.flatnonzero(kind == 0)
    found = few_shot(vectors, members[:1])
    assert (kind[found.proposed] == 0).mean() > 0.9


def test_rows_that_are_not_finite_are_left_out():
    vectors, kind = blobs()
    members = np.flatnonzero(kind == 0)
    vectors[members[0], 2] = np.nan
    found = few_shot(vectors, members[:4])
    assert np.isnan(found.probability[members[0]])
    assert members[0] not in found.order
    assert "finite vector: 1 of 4 selected rows" in found.notes[0]
    assert sorted(found.proposed) == members[4:].tolist()


@pytest.mark.parametrize(
    ("rows", "negatives", "sentence"),
    [
        ([], [], "at least one row"),
        ([0, 9], [], "numbered from 0 to 4; 9 was selected"),
        ([0], [-1], "negative"),
        ([0, 1], [1], "Row 1 is selected and negative"),
        ([4], [], "at least one row with a finite vector"),
    ],
)
def test_selections_that_cannot_be_meant_are_refused(rows, negatives, sentence):
    vectors = np.eye(5)
    vectors[4] = np.nan
    with pytest.raises(InputError, match=sentence):
        few_shot(vectors, rows, negatives)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "vectors", [np.ones((1, 3)), np.ones((20, 3)), np.eye(2), np.repeat(np.eye(2), 10, axis=0)]
)
def test_degenerate_tables_give_finite_numbers(vectors):
    found = few_shot(vectors, [0])
    assert np.isfinite(found.probability).all()
    assert found.probability[0] == 1


def test_same_seed_same_answer():
    vectors, _ = blobs(sizes=(1000, 2000, 500))
    first, second = few_shot(vectors, [1, 2], seed=3), few_shot(vectors, [1, 2], seed=3)
    np.testing.assert_array_equal(first.probability, second.probability)


def test_three_digits_find_others_of_their_kind():
    vectors, kind = load_digits(return_X_y=True)
    right = []
    for digit in range(10):
        rows = np.flatnonzero(kind == digit)[:3]
        found = few_shot(vectors, rows)
        best = found.order[~np.isin(found.order, rows)][:50]
        right.append((kind[best] == digit).mean())
    assert np.mean(right) > 0.85


def test_mixture_finds_share_and_keeps_the_order():
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.normal(0, 0.1, 900), rng.normal(0.8, 0.08, 100)])
    probability, share = share_by_scores(scores, np.array([0.7, 0.85]))
    assert share == pytest.approx(0.1, abs=0.01)
    np.testing.assert_array_equal(probability > 0.5, np.arange(1000) >= 900)
    assert (np.diff(probability[np.argsort(scores)]) >= -1e-12).all()


def test_mixture_of_equal_scores_knows_nothing():
    probability, share = share_by_scores(np.zeros(4), np.zeros(1))
    assert probability.tolist() == [0.5] * 4
    assert share == 0.5
