import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from napari_cryoml.data import Standard
from napari_cryoml.evaluation.functional import MetricSpec
from napari_cryoml.evaluation.functional._clusters import (
    Agreement,
    Clusterings,
    curve_numbers,
    one_label_each,
)
from napari_cryoml.evaluation.functional._pairs import prepared


def labellings(seed=0, n=80):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 5, n)
    return labels, np.where(random.random(n) < 0.5, labels, random.integers(0, 9, n))


@pytest.mark.parametrize("seed", range(3))
def test_mutual_information_is_that_of_scikit_learn(seed) -> None:
    labels, clusters = labellings(seed)
    found = Agreement(labels, clusters).value
    assert found == pytest.approx(adjusted_mutual_info_score(labels, clusters))


def test_exchanged_labels() -> None:
    labels, clusters = labellings()
    orders = np.stack([np.random.default_rng(seed).permutation(len(labels)) for seed in (1, 2)])
    found = Agreement(labels, clusters).exchanged(orders)
    expected = [adjusted_mutual_info_score(labels[order], clusters) for order in orders]
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("labels", "clusters"),
    [([0, 0, 1, 1], [1, 1, 0, 0]), ([0, 0, 0], [0, 0, 0]), ([0, 1, 2], [0, 0, 0])],
)
def test_plain_cases(labels, clusters) -> None:
    found = Agreement(np.array(labels), np.array(clusters)).value
    assert found == pytest.approx(adjusted_mutual_info_score(labels, clusters))


@pytest.mark.parametrize("clustering", ["average", "kmeans"])
def test_groups_far_apart_are_found(clustering) -> None:
    random = np.random.default_rng(0)
    groups = np.repeat([0, 1, 2], 8)
    rows = prepared(
        random.normal(size=(3, 10))[groups] + 0.01 * random.normal(size=(24, 10)), "cosine"
    )
    made = Clusterings(rows, MetricSpec(clustering=clustering))
    assert Agreement(groups, made.of(3)).value == pytest.approx(1)
    chosen = np.arange(0, 24, 2)
    assert Agreement(groups[chosen], made.of_some(chosen, 3)).value == pytest.approx(1)
    assert len(np.unique(made.of(100))) <= 24


def test_one_label_a_protein() -> None:
    standard = Standard(
        "toy", {"big": {"a", "b", "c", "d"}, "small": {"a", "e"}, "twin": {"f", "g"}}
    )
    names = np.array(["a", "b", "e", "x", "f"])
    single = one_label_each(names, standard, MetricSpec())
    assert single.tolist() == [-1, 0, 1, -1, 2]
    smallest = one_label_each(names, standard, MetricSpec(labels="smallest"))
    assert smallest.tolist() == [1, 0, 1, -1, 2]


def test_numbers_of_a_curve() -> None:
    numbers = curve_numbers(100, 7)
    assert numbers[0] == 2
    assert numbers[-1] == 50
    assert 7 in numbers
    assert list(numbers) == sorted(set(numbers))
