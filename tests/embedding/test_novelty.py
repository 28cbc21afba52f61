"""What is unlike the labelled rows scores high, and how high is told by classes left out."""

import numpy as np
import pytest
from scipy.special import logsumexp

from napari_cryoml._errors import InputError
from napari_cryoml.embedding import _novelty, _novelty_calibration
from napari_cryoml.embedding._novelty import NoveltyConfig, novelty
from napari_cryoml.embedding._novelty_methods import (
    METHODS,
    energy,
    mahalanobis,
    neighbours,
    neighbours_of_known,
)

every_method = pytest.mark.parametrize("method", [*METHODS, "auto"])


def blobs(n_classes=5, n=60, d=6, far=9.0, seed=0):
    """Return rows around points that lie far apart, in random order, and whose they are."""
    rng = np.random.default_rng(seed)
    kind = rng.permutation(np.repeat(np.arange(n_classes), n))
    return far * np.eye(n_classes, d)[kind] + rng.normal(size=(len(kind), d)), kind


def labelled(kind, new=0, every=2):
    """Return the names of the classes of every second row, none of the new class."""
    names = np.array([f"class {number}" for number in kind])
    names[(np.arange(len(kind)) % every != 0) | (kind == new)] = ""
    return names


@every_method
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_new_class_stands_out(method, dtype):
    vectors, kind = blobs()
    classes = labelled(kind)
    found = novelty(vectors.astype(dtype), classes, NoveltyConfig(method=method))
    known, new = (classes == "") & (kind != 0), kind == 0
    assert found.method in METHODS
    assert np.median(found.scores[new]) > np.quantile(found.scores[known], 0.95)
    assert found.probability[new].mean() > 0.8
    assert found.probability[known].mean() < 0.2
    assert (found.scores[known] > found.threshold).mean() < 0.15
    assert (found.scores[new] > found.threshold).mean() > 0.9
    np.testing.assert_array_equal(
        found.is_new, (found.scores > np.float32(found.threshold)) & (classes == "")
    )
    assert (found.probability[classes != ""] == 0).all()
    assert set(found.auroc) == {f"class {number}" for number in range(1, 5)}
    assert found.mean_auroc > 0.9
    assert found.notes == ()


def test_auto_takes_the_best_of_all_methods():
    vectors, kind = blobs(far=3.0)
    found = novelty(vectors, labelled(kind))
    assert set(found.compared) == set(METHODS)
    assert found.compared[found.method] == max(found.compared.values()) == found.mean_auroc


def test_classes_that_cannot_be_told_are_admitted():
    rng = np.random.default_rng(0)
    classes = np.array(["a", "b", "c", ""])[rng.integers(4, size=400)]
    found = novelty(rng.normal(size=(400, 5)), classes, NoveltyConfig(method="neighbours"))
    assert 0.35 < found.mean_auroc < 0.65
    unlabelled = found.probability[classes == ""]
    assert 0.3 < unlabelled.mean() < 0.7
    assert unlabelled.std() < 0.2


def test_share_moves_probabilities_and_false_alarms_move_the_threshold():
    vectors, kind = blobs(far=3.0)
    classes = labelled(kind)
    rare, common = (novelty(vectors, classes, NoveltyConfig(share=s)) for s in (0.01, 0.8))
    unlabelled = classes == ""
    assert rare.probability[unlabelled].mean() < common.probability[unlabelled].mean()
    strict, loose = (novelty(vectors, classes, NoveltyConfig(false_alarms=f)) for f in (0.01, 0.3))
    assert strict.threshold > loose.threshold


@pytest.mark.parametrize("method", ["neighbours", "mahalanobis", "auto"])
def test_one_class_is_calibrated_by_its_own_spread(method):
    vectors, kind = blobs(n_classes=2, n=200)
    classes = np.where((kind == 1) & (np.arange(400) % 2 == 0), "one", "")
    found = novelty(vectors, classes, NoveltyConfig(method=method))
    assert "No class could be left out" in found.notes[0]
    assert found.auroc == {}
    assert np.isnan(found.mean_auroc)
    assert (found.scores[kind == 0] > found.threshold).mean() > 0.95
    assert (found.scores[(kind == 1) & (classes == "")] > found.threshold).mean() < 0.2


def test_energy_of_one_class_is_refused():
    with pytest.raises(InputError, match="two labelled classes"):
        novelty(np.eye(4), ["a", "a", "", ""], NoveltyConfig(method="energy"))


@every_method
def test_few_labels(method):
    vectors, kind = blobs()
    classes = np.full(len(kind), "", dtype="<U7")
    classes[np.flatnonzero(kind == 1)[0]] = "one"
    classes[np.flatnonzero(kind == 2)[0]] = "another"
    found = novelty(vectors, classes, NoveltyConfig(method=method))
    assert np.isfinite(found.scores).all()
    assert np.isfinite(found.probability).all()
    assert "No class has 3 labelled rows" in found.notes[0]


@pytest.mark.parametrize(("n_classes", "is_told"), [(2, True), (3, False)])
def test_two_classes_flatter(n_classes, is_told):
    vectors, kind = blobs(n_classes=n_classes + 1)
    found = novelty(vectors, labelled(kind), NoveltyConfig(method="neighbours"))
    assert len(found.auroc) == n_classes
    assert any("optimistic with two classes" in note for note in found.notes) == is_told


