import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from toy_crops import build_network, toy_batch, unit_vectors

from napari_cryoml.objectives import crop_objectives
from napari_cryoml.objectives._swav import sinkhorn


def build(ndim=2, **options):
    torch.manual_seed(0)
    options = {"projection": 8, "hidden": 16, **options}
    return crop_objectives.create("swav", **options).build(build_network("toy", ndim))


def plain_sinkhorn(scores, epsilon=0.05, iterations=3):
    """Return the assignments as in the listing of Caron et al. 2020, appendix A.1."""
    q = np.exp(scores / epsilon).T
    k, b = q.shape
    q /= q.sum()
    for _ in range(iterations):
        q /= q.sum(axis=1, keepdims=True)
        q /= k
        q /= q.sum(axis=0, keepdims=True)
        q /= b
    return (q * b).T


@pytest.mark.parametrize("shape", [(1, 4), (6, 4), (3, 20)])
@pytest.mark.parametrize("iterations", [1, 3])
def test_assignments_are_those_of_the_listing(shape, iterations):
    scores = np.random.default_rng(0).uniform(-1, 1, size=shape)
    found = sinkhorn(torch.from_numpy(scores), 0.05, iterations)
    np.testing.assert_allclose(found, plain_sinkhorn(scores, 0.05, iterations), atol=1e-12)


def test_assignments_use_all_prototypes_alike():
    scores = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, size=(12, 4)))
    found = sinkhorn(scores, 0.5, 100)
    torch.testing.assert_close(found.sum(1), torch.ones(12, dtype=found.dtype))
    torch.testing.assert_close(found.sum(0), torch.full((4,), 3.0, dtype=found.dtype))


def test_extreme_scores_do_not_overflow():
    assert torch.isfinite(sinkhorn(100 * torch.randn(6, 4), 0.01, 3)).all()


def swapped(views, centres, targets, temperature):
    """Return equation 1 with the losses of equation 2."""
    losses = []
    for z, q in ((views[0], targets[1]), (views[1], targets[0])):
        log_p = log_softmax(z @ centres.T / temperature, axis=1)
        losses.append(-np.sum(q * log_p, axis=1).mean())
    return np.mean(losses)


def project(objective, crops):
    network = objective.network
    vectors = objective.head(network.vectors(network.feature_map(crops))).numpy()
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("ndim", [2, 3])
@torch.no_grad()
def test_swapped_prediction_of_the_paper(ndim):
    objective = build(ndim, prototypes=5).eval()
    batch, _ = toy_batch(6, ndim, 2)
    views = [project(objective, view) for view in batch.views]
    centres = objective.prototypes.numpy()
    targets = [plain_sinkhorn(view @ centres.T) for view in views]
    expected = swapped(views, centres, targets, 0.1)
    assert objective(batch).total.item() == pytest.approx(expected, rel=1e-4)


@torch.no_grad()
def test_earlier_crops_are_spread_too():
    objective = build(prototypes=5, queue=4, queue_from=2).eval()
    earlier = unit_vectors(2, 4, 8).astype(np.float32)
    objective.queue.copy_(torch.from_numpy(earlier))
    objective.queued.fill_(4)
    batch, _ = toy_batch(3, 2, 2, epoch=2)
    views = [project(objective, view) for view in batch.views]
    centres = objective.prototypes.numpy()
    pairs = zip(views, earlier, strict=True)
    targets = [plain_sinkhorn(np.r_[view, old] @ centres.T)[:3] for view, old in pairs]
    expected = swapped(views, centres, targets, 0.1)
    assert objective(batch).total.item() == pytest.approx(expected, rel=1e-4)


def test_the_queue_fills_from_its_epoch_on():
    objective = build(queue=5, queue_from=1).train()
    objective(toy_batch(3, 2, 2, epoch=0)[0])
    assert objective.queued == 0
    objective(toy_batch(3, 2, 2, epoch=1)[0])
    first = objective.queue.clone()
    assert objective.queued == 3
    assert not first[:, 3:].any()
    objective(toy_batch(3, 2, 2, epoch=1, seed=4)[0])
    assert objective.queued == 5
    assert torch.equal(objective.queue[:, 3:], first[:, :2])  # the oldest is gone


def test_prototypes_wait_for_an_epoch():
    objective = build().train()
    objective(toy_batch(4, 2, 2, epoch=0)[0]).total.backward()
    assert objective.prototypes.grad is None
    objective(toy_batch(4, 2, 2, epoch=1)[0]).total.backward()
    assert objective.prototypes.grad.abs().sum() > 0


def test_prototypes_have_length_one():
    objective = build().train()
    with torch.no_grad():
        objective.prototypes.mul_(3)
    objective(toy_batch(4, 2, 2)[0])
    norms = objective.prototypes.detach().norm(dim=1)
    torch.testing.assert_close(norms, torch.ones_like(norms))


@pytest.mark.parametrize(
    ("option", "n_classes", "expected"), [("auto", 7, 70), ("auto", 1, 100), (9, 7, 9)]
)
def test_number_of_prototypes(option, n_classes, expected):
    config = crop_objectives.create("swav", prototypes=option)
    assert config.n_prototypes(n_classes) == expected
