import math

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from toy_crops import SIDE, build_network, toy_batch

from napari_cryoml.objectives import crop_objectives
from napari_cryoml.objectives._m2 import ConditionedLayers, _summary


def build(ndim=2, network="toy", **options):
    torch.manual_seed(0)
    options = {"hidden": 24, "latent": 3, **options}
    return crop_objectives.create("m2", **options).build(build_network(network, ndim, 3))


def softplus(x):
    return np.log1p(np.exp(x))


def perceptron(layers, vector, label):
    """Return what a layer of softplus units makes of a vector and a class in one-hot coding."""
    one_hot = np.eye(layers.of_class.num_embeddings)[label]
    to_hidden = np.c_[layers.of_vector.weight.numpy(), layers.of_class.weight.numpy().T]
    hidden = softplus(to_hidden @ np.r_[vector, one_hot] + layers.of_vector.bias.numpy())
    return layers.out.weight.numpy() @ hidden + layers.out.bias.numpy()


def bound(objective, x, features, label):
    """Return L(x, y) with z at the mean of its posterior."""
    mean, log_variance = np.split(perceptron(objective.posterior, features, label), 2)
    drawn = perceptron(objective.generator, mean, label)
    log_p = np.sum(-0.5 * (x - drawn) ** 2 - 0.5 * np.log(2 * np.pi))
    divergence = -0.5 * np.sum(1 + log_variance - mean**2 - np.exp(log_variance))
    return -log_p + divergence - np.log(1 / 3)


@pytest.mark.parametrize("network", ["toy", "flat"])
@pytest.mark.parametrize("ndim", [2, 3])
@torch.inference_mode()
def test_the_bounds_of_the_paper(ndim, network):
    objective = build(ndim, network, alpha=0.3).eval()
    batch, _ = toy_batch(5, ndim, 1, labelled=0.4)
    crops = batch.views[0]
    features = objective.network.feature_map(crops).flatten(1).numpy()
    log_q = log_softmax(objective.network(crops).numpy().astype(float), axis=1)
    total, entropies = 0.0, []
    for row, label in enumerate(batch.labels.tolist()):
        x, q = crops[row].numpy().ravel(), np.exp(log_q[row])
        if label >= 0:
            total += bound(objective, x, features[row], label)
            entropies.append(-log_q[row, label])
        else:
            entropy = -np.sum(q * log_q[row])
            total += sum(q[y] * bound(objective, x, features[row], y) for y in range(3)) - entropy
    found = objective(batch)
    assert found.terms["bound"].item() == pytest.approx(total / 5, rel=1e-5)
    assert found.total.item() == pytest.approx(total / 5 + 0.3 * np.mean(entropies), rel=1e-5)


def test_flat_network_gives_the_perceptrons_of_the_paper():
    objective = crop_objectives.create("m2").build(build_network("flat", 2))
    assert objective.posterior.of_vector.weight.shape == (500, SIDE**2)
    assert objective.posterior.out.weight.shape == (100, 500)
    assert objective.generator.of_vector.weight.shape == (500, 50)
    assert objective.generator.out.weight.shape == (SIDE**2, 500)
    assert objective.network.latent == 500


def test_the_style_is_drawn_in_training():
    objective = build()
    batch, _ = toy_batch(4, 2, 1)
    assert objective.train()(batch).total != objective(batch).total
    assert objective.eval()(batch).total == objective(batch).total


@pytest.mark.parametrize("scale", [1e2, 1e4])
def test_wild_posteriors_stay_finite(scale):
    objective = build()
    with torch.no_grad():
        objective.posterior.out.bias.mul_(scale).add_(scale)
    loss = objective(toy_batch(4, 2, 1)[0])
    loss.total.backward()
    assert torch.isfinite(loss.total)
    assert all(torch.isfinite(p.grad).all() for p in objective.parameters())


@torch.inference_mode()
def test_reconstructions_are_those_of_the_probable_classes():
    objective = build(3).eval()
    crops = toy_batch(2, 3, 1)[0].views[0]
    drawn = objective.reconstruct(crops)
    features = objective.network.feature_map(crops).flatten(1).numpy()
    q = objective.logits(crops).softmax(1).numpy()
    for row in range(2):
        expected = 0.0
        for label in range(3):
            mean = perceptron(objective.posterior, features[row], label)[:3]
            expected = expected + q[row, label] * perceptron(objective.generator, mean, label)
        np.testing.assert_allclose(drawn[row].numpy().ravel(), expected, atol=1e-5)


def test_one_product_serves_all_classes():
    layers = ConditionedLayers(4, 3, 5, 2)
    vectors = torch.randn(2, 4)
    together = layers(vectors, torch.tensor([1, 1, 0]), torch.tensor([0, 2, 0]))
    alone = layers(vectors[1:], torch.tensor([0]), torch.tensor([2]))
    assert together.shape == (3, 2)
    torch.testing.assert_close(together[1:2], alone)


@pytest.mark.parametrize("grid", [(20, 20, 20), (300, 300), (9, 100, 100)])
def test_long_feature_maps_are_seen_coarsely(grid):
    summary, length = _summary((32, *grid))
    assert length == 32 * math.prod(min(side, 8) for side in grid)
    assert summary(torch.zeros(1, 32, *grid)).shape == (1, length)
    assert _summary((4, *(3 for _ in grid)))[1] == 4 * 3 ** len(grid)
