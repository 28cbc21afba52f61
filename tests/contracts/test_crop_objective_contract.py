"""Every registered objective for crops keeps these promises, in 2-D and 3-D, on each network."""

import pytest
import torch
from toy_crops import build_network, toy_batch

from napari_cryoml.objectives import CropObjectiveConfig, crop_objectives

SMALL = {
    "inpainting": {"width": 1 / 16},
    "m2": {"hidden": 32, "latent": 4},
    "simclr": {"hidden": 16, "projection": 8},
    "moco": {"projection": 8, "queue": 16},
    "swav": {"hidden": 16, "projection": 8},
}


@pytest.fixture(params=list(crop_objectives))
def config(request) -> CropObjectiveConfig:
    return crop_objectives.create(request.param, **SMALL.get(request.param, {}))


@pytest.fixture(params=[2, 3])
def ndim(request):
    return request.param


LARGER = [pytest.param(name, marks=pytest.mark.slow) for name in ("compact", "autoencoder")]


@pytest.fixture(params=["toy", "flat", *LARGER])
def network(request, ndim):
    return build_network(request.param, ndim)


def train(objective, batches, rate=3e-3):
    """Return the total of each step."""
    optimiser = torch.optim.Adam(objective.parameters(), lr=rate)
    objective.train()
    totals = []
    for batch in batches:
        loss = objective(batch)
        optimiser.zero_grad()
        loss.total.backward()
        optimiser.step()
        totals.append(loss.total.item())
    return totals


def check_step(objective, batch):
    """Take a backward pass and look at the loss and the gradients."""
    objective.train()
    loss = objective(batch)
    loss.total.backward()
    gradients = [p.grad for p in objective.parameters() if p.grad is not None]
    assert gradients
    assert loss.total.shape == ()
    assert loss.total.dtype == torch.float32
    assert torch.isfinite(loss.total)
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    assert all(torch.isfinite(term) for term in loss.terms.values())
    assert not any(term.requires_grad for term in loss.terms.values())


def test_the_config_survives_json(config):
    assert type(config).model_validate_json(config.model_dump_json()) == config
    assert crop_objectives[config.name] is type(config)
    assert all(field.description for field in type(config).model_fields.values())


def test_the_loss_decreases(config, network, ndim):
    torch.manual_seed(0)
    objective = config.build(network)
    batches = [toy_batch(16, ndim, objective.n_views, epoch=1, seed=seed)[0] for seed in range(4)]
    totals = train(objective, [batches[step % 4] for step in range(24)])
    assert sum(totals[-4:]) < sum(totals[1:5])  # a queue is filled by the first step


@pytest.mark.parametrize(("n", "labelled"), [(1, 0), (1, 1), (2, 0.5), (8, 0), (8, 1)])
def test_degenerate_batches(config, network, ndim, n, labelled):
    objective = config.build(network)
    check_step(objective, toy_batch(n, ndim, objective.n_views, labelled)[0])


def test_half_precision(config, network, ndim):
    objective = config.build(network)
    with torch.autocast("cpu", torch.bfloat16):
        check_step(objective, toy_batch(16, ndim, objective.n_views)[0])


@pytest.mark.parametrize("name", ["toy", "flat"])
def test_crops_of_two_channels(config, name, ndim):
    objective = config.build(build_network(name, ndim, n_channels=2))
    check_step(objective, toy_batch(16, ndim, objective.n_views, n_channels=2)[0])
    crops = toy_batch(3, ndim, 1, n_channels=2)[0].views[0]
    with torch.inference_mode():
        drawn = objective.eval().reconstruct(crops)
    assert drawn is None or drawn.shape == crops.shape


@pytest.mark.parametrize("n_channels", [1, 2])
def test_the_state_comes_back(config, ndim, n_channels):
    torch.manual_seed(0)
    one, other = (
        config.build(build_network("toy", ndim, seed=seed, n_channels=n_channels))
        for seed in (0, 1)
    )
    batch, _ = toy_batch(16, ndim, one.n_views, epoch=1, n_channels=n_channels)
    train(one, [batch] * 2)
    other.load_state_dict(one.state_dict())
    one.eval(), other.eval()
    with torch.inference_mode():
        torch.testing.assert_close(one(batch).total, other(batch).total)
        torch.testing.assert_close(one.logits(batch.views[0]), other.logits(batch.views[0]))


def test_evaluation_changes_nothing(config, ndim):
    objective = config.build(build_network("toy", ndim)).eval()
    batch, _ = toy_batch(16, ndim, objective.n_views)
    before = {name: tensor.clone() for name, tensor in objective.state_dict().items()}
    with torch.inference_mode():
        first, second = objective(batch).total, objective(batch).total
    torch.testing.assert_close(first, second)
    assert all(torch.equal(tensor, before[name]) for name, tensor in objective.state_dict().items())


def test_labels_matter_where_the_config_says_so(config, ndim):
    objective = config.build(build_network("toy", ndim))
    objective.eval()
    batch, classes = toy_batch(16, ndim, objective.n_views, labelled=1.0)
    turned = type(batch)(batch.views, 1 - classes, batch.rows)
    with torch.inference_mode():
        same = torch.equal(objective(batch).total, objective(turned).total)
    assert same != config.uses_labels


def test_logits_and_reconstructions_have_their_shapes(config, network, ndim):
    objective = config.build(network).eval()
    crops = toy_batch(3, ndim, 1)[0].views[0]
    with torch.inference_mode():
        assert objective.logits(crops).shape == (3, 2)
        drawn = objective.reconstruct(crops)
    assert drawn is None or drawn.shape == crops.shape
