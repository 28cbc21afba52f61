import numpy as np
import pytest
import torch
from plain_numpy import draw, labelled_term, sigmoid, value
from scipy.stats import binom

from napari_cryoml.objectives import GEBinomial, _ge_binomial
from napari_cryoml.objectives._ge_binomial import count_cross_entropy


def expectation(unlabelled, prior):
    n = len(unlabelled)
    p = sigmoid(unlabelled)
    mu, variance = p.sum(), max((p * (1 - p)).sum(), 1 / 12)
    k = np.arange(n + 1)
    log_q = -((k - mu) ** 2) / (2 * variance)
    q = np.exp(log_q - log_q.max())
    return -(q / q.sum() * binom.logpmf(k, n, prior)).sum()


def formula(positives, negatives, unlabelled, prior, slack):
    return labelled_term(positives, negatives) + slack * expectation(unlabelled, prior)


@pytest.mark.parametrize("n_negatives", [0, 5])
@pytest.mark.parametrize(("slack", "prior"), [(0.0, 0.1), (1.0, 0.02), (2.5, 0.5)])
def test_formula(n_negatives, slack, prior):
    groups = draw(16, n_negatives, 240)
    objective = GEBinomial(slack=slack).build(prior)
    assert value(objective, groups) == pytest.approx(formula(*groups, prior, slack), rel=1e-9)


@pytest.mark.parametrize("shift", [-12.0, -4.0, 0.0, 12.0])
@pytest.mark.parametrize("n", [1, 2, 240, 1000])
def test_expectation(n, shift):
    unlabelled = draw(0, 0, n, shift=shift)[2]
    found = count_cross_entropy(torch.from_numpy(unlabelled), 0.03).item()
    assert found == pytest.approx(expectation(unlabelled, 0.03), rel=1e-7)


def test_several_groups_give_the_mean_of_each():
    rows = [draw(0, 0, 50, shift=shift)[2] for shift in (-4.0, -2.0, 0.0)]
    found = count_cross_entropy(torch.from_numpy(np.stack(rows)), 0.1).item()
    assert found == pytest.approx(np.mean([expectation(row, 0.1) for row in rows]))


def test_large_steps_are_counted_in_groups():
    alike = np.full(10_007, -3.0)
    positives, negatives, _ = draw(4, 0, 0)
    objective = GEBinomial(group=100).build(0.05)
    found = value(objective, (positives, negatives, alike))
    assert found == pytest.approx(formula(positives, negatives, alike[:100], 0.05, 1.0), rel=1e-9)


def test_a_group_is_drawn_from_all_items():
    torch.manual_seed(0)
    groups = _ge_binomial._split(torch.arange(1000.0), 100)
    assert groups.shape == (10, 100)
    assert groups.unique().numel() == 1000
    assert groups[0].max() - groups[0].min() > 500


def test_gradients_are_those_of_finite_differences():
    logits = torch.from_numpy(draw(0, 0, 12)[2]).requires_grad_()
    assert torch.autograd.gradcheck(lambda s: count_cross_entropy(s, 0.2), logits)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("extreme", [-100.0, -20.0, 20.0, 100.0])
@pytest.mark.parametrize("n", [1, 240, 1000])
def test_saturated_scores_have_finite_gradients(n, extreme, dtype):
    logits = torch.full((n,), extreme, dtype=dtype, requires_grad=True)
    loss = count_cross_entropy(logits, 0.02)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()


def test_undecided_between_two_counts_the_gradient_is_bounded():
    logits = torch.tensor([100.0, 0.0, -100.0, -100.0], requires_grad=True)
    count_cross_entropy(logits, 0.01).backward()
    assert logits.grad.abs().max() < 100


def test_the_least_loss_is_at_the_expected_count():
    n, prior = 200, 0.05
    rows = torch.where(torch.ones(n, n).tril() > 0, 30.0, -30.0)  # row i: i + 1 sure positives
    losses = [count_cross_entropy(row, prior).item() for row in rows]
    assert int(np.argmin(losses)) + 1 == n * prior


def test_the_binomial_is_computed_once():
    _ge_binomial._log_binomial.cache_clear()
    objective = GEBinomial().build(0.1)
    groups = draw(4, 0, 30)
    value(objective, groups)
    value(objective, groups)
    assert _ge_binomial._log_binomial.cache_info().misses == 1
