import numpy as np
import pytest

from napari_cryoml.data import Annotations
from napari_cryoml.picking._validation import EstimatedCurve, RankedPicks, hold_out


def _labels(*counts: int) -> dict[str, Annotations]:
    rng = np.random.default_rng(0)
    return {
        f"image {i}": Annotations.of_positives(rng.random((n, 2))) for i, n in enumerate(counts)
    }


def test_few_labels_are_all_trained_on() -> None:
    labels = _labels(10, 4)
    held = hold_out(labels, 0.2, seed=0)
    assert not held.independent
    assert len(held.training["image 0"]) == 10
    assert len(held.positives["image 0"]) == 10


def test_labels_of_few_images_are_split_and_none_is_lost() -> None:
    labels = _labels(30, 20)
    held = hold_out(labels, 0.2, seed=0)
    assert held.independent
    assert not held.whole_images
    assert sum(len(rows) for rows in held.positives.values()) == 10
    for image, entry in labels.items():
        both = np.concatenate([held.training[image].positions, held.positives[image]])
        assert sorted(map(tuple, both)) == sorted(map(tuple, entry.positions))


def test_with_many_images_whole_ones_are_held_out() -> None:
    held = hold_out(_labels(10, 10, 10, 10, 10, 0), 0.2, seed=1)
    assert len(held.whole_images) == 1
    assert set(held.positives) == set(held.whole_images)
    assert not held.whole_images & set(held.training)


def test_labelled_negatives_always_train() -> None:
    labels = {"a": Annotations(np.random.default_rng(0).random((60, 2)), [1, 0] * 30)}
    held = hold_out(labels, 0.2, seed=0)
    assert len(held.training["a"].negatives) == 30
    assert len(held.training["a"].positives) == 24


def test_the_seed_decides_the_split() -> None:
    first, second = (hold_out(_labels(40), 0.2, seed=3).positives["image 0"] for _ in range(2))
    assert np.array_equal(first, second)


def _ranked(found: list[bool]) -> RankedPicks:
    return RankedPicks(-np.arange(len(found), dtype=np.float32), np.array(found, bool))


def _ap(ranked: list[RankedPicks], n_held_out: int, n_particles: float) -> float:
    return EstimatedCurve.of(ranked, n_held_out, n_particles).average_precision


def test_with_all_particles_labelled_it_is_the_average_precision() -> None:
    found = [True, False, True, True, False]
    expected = (1 / 1 + 2 / 3 + 3 / 4) / 4
    assert _ap([_ranked(found)], 4, 4) == pytest.approx(expected)


def test_a_perfect_ranking_of_unlabelled_particles_scores_high() -> None:
    rng = np.random.default_rng(0)
    labelled = np.zeros(400, bool)
    labelled[rng.choice(200, 50, replace=False)] = True
    found = labelled.tolist()
    assert _ap([_ranked(found)], 50, 200) > 0.9
    shuffled = rng.permutation(labelled).tolist()
    assert _ap([_ranked(shuffled)], 50, 200) < 0.65


def test_nothing_found_or_nothing_to_find_is_zero() -> None:
    assert _ap([_ranked([False])], 3, 3) == 0
    assert _ap([_ranked([])], 3, 3) == 0
    assert _ap([], 0, 3) == 0


def test_picks_of_labels_that_were_shown_do_not_count() -> None:
    positions = np.array([[0.0, 0], [50, 50], [90, 90]])
    ranked = RankedPicks.of(
        positions,
        np.array([3, 2, 1], np.float32),
        held_out=np.array([[51.0, 50]]),
        shown=np.array([[0.0, 1]]),
        radius=5,
    )
    assert ranked.found.tolist() == [True, False]


def test_the_proposed_threshold_is_where_f1_is_largest() -> None:
    curve = EstimatedCurve.of([_ranked([True, True, False, True, False, False])], 3, 3)
    assert curve.best_threshold() == -3
    assert EstimatedCurve.of([_ranked([False])], 3, 3).best_threshold() is None


def test_with_few_of_the_particles_labelled_as_many_are_proposed_as_are_expected() -> None:
    found = [True] * 5 + [False] * 95
    assert EstimatedCurve.of([_ranked(found)], 5, 40).best_threshold() == -39
