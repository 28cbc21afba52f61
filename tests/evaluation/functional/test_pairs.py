"""Rankings of pairs, against plain reference implementations of scikit-learn."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score, fbeta_score

from napari_cryoml._errors import InputError
from napari_cryoml.evaluation.functional import MetricSpec
from napari_cryoml.evaluation.functional import _pairs as pairs_module
from napari_cryoml.evaluation.functional._pair_metrics import (
    PAIR_METRICS,
    exchanged_metrics,
    precision_by_protein,
    sweep_of,
    weighted_metrics,
)
from napari_cryoml.evaluation.functional._pairs import RankedPairs, prepared

SPEC = MetricSpec()


def toy(n=24, ties=True, seed=0):
    """Return scores and relations of n proteins; scores of few values if there are to be ties."""
    random = np.random.default_rng(seed)
    scores = random.integers(-4, 5, (n, n)) / 8 if ties else random.uniform(-1, 1, (n, n))
    scores = np.triu(scores, 1).astype(np.float32)
    related = np.triu(random.random((n, n)) < 0.15, 1)
    return scores + scores.T, related | related.T


def ranked(scores, related, r=0.25):
    blocks = np.array_split(scores, 3)  # of different heights
    return RankedPairs.of_scores(blocks, related, r)


def plain(scores, related, weights, r=0.25):
    """Return every metric by its definition, pair by pair."""
    i, j = np.triu_indices(len(related), 1)
    weight, truth, score = weights[i] * weights[j], related[i, j], scores[i, j]
    order = np.argsort(-score, kind="stable")
    called = np.cumsum(weight[order]) >= SPEC.q * weight.sum() * (1 - 1e-12)
    at_q = score >= score[order][np.flatnonzero(called)[0]]
    thresholds = [score >= value for value in np.unique(score)]

    def f05(answer):
        if not (weight * answer).any():
            return 0.0
        precision = (weight * truth * answer).sum() / (weight * answer).sum()
        recall = (weight * truth * answer).sum() / (weight * truth).sum()
        return 1.25 * precision * recall / max(0.25 * precision + recall, 1e-12)

    found = {
        "ap_pooled": average_precision_score(truth, score, sample_weight=weight),
        "f05_at_q": f05(at_q),
        "recall_at_q": (weight * truth * at_q).sum() / (weight * truth).sum(),
        "f05_at_r": f05(score >= r),
        "f05_max": max(map(f05, thresholds)),
    }
    rest = [np.delete(np.arange(len(related)), p) for p in range(len(related))]
    precision = [
        average_precision_score(related[p, k], scores[p, k], sample_weight=weights[k])
        if (weights[k] * related[p, k]).any()
        else np.nan
        for p, k in enumerate(rest)
    ]
    known = np.isfinite(precision)
    found["map_protein"] = np.average(np.array(precision)[known], weights=weights[known])
    return found


@pytest.mark.parametrize("ties", [False, True])
def test_metrics_are_those_of_the_definitions(ties) -> None:
    scores, related = toy(ties=ties)
    ones = np.ones(len(related), np.float32)
    found = weighted_metrics(ranked(scores, related), ones[:, None], SPEC)
    expected = plain(scores, related, ones)
    assert {name: float(found[name][0]) for name in PAIR_METRICS} == pytest.approx(expected)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n_draws", [1, 3, 16])
def test_drawn_proteins_count_as_often_as_they_were_drawn(ties, n_draws) -> None:
    scores, related = toy(ties=ties, seed=1)
    n = len(related)
    draws = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), n_draws).T
    found = weighted_metrics(ranked(scores, related), draws.astype(np.float32), SPEC)
    for draw in {0, n_draws - 1}:
        expected = plain(scores, related, draws[:, draw].astype(float))
        assert {m: float(found[m][draw]) for m in PAIR_METRICS} == pytest.approx(expected)


@pytest.mark.parametrize("ties", [False, True])
def test_exchanged_terms_are_those_of_other_proteins(ties) -> None:
    scores, related = toy(ties=ties, seed=2)
    pairs = ranked(scores, related)
    orders = [np.random.default_rng(seed).permutation(pairs.n) for seed in range(8)]
    found = exchanged_metrics(pairs, orders, SPEC)
    for draw in (0, 7):
        moved = np.zeros_like(related)
        moved[np.ix_(orders[draw], orders[draw])] = related
        expected = weighted_metrics(ranked(scores, moved), np.ones((pairs.n, 1), np.float32), SPEC)
        for name in PAIR_METRICS:
            assert found[name][draw] == pytest.approx(expected[name][0]), name


def test_precision_of_each_protein() -> None:
    scores, related = toy(seed=3)
    related[0] = related[:, 0] = False
    found = precision_by_protein(ranked(scores, related))
    assert np.isnan(found[0])
    rest = np.delete(np.arange(len(related)), 5)
    assert found[5] == pytest.approx(average_precision_score(related[5, rest], scores[5, rest]))


def test_a_perfect_ranking_and_its_reverse() -> None:
    groups = np.repeat([0, 1, 2], 4)
    related = groups[:, None] == groups
    pairs = ranked(np.where(related, 0.9, -0.9).astype(np.float32), related)
    ones = np.ones((12, 1), np.float32)
    found = weighted_metrics(pairs, ones, SPEC)
    assert found["ap_pooled"] == found["map_protein"] == found["f05_max"] == 1
    assert found["f05_at_r"] == 1
    turned = weighted_metrics(ranked(np.where(related, -0.9, 0.9), related), ones, SPEC)
    assert turned["f05_at_r"] == 0
    assert turned["ap_pooled"] == pytest.approx(pairs.prevalence)


def test_shares_of_the_pairs() -> None:
    scores, related = toy(ties=False)
    ones = np.ones((len(related), 1), np.float32)
    found = sweep_of(weighted_metrics(ranked(scores, related), ones, SPEC), SPEC)
    assert list(found) == [0.01, 0.02, 0.05, 0.1, 0.15, 0.2]
    i, j = np.triu_indices(len(related), 1)
    called = scores[i, j] >= np.sort(scores[i, j])[-int(np.ceil(0.2 * len(i)))]
    assert found[0.2] == pytest.approx(fbeta_score(related[i, j], called, beta=0.5))


def test_draws_of_one_protein_tell_nothing() -> None:
    scores, related = toy()
    weights = np.zeros((len(related), 2), np.float32)
    weights[3, 0], weights[4:6, 1] = len(related), 2
    related[4, 5] = related[5, 4] = True
    found = weighted_metrics(ranked(scores, related), weights, SPEC)
    assert all(np.isnan(found[name][0]) for name in PAIR_METRICS)
    assert found["ap_pooled"][1] == found["map_protein"][1] == 1


def test_where_a_pair_stands() -> None:
    scores, related = toy(ties=False)
    pairs = ranked(scores, related)
    values = scores[pairs.first, pairs.second]
    assert (np.diff(values) < 0).all()
    assert (values[: pairs.n_above] >= 0.25).all()
    assert (values[pairs.n_above :] < 0.25).all()
    i, j = np.triu_indices(len(related), 1)
    assert (pairs.first[pairs.places] == i).all()
    assert (pairs.second[pairs.places] == j).all()
    assert pairs.n_related == related[i, j].sum()


def test_products_of_prepared_vectors_are_correlations() -> None:
    vectors = np.random.default_rng(0).normal(size=(6, 9)).round(1)
    vectors[0, :3] = 0.1  # ties
    pearson, cosine, spearman = (
        (rows := prepared(vectors, kind)) @ rows.T for kind in ("pearson", "cosine", "spearman")
    )
    assert pearson == pytest.approx(np.corrcoef(vectors))
    assert spearman == pytest.approx(spearmanr(vectors, axis=1).statistic)
    assert cosine[0, 1] == pytest.approx(
        vectors[0] @ vectors[1] / np.sqrt((vectors[0] ** 2).sum() * (vectors[1] ** 2).sum())
    )


@pytest.mark.parametrize("scale", [1e-9, 0.1, 3e7])
def test_constant_vectors_have_no_correlation(scale) -> None:
    rows = prepared(np.array([[scale] * 7, np.arange(7) * scale]), "pearson")
    assert np.isnan(rows[0]).all()
    assert np.isfinite(rows[1]).all()


def test_too_many_proteins(monkeypatch) -> None:
    monkeypatch.setattr(pairs_module, "MOST_PROTEINS", 5)
    with pytest.raises(InputError, match="At most 5 proteins can be compared"):
        ranked(*toy(6))
