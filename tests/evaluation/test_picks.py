"""Picks of several images against their true particles."""

import json

import numpy as np
import pytest

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.evaluation import evaluate_picks


def picks(image, positions, scores=None):
    return Picks(image, np.array(positions, float), scores)


@pytest.mark.parametrize("ndim", [2, 3])
def test_truth_agrees_with_itself(ndim):
    positions = np.random.default_rng(0).uniform(0, 100, (20, ndim))
    truth = [Picks("a", positions), Picks("b", positions + 1)]
    evaluation = evaluate_picks(truth, PicksTable.of(truth), 3)
    assert evaluation.pooled.average_precision == pytest.approx(1)
    assert list(evaluation.per_image) == ["a", "b"]
    assert evaluation.pooled.n_truth == evaluation.pooled.n_picks == 40


def test_images_are_ranked_together():
    truth = [picks("a", [[0, 0]]), picks("b", [[0, 0]])]
    found = [picks("a", [[0, 1]], [0.9]), picks("b", [[50, 50], [1, 0]], [0.8, 0.1])]
    evaluation = evaluate_picks(found, truth, 2)
    assert evaluation.per_image["a"].average_precision == 1
    assert evaluation.per_image["b"].average_precision == pytest.approx(1 / 2)
    assert evaluation.pooled.average_precision == pytest.approx(1 / 2 + 1 / 2 * 2 / 3)


def test_a_position_counts_only_in_its_own_image():
    truth = [picks("a", [[0, 0]]), picks("b", [[9, 9]])]
    evaluation = evaluate_picks([picks("a", [[9, 9]]), picks("b", [[0, 0]])], truth, 2)
    assert evaluation.pooled.average_precision == 0


def test_images_without_picks_are_missed():
    truth = [picks("a", [[0, 0]]), picks("b", [[0, 0]])]
    evaluation = evaluate_picks([picks("a", [[0, 0]])], truth, 2)
    assert evaluation.per_image["b"].average_precision == 0
    assert evaluation.pooled.average_precision == pytest.approx(1 / 2)


def test_picks_of_an_empty_image_are_wrong():
    truth = [picks("a", [[0, 0]]), picks("b", [])]
    evaluation = evaluate_picks([picks("a", [[0, 0]]), picks("b", [[5, 5]])], truth, 2)
    assert evaluation.pooled.average_precision == pytest.approx(1 / 2)
    assert np.isnan(evaluation.per_image["b"].average_precision)


def test_images_the_truth_does_not_name_are_left_out():
    with pytest.warns(InputWarning, match="1 images with picks, 'b' first, are left out"):
        evaluation = evaluate_picks(
            [picks("a", [[0, 0]]), picks("b", [[5, 5]])], [picks("a", [[0, 0]])], 2
        )
    assert evaluation.pooled.n_picks == 1


def test_parts_of_one_image_are_joined():
    truth = [picks("a", [[0, 0]]), picks("a", [[9, 9]])]
    evaluation = evaluate_picks([picks("a", [[9, 9]]), picks("a", [[0, 0]])], truth, 2)
    assert evaluation.pooled.average_precision == 1


def test_no_picks_at_all():
    evaluation = evaluate_picks([], [picks("a", [[0, 0]])], 2)
    assert evaluation.pooled.average_precision == 0
    assert evaluation.pooled.n_truth == 1


def test_json_holds_the_pooled_figures_at_the_top():
    written = evaluate_picks([picks("a", [[0, 0]], [1.5])], [picks("a", [[0, 0]])], 2).to_json()
    assert json.loads(json.dumps(written, allow_nan=False)) == written
    assert written["average_precision"] == 1
    assert written["precision_at_recall"] == {"0.25": 1, "0.5": 1, "0.75": 1, "0.9": 1}
    assert (written["best_f1"], written["best_threshold"]) == (1, 1.5)
    assert (written["n_truth"], written["n_picks"], written["radius"]) == (1, 1, 2)
    assert written["per_image"]["a"]["n_picks"] == 1


@pytest.mark.parametrize(
    ("found", "complaint"),
    [
        ([picks("a", [[0, 0]], [np.nan])], "NaN"),
        ([picks("a", [[0, 0]], [1]), picks("b", [[0, 0]])], "'b' have no scores"),
        ([picks("c", [[0, 0]])], "no image in common"),
        ([picks("a", [[0, 0, 0]])], "axes"),
        ([picks("a", [[0, 0, 0]]), picks("a", [[0, 0]])], "axes"),
    ],
)
def test_unusable_picks_are_refused(found, complaint):
    with pytest.raises(InputError, match=complaint):
        evaluate_picks(found, [picks("a", [[0, 0]]), picks("b", [[0, 0]])], 2)
