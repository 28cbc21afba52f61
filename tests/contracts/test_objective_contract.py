"""Every registered objective keeps these promises."""

import itertools
import math

import pytest
import torch

from napari_cryoml._errors import InputError
from napari_cryoml.objectives import ObjectiveConfig, objectives

PRIOR = 0.2


@pytest.fixture(params=list(objectives))
def config(request) -> ObjectiveConfig:
    return objectives.create(request.param)


def batch(n_positives, n_negatives, n_unlabelled, dtype=torch.float32):
    """Return logits that take a gradient, and labels."""
    counts = torch.tensor([n_positives, n_negatives, n_unlabelled])
    labels = torch.tensor([1, 0, -1], dtype=torch.int8).repeat_interleave(counts)
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(len(labels), generator=generator).to(dtype).requires_grad_()
    return logits, labels


def test_the_config_survives_json(config):
    assert type(config).model_validate_json(config.model_dump_json()) == config
    assert objectives[config.name] is type(config)
    assert all(field.description for field in type(config).model_fields.values())


@pytest.mark.parametrize("n_negatives", [0, 20])
def test_training_separates_a_toy_problem(config, n_negatives):
    generator = torch.Generator().manual_seed(0)
    truth = (torch.rand(400, generator=generator) < PRIOR).float()
    x = torch.randn(400, 2, generator=generator)
    x[:, 0] += 6 * truth
    labels = torch.full((400,), -1, dtype=torch.int8)
    labels[truth.nonzero()[:20, 0]] = 1
    labels[(truth == 0).nonzero()[:n_negatives, 0]] = 0
    head = torch.nn.Linear(2, 1)
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.constant_(head.bias, math.log(PRIOR / (1 - PRIOR)))  # as start_from_prior does
    optimiser = torch.optim.Adam(head.parameters(), lr=0.05)
    objective = config.build(PRIOR)
    totals = []
    for _ in range(150):
        loss = objective(head(x)[:, 0], labels)
        optimiser.zero_grad()
        loss.total.backward()
        optimiser.step()
        totals.append(loss.total.item())
    scores = head(x)[:, 0].detach()
    order = scores.argsort(descending=True)
    found = truth[order[: int(truth.sum())]].mean().item()
    assert totals[-1] < totals[0]
    assert found > 0.9


@pytest.mark.parametrize("counts", itertools.product([0, 1, 9], repeat=3), ids=str)
def test_degenerate_batches(config, counts):
    logits, labels = batch(*counts)
    loss = config.build(PRIOR)(logits, labels)
    loss.total.backward()
    assert loss.total.shape == ()
    assert torch.isfinite(loss.total)
    assert torch.isfinite(logits.grad).all()
    assert all(torch.isfinite(term) for term in loss.terms.values())
    assert not any(term.requires_grad for term in loss.terms.values())


@pytest.mark.parametrize("scale", [1e-30, 100.0, 1e4])
def test_extreme_scores(config, scale):
    logits, labels = batch(5, 5, 50)
    extreme = (logits * scale).detach().requires_grad_()
    loss = config.build(PRIOR)(extreme, labels)
    loss.total.backward()
    assert torch.isfinite(loss.total)
    assert torch.isfinite(extreme.grad).all()


@pytest.mark.parametrize("prior", [1e-6, 0.999])
def test_extreme_priors(config, prior):
    logits, labels = batch(5, 0, 50)
    loss = config.build(prior)(logits, labels)
    loss.total.backward()
    assert torch.isfinite(loss.total)
    assert torch.isfinite(logits.grad).all()


def test_order_does_not_matter(config):
    logits, labels = batch(5, 4, 50)
    objective = config.build(PRIOR)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))
    there, here = objective(logits, labels), objective(logits[order], labels[order])
    torch.testing.assert_close(there.total, here.total)


def test_labels_pull_in_their_direction(config):
    logits, labels = batch(5, 5, 50)
    config.build(PRIOR)(logits, labels).total.backward()
    assert (logits.grad[labels == 1] < 0).all()
    assert (logits.grad[labels == 0] > 0).all()


def test_items_of_other_labels_are_left_out(config):
    logits, labels = batch(3, 2, 20)
    objective = config.build(PRIOR)
    expected = objective(logits, labels).total
    more = torch.cat([logits, torch.full((4,), 50.0)])
    marked = torch.cat([labels, torch.full((4,), -2, dtype=torch.int8)])
    torch.testing.assert_close(objective(more, marked).total, expected)


def test_half_precision_is_computed_in_single(config):
    logits, labels = batch(5, 5, 200, dtype=torch.bfloat16)
    objective = config.build(PRIOR)
    found = objective(logits, labels).total
    torch.testing.assert_close(found, objective(logits.float(), labels).total)
    assert found.dtype == torch.float32


@pytest.mark.parametrize("prior", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_impossible_priors_get_a_sentence(config, prior):
    with pytest.raises(InputError, match="between 0 and 1"):
        config.build(prior)


def test_logits_and_labels_go_together(config):
    with pytest.raises(ValueError, match="labels"):
        config.build(PRIOR)(torch.zeros(3), torch.zeros(4, dtype=torch.int8))
