"""Classes spread along neighbours, and rows say truly how sure they are."""

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.embedding._confidence import Confidence
from napari_cryoml.embedding._neighbour_graph import neighbour_graph
from napari_cryoml.embedding._spreading import SpreadConfig, _normalised, _solved, spread_labels


def moons(n=150, seed=0):
    """Return rows on two arcs that no line parts, and whose they are."""
    rng = np.random.default_rng(seed)
    angle = np.pi * rng.random((2, n))
    upper = np.stack([np.cos(angle[0]), np.sin(angle[0])], axis=1)
    lower = np.stack([1 - np.cos(angle[1]), 0.5 - np.sin(angle[1])], axis=1)
    rows = np.concatenate([upper, lower]) + rng.normal(0, 0.04, size=(2 * n, 2))
    return rows, np.repeat(["upper", "lower"], n)


def blobs(n=40, n_classes=3, far=5.0, seed=0):
    rng = np.random.default_rng(seed)
    kind = rng.permutation(np.repeat(np.arange(n_classes), n))
    rows = far * np.eye(n_classes, 4)[kind] + rng.normal(size=(len(kind), 4))
    return rows, np.array(["a", "b", "c", "d", "e"])[kind]


def some(truth, each, seed=0):
    """Return the classes of `each` rows of every class."""
    rng = np.random.default_rng(seed)
    classes = np.full(len(truth), "", truth.dtype)
    for name in np.unique(truth):
        rows = rng.choice(np.flatnonzero(truth == name), each, replace=False)
        classes[rows] = name
    return classes


def test_classes_follow_the_shape_of_the_data():
    vectors, truth = moons()
    found = spread_labels(vectors, some(truth, 6), SpreadConfig(neighbours=8, reach=0.99))
    assert (found.guesses == truth).mean() > 0.97
    assert found.accuracy > 0.8
    assert found.notes == ()


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_labelled_rows_keep_their_class(dtype):
    vectors, truth = blobs()
    classes = some(truth, 5)
    wrong = np.flatnonzero(classes == "a")[0]
    classes[wrong] = "b"
    found = spread_labels(vectors.astype(dtype), classes)
    labelled = classes != ""
    np.testing.assert_array_equal(found.classes[labelled], classes[labelled])
    assert (found.confidence[labelled] == 1).all()


def test_unsure_rows_stay_without_a_class():
    vectors, truth = blobs(far=2.5)
    classes = some(truth, 8)
    sure, all_of = (
        spread_labels(vectors, classes, SpreadConfig(least_confidence=least)) for least in (0.9, 0)
    )
    is_sure = sure.classes != ""
    assert 0 < is_sure.mean() < 1
    assert (all_of.classes != "").all()
    np.testing.assert_array_equal(sure.guesses, all_of.classes)
    np.testing.assert_array_equal(is_sure, sure.confidence >= 0.9)
    right = all_of.classes == truth
    assert right[is_sure].mean() > right[~is_sure].mean()


def test_confidence_is_how_often_rows_are_right():
    vectors, truth = blobs(n=300, far=2.5)
    classes = some(truth, 60)
    found = spread_labels(vectors, classes)
    unknown = classes == ""
    right = (found.guesses == truth)[unknown]
    assert found.accuracy == pytest.approx(right.mean(), abs=0.08)
    assert found.confidence[unknown].mean() == pytest.approx(right.mean(), abs=0.08)
    assert sum(part.count for part in found.reliability) == 180
    held_out = [part.confidence for part in found.reliability]
    assert held_out == sorted(held_out)
    for part in found.reliability:
        assert part.right == pytest.approx(part.confidence, abs=0.25)


def test_same_seed_same_answer():
    vectors, truth = blobs(far=2.5)
    first, second = (spread_labels(vectors, some(truth, 8)) for _ in range(2))
    np.testing.assert_array_equal(first.confidence, second.confidence)
    assert first.reliability == second.reliability


def test_one_row_of_each_class_cannot_be_held_out():
    vectors, truth = blobs(far=9.0)
    found = spread_labels(vectors, some(truth, 1))
    assert np.isnan(found.accuracy)
    assert found.reliability == ()
    assert "none could be held out" in found.notes[0]
    assert (found.guesses == truth).mean() > 0.9


def test_one_class_alone_takes_all_it_reaches():
    vectors, truth = blobs(far=100.0)
    classes = np.where((truth == "a") & (np.arange(len(truth)) % 3 == 0), "a", "")
    found = spread_labels(vectors, classes, SpreadConfig(neighbours=5))
    assert (found.guesses[truth == "a"] == "a").all()
    assert (found.guesses[truth != "a"] == "").all()
    assert (found.confidence[truth != "a"] == 0).all()
    assert "No label reaches 80 rows" in found.notes[-1]


def test_size_of_a_class_gives_no_advantage():
    vectors, truth = blobs(far=6.0)
    classes = np.where(truth == "a", "a", some(truth, 2))
    found = spread_labels(vectors, classes)
    assert (found.guesses == truth).mean() > 0.95


def test_rows_that_are_not_finite_are_set_aside():
    vectors, truth = blobs(far=9.0)
    classes = some(truth, 4)
    classes[0] = truth[0]
    vectors[0] = np.nan
    found = spread_labels(vectors, classes)
    assert (found.classes[0], found.confidence[0]) == ("", 0)
    assert "not finite: 1 of 120 rows" in found.notes[0]


@pytest.mark.parametrize("n", [1, 2, 9])
def test_few_and_equal_rows(n):
    classes = np.array(["a", "", "b"] * 3)[:n]
    found = spread_labels(np.ones((n, 2)), classes)
    assert found.classes.shape == (n,)
    assert np.isfinite(found.confidence).all()


@pytest.mark.parametrize(
    ("classes", "sentence"), [(["", "", ""], "No row is labelled"), (["a"], "needs a class")]
)
def test_labels_that_cannot_be_used_are_refused(classes, sentence):
    with pytest.raises(InputError, match=sentence):
        spread_labels(np.eye(3), classes)


@pytest.mark.parametrize("reach", [0.1, 0.9, 0.99])
def test_spreading_solves_the_equation(reach):
    vectors = np.random.default_rng(3).normal(size=(50, 3)).astype(np.float32)
    graph = _normalised(neighbour_graph(vectors, 5))
    target = np.zeros((50, 2), np.float32)
    target[:10, 0] = target[40:, 1] = 0.1
    plain = np.linalg.solve(np.eye(50) - reach * graph.toarray(), target)
    np.testing.assert_allclose(_solved(graph, target, reach), plain, atol=2e-3 * plain.max())


def test_confidence_rises_from_chance_where_little_is_held_out():
    raw, right = np.array([0.8, 0.9, 0.95, 0.99]), np.array([True, True, True, True])
    curve = Confidence.fitted(raw, right, n_classes=2)
    values = curve(np.array([0.5, 0.65, 0.8, 1.0]))
    assert values[0] == 0.5
    assert (np.diff(values) >= 0).all()
    assert 0.5 < values[1] < values[2] < 1
