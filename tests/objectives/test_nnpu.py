import numpy as np
import pytest
import torch
from plain_numpy import cross_entropy, draw, value

from napari_cryoml.objectives import NNPU


def formula(positives, negatives, unlabelled, prior, share=0.5, beta=0.0, gamma=1.0):
    unseen = cross_entropy(unlabelled, 0).mean() - prior * cross_entropy(positives, 0).mean()
    if unseen < -beta:
        return -gamma * unseen
    total = prior * cross_entropy(positives, 1).mean()
    if not len(negatives):
        return total + unseen
    labelled = (1 - prior) * cross_entropy(negatives, 0).mean()
    return total + (1 - share) * unseen + share * labelled


@pytest.mark.parametrize("n_negatives", [0, 5])
@pytest.mark.parametrize("prior", [0.02, 0.3, 0.9])
def test_formula(n_negatives, prior):
    groups = draw(16, n_negatives, 240)
    objective = NNPU(negative_share=0.3).build(prior)
    assert value(objective, groups) == pytest.approx(formula(*groups, prior, 0.3), rel=1e-9)


@pytest.mark.parametrize(("beta", "gamma"), [(0.0, 1.0), (0.0, 0.5), (0.1, 1.0), (99.0, 1.0)])
def test_correction(beta, gamma):
    groups = [np.full(3, 4.0), np.empty(0), np.full(8, -4.0)]
    objective = NNPU(beta=beta, gamma=gamma).build(0.5)
    expected = formula(*groups, 0.5, beta=beta, gamma=gamma)
    assert value(objective, groups) == pytest.approx(expected, rel=1e-9)


def test_the_correction_climbs_out_of_overfitting():
    logits = torch.tensor([4.0, 4.0, -4.0, -4.0], requires_grad=True)
    labels = torch.tensor([1, 1, -1, -1], dtype=torch.int8)
    NNPU().build(0.5)(logits, labels).total.backward()
    downhill = -logits.grad
    assert (downhill[:2] < 0).all(), "positives are less sure"
    assert (downhill[2:] > 0).all(), "unlabelled items less negative"


def test_the_log_shows_the_risk_and_not_the_correction():
    logits = torch.tensor([4.0, -4.0])
    labels = torch.tensor([1, -1], dtype=torch.int8)
    terms = NNPU().build(0.5)(logits, labels).terms
    assert terms["positive"].item() == pytest.approx(0.5 * np.log1p(np.exp(-4)), rel=1e-5)
    assert terms["negative"].item() == 0


def test_without_unlabelled_items_positives_are_not_pushed_down():
    logits = torch.zeros(2, requires_grad=True)
    NNPU().build(0.3)(logits, torch.ones(2, dtype=torch.int8)).total.backward()
    assert (logits.grad < 0).all()
