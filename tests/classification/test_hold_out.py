import numpy as np
import pytest

from napari_cryoml.classification._calibration import fit_temperature, softmax
from napari_cryoml.classification._hold_out import hold_out

CLASSES = ("x", "y")


def test_each_class_gives_the_same_share():
    labels = np.array([0] * 20 + [-1] * 5 + [1] * 10)
    split = hold_out(labels, 0.2, 0, CLASSES)
    assert np.bincount(labels[split.held]).tolist() == [4, 2]
    assert sorted([*split.train, *split.held]) == np.flatnonzero(labels >= 0).tolist()
    assert split.lacking == ""
    again = hold_out(labels, 0.2, 1, CLASSES)
    assert again.held.tolist() != split.held.tolist()


def test_nothing_is_held_out_of_few_labels():
    labels = np.array([0] * 20 + [1, 1])
    split = hold_out(labels, 0.2, 0, CLASSES)
    assert len(split.held) == 0
    assert len(split.train) == 22
    assert split.lacking == "'y' (2 labels)"


def test_nothing_is_held_out_and_nothing_said_if_nothing_is_asked_for():
    split = hold_out(np.array([0, 0, 1, 1]), 0, 0, CLASSES)
    assert (len(split.train), len(split.held), split.lacking) == (4, 0, "")


def test_probabilities_of_scores():
    chances = softmax(np.array([[0, 0], [1000, 0]], np.float32))
    assert chances.tolist() == [[0.5, 0.5], [1, 0]]


@pytest.mark.parametrize("true", [0.3, 1.0, 4.0])
def test_the_temperature_that_scores_were_made_with_is_found(true):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 3)).astype(np.float32) * 2
    chances = softmax(logits)
    labels = np.array([rng.choice(3, p=row / row.sum()) for row in chances.astype(float)])
    assert fit_temperature(logits * true, labels) == pytest.approx(true, rel=0.1)


def test_few_items_leave_the_temperature_alone():
    assert fit_temperature(np.eye(3, dtype=np.float32), np.arange(3)) == 1