@every_method
@pytest.mark.parametrize("n_rows", [1, 2])
def test_too_few_rows_of_each_class_call_nothing_new(method, n_rows):
    vectors = np.random.default_rng(0).normal(size=(300, 8))
    classes = np.full(300, "", dtype="<U1")
    classes[: 3 * n_rows] = np.tile(["a", "b", "c"], n_rows)
    found = novelty(vectors, classes, NoveltyConfig(method=method, share=0.2))
    assert not found.is_new.any()
    assert np.isnan(found.threshold)
    np.testing.assert_allclose(found.probability[classes == ""], 0.2, rtol=1e-6)
    assert len(found.notes) == 1


@pytest.mark.parametrize("n_rows", [3, 6])
def test_rows_like_the_few_that_are_known_are_not_called_new(n_rows):
    vectors = np.random.default_rng(0).normal(size=(300, 8))
    classes = np.full(300, "", dtype="<U1")
    classes[: 3 * n_rows] = np.tile(["a", "b", "c"], n_rows)
    found = novelty(vectors, classes, NoveltyConfig(method="neighbours"))
    assert found.is_new.mean() < 0.2


@every_method
@pytest.mark.parametrize("n", [1, 2, 12])
def test_equal_rows(method, n):
    classes = np.array(["a", "b"] * 6)[:n]
    if n == 1 and method == "energy":
        pytest.skip("needs two classes")
    found = novelty(np.ones((n, 3)), classes, NoveltyConfig(method=method))
    assert np.isfinite(found.scores).all()
    assert (found.probability == 0).all()


def test_rows_that_are_not_finite_are_set_aside():
    vectors, kind = blobs()
    classes = labelled(kind)
    vectors[[0, 1]] = np.nan
    found = novelty(vectors, classes)
    assert np.isnan(found.scores[:2]).all()
    assert np.isnan(found.probability[:2]).all()
    assert np.isfinite(found.scores[2:]).all()
    assert not found.is_new[:2].any()
    assert "not finite: 2 of 300 rows" in found.notes[0]


@pytest.mark.parametrize(
    ("classes", "sentence"),
    [(["", "", ""], "No row is labelled"), (["a"], "needs a class"), (["", "", "a"], "No row")],
)
def test_labels_that_cannot_be_used_are_refused(classes, sentence):
    vectors = np.eye(3)
    vectors[2] = np.nan
    with pytest.raises(InputError, match=sentence):
        novelty(vectors, classes)


def test_many_labelled_rows_are_drawn_from(monkeypatch):
    monkeypatch.setattr(_novelty, "_MOST_KNOWN", 50)
    monkeypatch.setattr(_novelty_calibration, "_MOST_ROWS", 40)
    vectors, kind = blobs()
    found = novelty(vectors, labelled(kind), NoveltyConfig(method="neighbours"))
    assert "50 drawn at random" in found.notes[0]
    new = kind == 0
    assert found.scores[new].min() > np.median(found.scores[~new])


def test_neighbours_are_mean_distances():
    rng = np.random.default_rng(1)
    known, asked = (rng.normal(size=(n, 3)).astype(np.float32) for n in (20, 7))
    distances = np.sort(np.linalg.norm(asked[:, None] - known, axis=-1), axis=1)
    scores = neighbours(known, np.repeat("a", 20), known)(asked)
    np.testing.assert_allclose(scores, distances[:, :5].mean(axis=1), rtol=1e-5)
    among = np.sort(np.linalg.norm(known[:, None] - known, axis=-1), axis=1)
    np.testing.assert_allclose(neighbours_of_known(known), among[:, 1:6].mean(axis=1), rtol=1e-5)


def test_mahalanobis_is_relative_to_all_rows():
    rng = np.random.default_rng(2)
    scales = np.array([1, 5, 0.2])
    known = (rng.normal(size=(4000, 3)) * scales).astype(np.float32)
    background = (rng.normal(size=(4000, 3)) * 2).astype(np.float32)
    classes = np.repeat(["a", "b"], 2000)
    known[2000:] += 10
    asked = rng.normal(size=(50, 3)).astype(np.float32) * 4
    to_a, to_b = (((asked - centre) / scales) ** 2 for centre in (0, 10))
    plain = np.minimum(to_a.sum(axis=1), to_b.sum(axis=1)) - ((asked / 2) ** 2).sum(axis=1)
    scores = mahalanobis(known, classes, background)(asked)
    assert np.corrcoef(scores, plain)[0, 1] > 0.999


@pytest.mark.parametrize("n_classes", [2, 3])
def test_energy_is_that_of_the_logits(n_classes):
    vectors, kind = blobs(n_classes=n_classes)
    vectors = vectors.astype(np.float32)
    scores = energy(vectors, kind.astype(str), vectors)(vectors)
    middle = vectors.mean(axis=0, keepdims=True)
    assert energy(vectors, kind.astype(str), vectors)(middle)[0] > np.quantile(scores, 0.9)
    assert scores.max() <= -logsumexp(np.zeros(n_classes)) + 1e-6  # logits add to nought
