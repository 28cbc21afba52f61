import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from toy_crops import build_network, toy_batch

from napari_cryoml.objectives import CropBatch, crop_objectives
from napari_cryoml.objectives._class_loss import ClassLoss


def class_loss(n_classes=3, **options):
    return ClassLoss(n_classes, crop_objectives.create("supervised", **options))


def plain(scores, labels, smoothing=0.0, weights=None):
    """Return the mean cross entropy in numpy."""
    weights = np.ones(scores.shape[1]) if weights is None else weights
    values = []
    for score, label in zip(scores, labels, strict=True):
        if label >= 0:
            log_p = log_softmax(score)
            value = -(1 - smoothing) * log_p[label] - smoothing * log_p.mean()
            values.append(weights[label] * value)
    return np.mean(values)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_of_the_labelled(smoothing):
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=(6, 3)), np.array([0, 2, -1, 1, -1, 0])
    loss = class_loss(label_smoothing=smoothing)
    found = loss(torch.from_numpy(scores), torch.from_numpy(labels))
    assert found.item() == pytest.approx(plain(scores, labels, smoothing))


def test_balanced_weights_follow_what_was_seen():
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=(5, 3)), np.array([0, 0, 0, 1, -1])
    loss = class_loss(class_weights="balanced").train()
    found = loss(torch.from_numpy(scores), torch.from_numpy(labels))
    weights = np.array([4 / (2 * 3), 4 / (2 * 1), 0])  # two classes seen, 3 and 1 of 4 crops
    assert found.item() == pytest.approx(plain(scores, labels, weights=weights), rel=1e-6)
    assert loss.seen.tolist() == [3, 1, 0]


def test_balanced_classes_pull_alike():
    scores = torch.zeros(10, 2, requires_grad=True)
    labels = torch.tensor([0] * 9 + [1])
    class_loss(2, class_weights="balanced")(scores, labels).backward()
    torch.testing.assert_close(scores.grad[labels == 0].sum(0), -scores.grad[labels == 1].sum(0))


def test_nothing_is_counted_in_evaluation():
    loss = class_loss().eval()
    loss(torch.zeros(2, 3), torch.tensor([0, 1]))
    assert loss.seen.tolist() == [0, 0, 0]


def test_crops_without_a_label_do_not_pass_the_network():
    network = build_network("toy", 2)
    objective = crop_objectives.create("supervised").build(network)
    batch, _ = toy_batch(4, 2, 1, labelled=0.0)
    before = network.layers[1].running_mean.clone()
    loss = objective.train()(batch)
    assert loss.total.item() == 0
    assert torch.equal(network.layers[1].running_mean, before)


def test_what_is_learnt_holds_for_other_crops():
    torch.manual_seed(0)
    objective = crop_objectives.create("supervised").build(build_network("toy", 3))
    optimiser = torch.optim.Adam(objective.parameters(), lr=0.02)
    batch, _ = toy_batch(16, 3, 1, labelled=1.0)
    for _ in range(60):
        optimiser.zero_grad()
        objective(batch).total.backward()
        optimiser.step()
    others, classes = toy_batch(40, 3, 1, seed=7)
    found = objective.eval().logits(others.views[0]).argmax(1)
    assert (found == classes).float().mean() > 0.95


def test_the_network_asks_for_one_view():
    objective = crop_objectives.create("supervised").build(build_network("toy", 2))
    assert objective.n_views == 1
    assert objective.begin_epoch(0, lambda: pytest.fail("not needed")) is None
    assert isinstance(toy_batch(2, 2, 1)[0], CropBatch)
