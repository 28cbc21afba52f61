import math

import pytest
import torch
from torch import nn

from napari_cryoml.training import OptimizerConfig
from napari_cryoml.training._optimizer import LARS, build_optimizer, rate_share


@pytest.mark.parametrize("kind", ["adamw", "adam", "sgd", "lars"])
def test_every_optimiser_descends(kind: str) -> None:
    torch.manual_seed(0)
    module = nn.Linear(3, 2)
    rate = 0.5 if kind == "lars" else 0.05
    optimizer = build_optimizer(module, OptimizerConfig(kind=kind, learning_rate=rate))
    losses = []
    for _ in range(100):
        optimizer.zero_grad()
        loss = (module.weight - 1).square().sum() + module.bias.square().sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    # LARS moves a layer by a thousandth of its norm at most.
    assert losses[-1] < (0.9 if kind == "lars" else 0.2) * losses[0]


def test_lars_scales_matrices_and_leaves_biases_alone() -> None:
    weight = nn.Parameter(torch.tensor([[3.0, 4.0]]))
    bias = nn.Parameter(torch.tensor([2.0]))
    weight.grad, bias.grad = torch.tensor([[0.0, 2.0]]), torch.tensor([0.5])
    LARS([weight, bias], lr=0.1, momentum=0.9, weight_decay=0.01, trust=0.001).step()
    ratio = 0.001 * 5 / (2 + 0.01 * 5)
    expected = torch.tensor([[3 - 0.1 * ratio * 0.03, 4 - 0.1 * ratio * 2.04]])
    assert torch.allclose(weight.detach(), expected, atol=1e-7, rtol=0)
    assert torch.allclose(bias.detach(), torch.tensor([2 - 0.1 * 0.5]))


def test_lars_gathers_momentum() -> None:
    bias = nn.Parameter(torch.zeros(1))
    optimizer = LARS([bias], lr=1.0, momentum=0.5)
    for _ in range(3):
        bias.grad = torch.ones(1)
        optimizer.step()
    assert bias.item() == pytest.approx(-(1 + 1.5 + 1.75))


def test_lars_moves_a_layer_of_zeros() -> None:
    weight = nn.Parameter(torch.zeros(2, 2))
    weight.grad = torch.ones(2, 2)
    LARS([weight], lr=0.1).step()
    assert torch.allclose(weight.detach(), torch.full((2, 2), -0.1))


def test_frozen_weights_are_left_out() -> None:
    module = nn.Linear(2, 2)
    module.bias.requires_grad_(False)
    (group,) = build_optimizer(module, OptimizerConfig()).param_groups
    assert len(group["params"]) == 1


@pytest.mark.parametrize(
    ("schedule", "step", "progress", "share"),
    [
        ("linear", 50, 0.25, 0.75),
        ("linear", 200, 1.1, 0.0),
        ("cosine", 50, 0.0, 1.0),
        ("cosine", 50, 0.5, 0.5),
        ("cosine", 50, 0.25, (1 + math.cos(math.pi / 4)) / 2),
        ("inverse_time", 100, 0.9, 1 / (1 + 0.01 * 100)),
        ("constant", 100, 0.9, 1.0),
        ("steps", 100, 0.49, 1.0),
        ("steps", 100, 0.5, 0.1),
        ("steps", 100, 0.9, 0.001),
    ],
)
def test_schedules(schedule: str, step: int, progress: float, share: float) -> None:
    config = OptimizerConfig(schedule=schedule, decay=0.01)
    assert rate_share(config, step, progress) == pytest.approx(share)


def test_the_step_size_rises_over_the_warm_up() -> None:
    config = OptimizerConfig(schedule="constant", warm_up=4)
    assert [rate_share(config, step, 0) for step in range(5)] == [0.25, 0.5, 0.75, 1, 1]
    assert rate_share(config.model_copy(update={"warm_up": 0}), 0, 0) == 1
