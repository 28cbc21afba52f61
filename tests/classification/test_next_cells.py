import numpy as np
import pytest
from scipy.spatial.distance import pdist

from napari_cryoml._errors import InputError
from napari_cryoml.classification import next_to_label

UNLABELLED = -1


def groups(sizes=(30, 20, 10), d=5, seed=0):
    """Return features of tight groups far from each other, and which group each is of."""
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(len(sizes)), sizes)
    return 20 * rng.normal(size=(len(sizes), d))[of] + rng.normal(size=(len(of), d)), of


def test_first_come_representatives_of_groups_the_largest_first():
    features, of = groups()
    found = next_to_label(features, np.full(60, UNLABELLED), n=3)
    assert of[found.rows].tolist() == [0, 1, 2]
    assert "groups of cells" in found.reason


def test_groups_with_a_label_need_no_other():
    features, of = groups((30, 30, 30, 30))
    labels = np.full(120, UNLABELLED)
    labels[[0, 31]] = [0, 1]
    found = next_to_label(features, labels, n=2)
    assert set(of[found.rows].tolist()) == {2, 3}


def test_then_come_those_that_the_classifier_is_unsure_of():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(100, 4))
    chances = np.column_stack([np.full(100, 0.95), np.full(100, 0.05)])
    unsure = np.arange(40, 50)
    chances[unsure] = 0.5
    labels = np.full(100, UNLABELLED)
    labels[:8] = np.arange(8) % 2
    found = next_to_label(features, labels, chances, 5)
    assert set(found.rows.tolist()) <= set(unsure.tolist())
    assert "least sure" in found.reason


def test_near_duplicates_are_not_asked_for_twice():
    rng = np.random.default_rng(1)
    features = rng.normal(size=(60, 3))
    features[30:] = features[30] + 1e-6 * rng.normal(size=(30, 3))
    chances = np.full((60, 2), 0.5)
    labels = np.full(60, UNLABELLED)
    labels[:6] = np.arange(6) % 2
    found = next_to_label(features, labels, chances, 6)
    assert (found.rows >= 30).sum() <= 1
    assert pdist(features[found.rows]).min() > 0.1


@pytest.mark.parametrize("given", [False, True])
def test_the_same_cells_over_and_over_are_asked_for_once(given):
    labels = np.full(20, UNLABELLED)
    chances = None
    if given:
        labels[:6], chances = np.arange(6) % 2, np.full((20, 2), 0.5)
    found = next_to_label(np.ones((20, 3)), labels, chances, 4)
    assert len(set(found.rows.tolist())) == len(found) == 1


def test_labelled_cells_and_cells_without_features_are_never_chosen():
    features, _ = groups()
    features[3] = np.nan
    labels = np.full(60, UNLABELLED)
    labels[10:] = 0
    found = next_to_label(features, labels, n=30)
    assert set(found.rows.tolist()) == set(range(10)) - {3}


def test_when_all_have_a_label_nothing_is_proposed():
    found = next_to_label(np.ones((3, 2)), [0, 1, 0], n=5)
    assert len(found) == 0
    assert "have a label" in found.reason


def test_the_same_seed_gives_the_same_cells():
    features, _ = groups()
    labels = np.full(60, UNLABELLED)
    first, again = (next_to_label(features, labels, n=7, seed=4).rows for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert len(set(first.tolist())) == 7


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"labels": [0]}, "1 labels were given"),
        ({"labels": [-1] * 3, "n": 0}, "One cell or more"),
        ({"labels": [-1] * 3, "probabilities": np.ones((2, 2))}, "one set of cells"),
    ],
)
def test_what_does_not_fit_is_a_sentence(options, sentence):
    with pytest.raises(InputError, match=sentence):
        next_to_label(np.ones((3, 2)), **options)
