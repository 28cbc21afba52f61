"""Both variants of DeepLoc against layers written out one by one."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from napari_cryoml._errors import InputError
from napari_cryoml.models import classifiers

SMALL = {"width": 1 / 16, "hidden": 6, "latent": 5}


def n_weights(name, side, n_classes, n_channels, **options):
    with torch.device("meta"):
        network = classifiers.create(name, **options).build((side,) * 2, n_classes, n_channels)
    return sum(tensor.numel() for tensor in network.parameters())


@pytest.mark.parametrize(
    ("name", "side", "n_classes", "n_channels", "options", "n"),
    [
        ("deeploc", 64, 17, 1, {}, 3_123_409),
        ("deeploc", 64, 17, 2, {}, 3_123_985),
        ("deeploc", 64, 4049, 1, {"hidden": 128, "latent": 64}, 2_729_873),
        ("deeploc_2017", 64, 19, 2, {}, 10_991_417),
        ("deeploc_2017", 60, 19, 2, {}, 10_991_417),
    ],
)
def test_the_weights_are_as_many_as_published(name, side, n_classes, n_channels, options, n):
    assert n_weights(name, side, n_classes, n_channels, **options) == n


@pytest.mark.parametrize(
    ("name", "side", "map_side", "flat_side"),
    [("deeploc", 64, 5, 2), ("deeploc_2017", 64, 16, 8), ("deeploc_2017", 60, 15, 8)],
)
def test_the_grids_are_as_published(name, side, map_side, flat_side):
    network = classifiers.create(name, **SMALL).build((side, side), 3, 2)
    assert network.map_shape == (16, map_side, map_side)
    with torch.no_grad():
        flat = network.flatten(network.feature_map(torch.zeros(2, 2, side, side)))
    assert flat.shape == (2, 16 * flat_side**2)
    assert network.latent == 5


def seen(network):
    """Return a network in evaluation whose batch norms have seen something."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias)
    return network.eval()


def norm(x, layer):
    shape = (1, -1, *[1] * (x.ndim - 2))
    mean, variance = layer.running_mean.reshape(shape), layer.running_var.reshape(shape)
    scaled = (x - mean) / (variance + 1e-3).sqrt()
    return scaled * layer.weight.reshape(shape) + layer.bias.reshape(shape)


def of_kind(module, *kinds):
    return [layer for layer in module.modules() if type(layer) in kinds]


@pytest.mark.parametrize(("padding", "name"), [(0, "deeploc"), (1, "deeploc_2017")])
def test_the_layers_are_those_of_the_tables(name, padding):
    torch.manual_seed(0)
    network = seen(classifiers.create(name, **SMALL).build((53, 64), 3, 2))
    crops = torch.randn(2, 2, 53, 64)
    convolutions = of_kind(network, nn.Conv2d)
    norms = of_kind(network, nn.BatchNorm2d)
    assert [layer.out_channels for layer in convolutions] == [4, 4, 8, 8, 16, 16, 16, 16]
    x = crops
    for number, (layer, after) in enumerate(zip(convolutions, norms, strict=True), start=1):
        x = functional.conv2d(x, layer.weight, layer.bias, padding=padding)
        x = norm(x, after).relu()
        if number in (2, 4, 8):
            x = functional.max_pool2d(x, 2, ceil_mode=name == "deeploc_2017")
    x = x.flatten(1)
    dense = [layer for layer in network.dense.modules() if isinstance(layer, nn.Linear)]
    for layer in dense:
        x = functional.linear(x, layer.weight, layer.bias)
        x = (norm(x, layer.norm) if name == "deeploc_2017" else x).relu()
    with torch.no_grad():
        vectors = network.vectors(network.feature_map(crops))
        torch.testing.assert_close(vectors, x)
        x = functional.linear(x, network.head.weight, network.head.bias)
        x = norm(x, network.head.norm) if name == "deeploc_2017" else x
        torch.testing.assert_close(network(crops), x)
    assert (vectors >= 0).all()
    assert len(dense) == 2


def test_the_first_one_starts_as_in_tensorflow():
    torch.manual_seed(0)
    network = classifiers.create("deeploc_2017").build((24, 24), 3, 2)
    weights = network.dense[0].weight
    assert weights.abs().max() <= 0.2
    # The deviation of the normal distribution cut off at two of its own.
    assert weights.std().item() == pytest.approx(0.088, abs=0.002)
    layers = of_kind(network, nn.Conv2d, type(network.head))
    assert all((layer.bias == 0.1).all() for layer in layers)


def test_the_later_one_starts_as_in_keras():
    torch.manual_seed(0)
    layer = classifiers.create("deeploc").build((64, 64), 3, 2).dense[0][0]
    limit = (6 / (1024 + 512)) ** 0.5
    assert layer.weight.abs().max() <= limit
    assert layer.weight.std().item() == pytest.approx(limit / 3**0.5, rel=0.02)
    assert (layer.bias == 0).all()


def test_momentum_and_dropout_are_options():
    options = SMALL | {"norm_momentum": 0.5, "dropout": 0.5}
    network = classifiers.create("deeploc_2017", **options).build((16, 16), 3, 2).train()
    momenta = {
        module.momentum
        for module in network.modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm)
    }
    assert momenta == {0.5}
    vectors = network.vectors(network.feature_map(torch.randn(200, 2, 16, 16)))
    silenced = (vectors == 0).float().mean()  # half of those that a ReLU left
    assert 0.65 < silenced < 0.85


def test_crops_that_convolutions_use_up_are_refused():
    classifiers.create("deeploc", **SMALL).build((52, 52), 2)
    with pytest.raises(InputError, match="deeploc network needs crops of 52 px or more"):
        classifiers.create("deeploc", **SMALL).build((48, 64), 2)
