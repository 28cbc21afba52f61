import numpy as np
import pytest
import torch
from toy_crops import build_network, toy_batch, unit_vectors

from napari_cryoml._errors import InputError
from napari_cryoml.objectives import crop_objectives
from napari_cryoml.objectives._moco import info_nce


def build(ndim=2, **options):
    torch.manual_seed(0)
    options = {"projection": 8, "queue": 6, **options}
    return crop_objectives.create("moco", **options).build(build_network("toy", ndim))


@pytest.mark.parametrize("temperature", [0.07, 0.2])
def test_equation_of_the_paper(temperature):
    queries, keys = unit_vectors(2, 3, 5)
    others = unit_vectors(4, 5, seed=1)
    values = []
    for q, k in zip(queries, keys, strict=True):
        own = np.exp(q @ k / temperature)
        rest = sum(np.exp(q @ other / temperature) for other in others)
        values.append(-np.log(own / (own + rest)))
    arrays = [torch.from_numpy(array) for array in (queries, keys, others)]
    assert info_nce(*arrays, temperature).item() == pytest.approx(np.mean(values))


@pytest.mark.parametrize("mlp_head", [False, True])
@pytest.mark.parametrize("ndim", [2, 3])
def test_the_slow_copy_follows(ndim, mlp_head):
    objective = build(ndim, momentum=0.9, mlp_head=mlp_head, hidden=16).train()
    fast, slow = (list(part.parameters()) for part in (objective.network, objective.key_network))
    fast += objective.head.parameters()
    slow += objective.key_head.parameters()
    before = [weight.clone() for weight in slow]
    with torch.no_grad():
        for weight in fast:
            weight.add_(1)
    objective(toy_batch(2, ndim, 2)[0])
    for key, old, query in zip(slow, before, fast, strict=True):
        torch.testing.assert_close(key, 0.9 * old + 0.1 * query)


def test_keys_take_no_gradient():
    objective = build()
    objective(toy_batch(2, 2, 2)[0]).total.backward()
    assert all(weight.grad is None for weight in objective.key_network.parameters())
    assert not any(weight.requires_grad for weight in objective.key_head.parameters())
    assert objective.network.layers[0].weight.grad.abs().sum() > 0


def test_the_oldest_keys_make_room():
    objective = build().train()
    start = objective.queue.clone()
    norms = objective.queue.norm(dim=1)
    torch.testing.assert_close(norms, torch.ones_like(norms))
    objective(toy_batch(4, 2, 2)[0])
    first = objective.queue.clone()
    assert (first[:4] != start[:4]).any(dim=1).all()
    assert torch.equal(first[4:], start[4:])
    objective(toy_batch(4, 2, 2, seed=3)[0])  # goes on at the end, and around to the beginning
    second = objective.queue
    assert (second[[4, 5, 0, 1]] != first[[4, 5, 0, 1]]).any(dim=1).all()
    assert torch.equal(second[2:4], first[2:4])
    assert objective.oldest == 2


def test_a_batch_larger_than_the_queue_leaves_its_last_keys():
    objective = build(queue=2).train()
    objective(toy_batch(5, 2, 2)[0])
    assert objective.queue.shape == (2, 8)
    assert objective.oldest == 0


@torch.no_grad()
def test_crops_are_told_from_the_queue_as_it_was():
    objective = build(momentum=1.0).eval()
    batch, _ = toy_batch(3, 2, 2)
    expected = objective(batch).total
    before = objective.queue.clone()
    assert torch.equal(objective.queue, before)
    features = objective.network.vectors(objective.network.feature_map(batch.views[0]))
    queries = torch.nn.functional.normalize(objective.head(features), dim=1)
    features = objective.key_network.vectors(objective.key_network.feature_map(batch.views[1]))
    keys = torch.nn.functional.normalize(objective.key_head(features), dim=1)
    torch.testing.assert_close(expected, info_nce(queries, keys, before, 0.2))


def test_the_batch_divides_the_queue():
    config = crop_objectives.create("moco", queue=128)
    config.check(16, 1000)
    config.check(128, 1000)
    with pytest.raises(InputError, match="batch of 48 came: take a batch of 64, or a queue of 144"):
        config.check(48, 1000)
    with pytest.raises(InputError, match="batch of 128, or a queue of 200"):
        config.check(200, 1000)
