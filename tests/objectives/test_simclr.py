import numpy as np
import pytest
import torch
from toy_crops import build_network, toy_batch, unit_vectors

from napari_cryoml.objectives import CropBatch, crop_objectives
from napari_cryoml.objectives._simclr import nt_xent


def plain(one, other, temperature):
    """Return equation 1 of Chen et al. 2020, averaged over both orders of all pairs."""
    z = np.empty((2 * len(one), one.shape[1]))
    z[0::2], z[1::2] = one, other
    values = []
    for k in range(len(one)):
        for i, j in ((2 * k, 2 * k + 1), (2 * k + 1, 2 * k)):
            similarity = np.exp(z @ z[i] / temperature)
            others = [similarity[m] for m in range(len(z)) if m != i]
            values.append(-np.log(similarity[j] / np.sum(others)))
    return np.mean(values)


@pytest.mark.parametrize("temperature", [0.05, 0.5])
@pytest.mark.parametrize("n", [2, 7])
def test_equation_of_the_paper(n, temperature):
    one, other = unit_vectors(2, n, 5)
    found = nt_xent(torch.from_numpy(one), torch.from_numpy(other), temperature)
    assert found.item() == pytest.approx(plain(one, other, temperature))


def test_equal_views_of_orthogonal_crops_are_nearly_free():
    eye = torch.eye(4)
    assert nt_xent(eye, eye, 0.05).item() < 1e-6
    assert nt_xent(eye, eye.roll(1, 0), 0.05).item() > 10


def test_a_single_crop_costs_nothing():
    one, other = torch.from_numpy(unit_vectors(2, 1, 5)).requires_grad_()
    loss = nt_xent(one, other, 0.1)
    assert loss.item() == 0


def test_half_precision_does_not_reach_the_similarities():
    one, other = torch.from_numpy(unit_vectors(2, 8, 16)).float()
    with torch.autocast("cpu", torch.bfloat16):
        found = nt_xent(one, other, 0.05)
    torch.testing.assert_close(found, nt_xent(one, other, 0.05))


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_loss_is_that_of_the_projections(ndim):
    config = crop_objectives.create("simclr", hidden=16, projection=8)
    objective = config.build(build_network("toy", ndim)).eval()
    batch, _ = toy_batch(4, ndim, 2)
    network = objective.network
    with torch.inference_mode():
        vectors = [objective.head(network.vectors(network.feature_map(v))) for v in batch.views]
        found = objective(batch).total.item()
    one, other = (v.numpy() / np.linalg.norm(v.numpy(), axis=1, keepdims=True) for v in vectors)
    assert found == pytest.approx(plain(one, other, 0.1), rel=1e-4)


def test_which_view_comes_first_does_not_matter():
    objective = crop_objectives.create("simclr").build(build_network("toy", 2)).eval()
    batch, _ = toy_batch(4, 2, 2)
    turned = CropBatch(batch.views[::-1], batch.labels, batch.rows)
    torch.testing.assert_close(objective(batch).total, objective(turned).total)


def test_classes_are_not_trained():
    objective = crop_objectives.create("simclr").build(build_network("toy", 2))
    objective(toy_batch(4, 2, 2)[0]).total.backward()
    assert objective.network.head.weight.grad is None
    assert objective.network.layers[0].weight.grad is not None
    assert not objective.network.head.weight.isnan().any()
