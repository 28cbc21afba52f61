import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from toy_crops import build_network, toy_batch

from napari_cryoml.objectives import crop_objectives


def build(ndim=2, **options):
    torch.manual_seed(0)
    return crop_objectives.create("autoencoding", **options).build(build_network("toy", ndim))


@pytest.mark.parametrize("ndim", [2, 3])
def test_joint_loss_of_the_paper(ndim):
    objective = build(ndim, alpha=0.7, beta=1.3, activity=0.01).eval()
    batch, _ = toy_batch(6, ndim, 1)
    crops = batch.views[0]
    with torch.inference_mode():
        feature_map = objective.network.feature_map(crops)
        drawn, code = (tensor.numpy() for tensor in objective.decoder(feature_map))
        log_p = log_softmax(objective.network(crops).numpy(), axis=1)
        found = objective(batch)
    squares = [np.mean((x - y) ** 2) for x, y in zip(crops.numpy(), drawn, strict=True)]
    entropies = [-log_p[i, y] for i, y in enumerate(batch.labels.tolist()) if y >= 0]
    activity = np.mean(np.abs(code).sum(axis=1))
    expected = 0.7 * np.mean(squares) + 1.3 * np.mean(entropies) + 0.01 * activity
    assert found.total.item() == pytest.approx(expected, rel=1e-5)
    assert found.terms["classes"].item() == pytest.approx(np.mean(entropies), rel=1e-5)


def test_without_beta_no_class_is_learnt():
    objective = build(beta=0)
    batch, _ = toy_batch(4, 2, 1)
    loss = objective(batch)
    loss.total.backward()
    assert "classes" not in loss.terms
    assert objective.network.head.weight.grad is None
    assert objective.network.layers[0].weight.grad.abs().sum() > 0


def test_unlabelled_crops_teach_the_encoder():
    objective = build(activity=0)
    batch, _ = toy_batch(4, 2, 1, labelled=0.0)
    objective(batch).total.backward()
    assert objective.network.layers[0].weight.grad.abs().sum() > 0
    assert objective.network.head.weight.grad.abs().sum() == 0


@pytest.mark.parametrize("ndim", [2, 3])
def test_reconstructions_come_to_resemble_the_crops(ndim):
    objective = build(ndim, activity=0).train()
    optimiser = torch.optim.Adam(objective.parameters(), lr=1e-2)
    batch, _ = toy_batch(8, ndim, 1)
    for _ in range(40):
        optimiser.zero_grad()
        objective(batch).total.backward()
        optimiser.step()
    others, _ = toy_batch(8, ndim, 1, seed=5)
    with torch.inference_mode():
        drawn = objective.eval().reconstruct(others.views[0])
    error = (drawn - others.views[0]).square().mean().item()
    assert error < 0.5  # crops have a mean square of 1
