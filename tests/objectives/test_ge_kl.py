import numpy as np
import pytest
import torch
from plain_numpy import draw, labelled_term, sigmoid, value

from napari_cryoml.objectives import GEKL


def formula(positives, negatives, unlabelled, prior, slack):
    p = sigmoid(unlabelled).mean()
    divergence = prior * np.log(prior / p) + (1 - prior) * np.log((1 - prior) / (1 - p))
    return labelled_term(positives, negatives) + slack * divergence


@pytest.mark.parametrize("n_negatives", [0, 5])
@pytest.mark.parametrize("slack", [0.0, 10.0, 100.0])
def test_formula(n_negatives, slack):
    groups = draw(16, n_negatives, 240)
    objective = GEKL(slack=slack).build(0.02)
    assert value(objective, groups) == pytest.approx(formula(*groups, 0.02, slack), rel=1e-9)


def test_a_mean_at_the_prior_costs_nothing():
    logits = torch.full((50,), float(np.log(0.1 / 0.9)), dtype=torch.float64)
    loss = GEKL().build(0.1)(logits, torch.full((50,), -1, dtype=torch.int8))
    assert loss.total.item() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("extreme", [-200.0, 200.0])
def test_saturated_scores_are_pushed_back(extreme):
    logits = torch.full((10,), extreme, requires_grad=True)
    loss = GEKL().build(0.1)(logits, torch.full((10,), -1, dtype=torch.int8))
    loss.total.backward()
    assert torch.isfinite(loss.total)
    assert (torch.sign(logits.grad) == np.sign(extreme)).all()
