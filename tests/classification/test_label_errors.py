import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.classification import (
    LabelledCrops,
    find_label_errors,
    label_errors,
    systems,
)
from napari_cryoml.data import ArrayCrops
from napari_cryoml.jobs import Command, run_inline


def clouds(n=60, n_classes=3, d=6, apart=4.0, seed=0):
    """Return features of well parted classes by turns, and their labels."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % n_classes
    middles = apart * rng.normal(size=(n_classes, d))
    return (middles[labels] + rng.normal(size=(n, d))).astype(np.float32), labels


def labelled(labels, n_classes=3):
    crops = ArrayCrops.of(np.zeros((len(labels), 1, 4, 4), np.float32))
    return LabelledCrops(crops, tuple("abcdef"[:n_classes]), labels)


def plain_confident_learning(labels, chances):
    """Return rows of the off-diagonal of the confident joint, by rising normalised margin."""
    thresholds = [np.mean(chances[labels == j, j]) for j in range(chances.shape[1])]
    found = []
    for row, label in enumerate(labels):
        able = [j for j in range(chances.shape[1]) if chances[row, j] >= thresholds[j]]
        if able and max(able, key=lambda j: chances[row, j]) != label:
            others = [chances[row, j] for j in range(chances.shape[1]) if j != label]
            found.append((chances[row, label] - max(others), row))
    return [row for _, row in sorted(found)]


def test_it_is_the_published_rule():
    rng = np.random.default_rng(3)
    chances = rng.dirichlet([0.6] * 4, 200).astype(np.float32)
    labels = np.where(rng.random(200) < 0.7, chances.argmax(axis=1), rng.integers(0, 4, 200))
    found = label_errors(labels, chances)
    assert found.rows.tolist() == plain_confident_learning(labels, chances)
    assert len(found) > 10
    np.testing.assert_array_equal(found.given, labels[found.rows])
    np.testing.assert_array_equal(found.chances, chances[found.rows, found.given])
    assert (found.better != found.given).all()
    assert (np.diff(found.margins) >= 0).all()


def test_a_class_that_is_hard_to_tell_is_not_blamed():
    chances = np.array([[0.9, 0.1]] * 5 + [[0.55, 0.45]] * 5, np.float32)
    found = label_errors([0] * 5 + [1] * 5, chances)
    assert len(found) == 0
    assert found.n_judged == 10


def test_rows_without_a_label_or_an_answer_are_passed_over():
    chances = np.array([[0.9, 0.1], [0.1, 0.9], [np.nan, np.nan], [0.8, 0.2], [0.05, 0.95]])
    found = label_errors([0, 1, 0, -1, 0], chances)
    assert found.rows.tolist() == [4]
    assert (found.given.tolist(), found.better.tolist()) == ([0], [1])
    assert found.n_judged == 3


def test_nothing_has_no_errors():
    assert len(label_errors(np.empty(0, np.intp), np.empty((0, 3)))) == 0
    assert len(label_errors([-1, -1], np.full((2, 3), 1 / 3))) == 0


@pytest.mark.parametrize(
    ("labels", "chances", "sentence"),
    [
        ([0, 1], np.ones((3, 2)), "2 labels and an array"),
        ([0, 5], np.ones((2, 2)), "of class number 5"),
    ],
)
def test_what_does_not_fit_is_a_sentence(labels, chances, sentence):
    with pytest.raises(InputError, match=sentence):
        label_errors(labels, chances)


def test_labels_that_were_swapped_are_found():
    features, truth = clouds()
    labels = truth.copy()
    swapped = np.array([4, 17, 33])
    labels[swapped] = (truth[swapped] + 1) % 3
    labels[50:] = -1
    found = run_inline(find_label_errors(features, labelled(labels), systems.create("few_shot")))
    assert set(found.rows.tolist()) == set(swapped.tolist())
    np.testing.assert_array_equal(found.better, truth[found.rows])
    assert found.n_judged == 50


def test_rows_that_could_not_be_described_are_left_out():
    features, labels = clouds()
    features[7] = np.nan
    found = run_inline(find_label_errors(features, labelled(labels), systems.create("few_shot")))
    assert found.n_judged == 59


def test_a_stop_judges_what_was_reached():
    features, labels = clouds()
    job = find_label_errors(features, labelled(labels), systems.create("few_shot"))
    event = next(job)
    assert (event.done, event.total) == (1, 5)
    with pytest.raises(StopIteration) as end:
        job.send(Command.STOP)
    assert end.value.value.n_judged == 12


def test_a_class_with_one_usable_cell_is_a_sentence():
    features, labels = clouds(n=6)
    features[0] = np.nan
    with pytest.raises(InputError, match="'a' has fewer than two labelled cells"):
        run_inline(find_label_errors(features, labelled(labels), systems.create("few_shot")))
