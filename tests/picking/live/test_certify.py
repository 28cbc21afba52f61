import json

import numpy as np
import pytest
from scipy import stats

from napari_cryoml._errors import InputError
from napari_cryoml.picking.live._certify import (
    Certificate,
    best_threshold,
    certify,
    precision_bound,
    review_threshold,
    wrong_allowed,
)
from napari_cryoml.picking.live._review import picks_digest, plan_review


def _answer(plan, truth, stages=1):
    asked = np.concatenate([plan.stage(k) for k in range(stages)])
    return {int(i): "yes" if truth[i] else "no" for i in asked}


def _list_of_picks(rng, n, precision, slope):
    """Scores from 1 to 0 and truths whose mean is about `precision`, purer at the top."""
    scores = np.linspace(1, 0, n)
    chance = np.clip(precision + slope * (scores - 0.5), 0, 1)
    return scores, rng.random(n) < chance


def test_bound_of_thirty_right_of_thirty():
    assert precision_bound(30, 30) == pytest.approx(0.05 ** (1 / 30))
    assert precision_bound(0, 30) == 0


def test_bound_is_where_the_tail_of_the_binomial_is_one_minus_the_confidence():
    bound = precision_bound(41, 45, 0.9)
    assert stats.binom.sf(40, 45, bound) == pytest.approx(0.1)


@pytest.mark.parametrize(("size", "wrong"), [(28, -1), (29, 0), (30, 0), (46, 1), (61, 2)])
def test_wrong_allowed(size, wrong):
    assert wrong_allowed(size) == wrong


