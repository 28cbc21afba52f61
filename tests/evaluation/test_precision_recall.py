"""Curves whose points can be counted by hand."""

import json
import math

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.evaluation import PrecisionRecall


def test_a_short_list_by_hand():
    curve = PrecisionRecall.of([0.9, 0.8, 0.7, 0.6], [True, False, True, False], n_truth=4)
    np.testing.assert_array_equal(curve.thresholds, [0.9, 0.8, 0.7, 0.6])
    np.testing.assert_allclose(curve.precision, [1, 1 / 2, 2 / 3, 1 / 2])
    np.testing.assert_allclose(curve.recall, [1 / 4, 1 / 4, 1 / 2, 1 / 2])
    assert curve.average_precision == pytest.approx((1 + 2 / 3) / 4)
    assert curve.precision_at_recall == pytest.approx({0.25: 1, 0.5: 2 / 3, 0.75: 0, 0.9: 0})
    np.testing.assert_allclose(curve.f1, [2 / 5, 1 / 3, 4 / 7, 1 / 2])
    assert curve.best_f1 == pytest.approx(4 / 7)
    assert curve.best_threshold == 0.7


def test_order_of_the_rows_does_not_matter():
    rng = np.random.default_rng(0)
    scores, matched = rng.integers(0, 5, 50), rng.random(50) < 0.5
    one = PrecisionRecall.of(scores, matched, 40)
    order = rng.permutation(50)
    other = PrecisionRecall.of(scores[order], matched[order], 40)
    assert len(one.thresholds) == 5
    np.testing.assert_array_equal(one.precision, other.precision)
    assert one.average_precision == other.average_precision


def test_equal_scores_enter_together():
    curve = PrecisionRecall.of(np.ones(4), [True, False, False, False], n_truth=2)
    np.testing.assert_allclose(curve.precision, [1 / 4])
    assert curve.average_precision == pytest.approx(1 / 4 * 1 / 2)


def test_equals_a_loop_over_the_thresholds():
    rng = np.random.default_rng(3)
    scores, matched = rng.normal(size=80).round(1), rng.random(80) < 0.6
    average, last = 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        kept = scores >= threshold
        recall = matched[kept].sum() / 70
        average += matched[kept].mean() * (recall - last)
        last = recall
    assert PrecisionRecall.of(scores, matched, 70).average_precision == pytest.approx(average)


def test_perfect_picks():
    curve = PrecisionRecall.of(np.arange(10), np.ones(10, bool), 10)
    assert curve.average_precision == pytest.approx(1)
    assert curve.best_f1 == 1
    assert set(curve.precision_at_recall.values()) == {1.0}


def test_nine_of_ten_reach_a_recall_of_nine_tenths():
    curve = PrecisionRecall.of(np.arange(9), np.ones(9, bool), 10)
    assert curve.precision_at_recall[0.9] == 1


def test_no_picks_score_zero():
    curve = PrecisionRecall.of([], [], n_truth=3)
    assert (curve.average_precision, curve.best_f1, curve.n_picks) == (0, 0, 0)
    assert math.isnan(curve.best_threshold)


@pytest.mark.parametrize("n_picks", [0, 2])
def test_no_truth_has_no_figure(n_picks):
    curve = PrecisionRecall.of(np.ones(n_picks), np.zeros(n_picks, bool), n_truth=0)
    assert math.isnan(curve.average_precision)
    assert math.isnan(curve.best_f1)
    written = json.loads(json.dumps(curve.to_json(), allow_nan=False))
    assert written["average_precision"] is None
    assert written["precision_at_recall"] == dict.fromkeys(["0.25", "0.5", "0.75", "0.9"])
    assert (written["n_truth"], written["n_picks"]) == (0, n_picks)


def test_nan_scores_are_refused():
    with pytest.raises(InputError, match="1 of 2 scores are NaN"):
        PrecisionRecall.of([0, np.nan], [True, True], 2)