def test_plan_draws_one_pick_from_each_band_of_equal_number():
    scores = np.random.default_rng(0).permutation(np.linspace(0, 1, 300))
    plan = plan_review(scores, size=30, seed=1)
    ranks = np.argsort(np.argsort(-scores))[plan.stage(0)]
    np.testing.assert_array_equal(ranks // 10, np.arange(30))


def test_plan_is_the_same_for_the_same_seed_only():
    scores = np.linspace(0, 1, 300)
    first, again, other = (plan_review(scores, seed=seed).stage(0) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("n_picks", [31, 45, 100])
def test_every_pick_is_drawn_equally_often_even_where_bands_are_no_whole_number(n_picks):
    scores = np.linspace(1, 0, n_picks)
    times = np.zeros(n_picks)
    for seed in range(2000):
        np.add.at(times, plan_review(scores, size=30, seed=seed).draws, 1)
    assert np.abs(times / 2000 - 30 / n_picks).max() < 5 * np.sqrt(0.25 / 2000)


def test_plan_asks_about_all_picks_where_there_are_few():
    plan = plan_review(np.arange(5.0), size=30)
    assert sorted(plan.stage(0)) == [0, 1, 2, 3, 4]
    certificate = certify(plan, {0: "no", 1: "yes", 2: "yes", 3: "yes", 4: "yes"})
    assert certificate.precision_bound == 0.8


def test_plan_of_one_pick():
    assert certify(plan_review([2.0]), {0: "yes"}).precision_bound == 1.0
    assert certify(plan_review([2.0]), {0: "skip"}).precision_bound == 0.0


def test_stages_go_down_below_the_threshold_and_share_no_pick():
    scores = np.linspace(1, 0, 101)
    plan = plan_review(scores, size=7, threshold=0.7, seed=3)
    asked = np.concatenate([plan.stage(k) for k in range(plan.n_stages)])
    assert len(set(asked.tolist())) == len(asked)
    assert scores[plan.stage(0)].min() >= plan.threshold(0) == pytest.approx(0.7)
    assert scores[plan.stage(1)].max() < 0.7
    assert plan.n_picks(0) == 31
    assert plan.stage(99).size == 0


def test_threshold_of_a_stage_never_splits_equal_scores():
    scores = np.repeat([3.0, 2.0, 1.0], [10, 15, 35])
    plan = plan_review(scores, size=10, threshold=3.0)
    assert plan.n_picks(0) == 10
    assert plan.n_picks(1) == 10
    assert plan.n_picks(2) == 25
    assert plan.n_picks(5) == 60


def test_all_scores_equal():
    plan = plan_review(np.zeros(90))
    certificate = certify(plan, dict.fromkeys(plan.stage(0).tolist(), "yes"))
    assert certificate.n_picks == 90
    assert certificate.precision_bound == pytest.approx(precision_bound(30, 30))


def test_skips_count_as_wrong_and_are_named():
    plan = plan_review(np.linspace(0, 1, 300))
    answers = dict.fromkeys(plan.stage(0).tolist(), "yes")
    answers[int(plan.stage(0)[3])] = "skip"
    certificate = certify(plan, answers)
    assert certificate.precision_bound == pytest.approx(precision_bound(29, 30))
    assert "1 skipped and counted as wrong" in certificate.sentence


def test_sentence():
    plan = plan_review(np.linspace(0, 1, 300))
    certificate = certify(plan, dict.fromkeys(plan.stage(0).tolist(), "yes"))
    assert certificate.sentence == (
        "At least 90.4 % of the 300 picks with a score of 0 or more are particles "
        "(95% confidence; 30 of 30 reviewed picks were right)."
    )


@pytest.mark.parametrize("n_picks", [40, 299, 2000])
@pytest.mark.parametrize(("precision", "slope"), [(0.9, 0.0), (0.85, 0.3), (0.5, 1.0)])
def test_bound_holds_as_often_as_it_says(n_picks, precision, slope):
    rng = np.random.default_rng(n_picks)
    scores, truth = _list_of_picks(rng, n_picks, precision, slope)
    holds = []
    for seed in range(300):
        plan = plan_review(scores, seed=seed)
        holds.append(certify(plan, _answer(plan, truth)).precision_bound <= truth.mean())
    assert np.mean(holds) >= 0.95 - 2 * np.sqrt(0.05 * 0.95 / 300)


@pytest.mark.parametrize("first", [0.2, 0.5])
def test_fixed_sequence_holds_as_often_as_it_says(first):
    rng = np.random.default_rng(5)
    scores = np.linspace(1, 0, 1500)
    truth = rng.random(1500) < np.clip(0.84 + 0.2 * scores, 0, 1)
    n_wrong_claims = n_extended = 0
    for seed in range(300):
        plan = plan_review(scores, threshold=1 - first, size=30, seed=seed)
        stages = plan.n_stages
        found = best_threshold(plan, _answer(plan, truth, stages))
        n_wrong_claims += truth[scores >= found.threshold].mean() < found.precision_bound
        n_extended += found.n_reviewed > 30
    assert n_extended > 0
    assert n_wrong_claims <= 300 * (0.05 + 2 * np.sqrt(0.05 * 0.95 / 300))


def test_fixed_sequence_goes_down_while_the_target_is_proved():
    scores = np.linspace(1, 0, 1000)
    truth = scores > 0.3
    plan = plan_review(scores, threshold=0.8, size=30)
    found = best_threshold(plan, _answer(plan, truth, plan.n_stages))
    assert found.precision_bound == 0.9
    assert found.n_reviewed > 60
    assert found.threshold < 0.5
    assert truth[scores >= found.threshold].mean() >= 0.9


def test_fixed_sequence_stops_at_a_stage_that_was_not_reviewed_in_full():
    scores = np.linspace(1, 0, 1000)
    plan = plan_review(scores, threshold=0.8)
    answers = _answer(plan, np.ones(1000, bool), 2)
    del answers[int(plan.stage(1)[0])]
    assert best_threshold(plan, answers).threshold == plan.threshold(0)


def test_fixed_sequence_that_fails_at_once_gives_the_bound_of_the_first_stage():
    plan = plan_review(np.linspace(1, 0, 1000), threshold=0.5)
    answers = _answer(plan, np.arange(1000) % 2 == 0)
    assert best_threshold(plan, answers) == certify(plan, answers)
    assert certify(plan, answers).precision_bound < 0.6


def test_review_threshold_is_the_lowest_with_the_wanted_chance():
    log_odds = np.r_[np.full(200, 7.0), np.full(200, -2.0)]
    assert review_threshold(log_odds) == 7.0
    assert review_threshold(np.full(100, 9.0)) == 9.0
    ladder = np.linspace(5, -5, 1001)
    threshold = review_threshold(ladder, power=0.5)
    precision = (1 / (1 + np.exp(-ladder[ladder >= threshold]))).mean()
    assert precision**30 == pytest.approx(0.5, abs=0.01)


def test_review_threshold_of_hopeless_picks_leaves_enough_to_review():
    log_odds = np.linspace(-3, -5, 100)
    assert np.count_nonzero(log_odds >= review_threshold(log_odds)) == 30
    assert review_threshold([0.5]) == 0.5


def test_certificate_is_void_for_another_list():
    scores, positions = np.array([1.0, 2.0]), np.array([[3.0, 4.0], [5.0, 6.0]])
    plan = plan_review(scores, positions=positions)
    certificate = certify(plan, {0: "yes", 1: "yes"})
    assert certificate.holds_for(scores, positions)
    assert certificate.holds_for(scores.astype(np.float32), positions)
    assert not certificate.holds_for(scores, positions + 1)
    assert not certificate.holds_for(scores[:1], positions[:1])


def test_digest_tells_scores_from_positions():
    assert picks_digest([], [1.0]) != picks_digest([1.0], [])
    assert picks_digest([0.0]) == picks_digest([-0.0])


def test_certificate_survives_json():
    certificate = certify(plan_review([1.0, 2.0]), {0: "yes", 1: "skip"})
    assert Certificate.from_json(json.loads(json.dumps(certificate.to_json()))) == certificate


@pytest.mark.parametrize(
    ("scores", "options", "words"),
    [
        ([], {}, "None of the 0 picks"),
        ([1.0, 2.0], {"threshold": 3.0}, "lower it"),
        ([1.0, np.nan], {}, "finite"),
        ([1.0], {"size": 0}, "1 pick or more"),
    ],
)
def test_plan_refuses(scores, options, words):
    with pytest.raises(InputError, match=words):
        plan_review(scores, **options)


def test_certify_refuses_missing_and_unknown_answers():
    plan = plan_review([1.0, 2.0])
    with pytest.raises(InputError, match="1 of the picks"):
        certify(plan, {0: "yes"})
    with pytest.raises(InputError, match="'maybe'"):
        certify(plan, {0: "yes", 1: "maybe"})


def test_review_threshold_refuses_no_picks():
    with pytest.raises(InputError, match="none came"):
        review_threshold([])
