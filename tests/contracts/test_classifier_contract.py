"""Every registered network that classifies crops, in 2-D and 3-D, keeps these promises."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from napari_cryoml import checkpoint
from napari_cryoml._errors import InputError
from napari_cryoml.models import ClassifierConfig, CropDecoder, classifiers, grad_cam

SIDES = (16, 20, 28, 32, 33)
N_CLASSES = 3

SMALL = {
    "autoencoder": {"units": 4, "hidden": 16},
    "cb3d": {"units": 2, "hidden": 16},
    "compact": {"units": 8},
    "deeploc": {"width": 1 / 16, "hidden": 16, "latent": 8},
    "deeploc_2017": {"width": 1 / 16, "hidden": 16, "latent": 8},
    "dsrf3d": {"units": 4, "hidden": 16},
    "dsrf3d_v2": {"units": 4, "hidden": 16},
    "flat": {"hidden": 8},
    "harmonic": {"rings": 4, "degree": 3, "mixtures": 4, "hidden": 16},
    "inception3d": {"units": 4},
    "paired_inpainting": {"width": 1 / 16},
    "rb3d": {"blocks": 1, "hidden": 16},
}
"""Options with which the large ones are quick."""

VARIANTS = {
    "rb3d": [{"variant": "64"}, {"variant": "32"}],
    "dsrf3d_v2": [{"variant": "B"}],
    "autoencoder": [{"stages": 4}],
    "compact": [{"stem": "strided"}],
    "flat": [{"layers": 2, "activation": "relu"}],
    "harmonic": [{"stem": 2}],
    "paired_inpainting": [{"layer": "conv1"}, {"layer": "conv5"}],
}
"""Further options that change the layers."""


def all_configs():
    for name in classifiers:
        for options in ({}, *VARIANTS.get(name, [])):
            config = classifiers.create(name, **SMALL.get(name, {}), **options)
            yield pytest.param(config, id="-".join([name, *map(str, options.values())]))


@pytest.fixture(params=all_configs())
def config(request) -> ClassifierConfig:
    return request.param


@pytest.fixture(params=[2, 3], ids=["2d", "3d"])
def ndim(request) -> int:
    return request.param


@pytest.fixture
def shape(config, ndim) -> tuple[int, ...]:
    """Sides that differ, one of them odd."""
    return tuple(side + larger(config) for side in (16, 19, 20)[-ndim:])


def larger(config):
    """Return by how much crops must be larger than those of most networks."""
    return max(config.least_side - 16, 0)


@pytest.fixture(params=[1, 2], ids=["1-channel", "2-channels"])
def n_channels(request) -> int:
    return request.param


@pytest.fixture
def network(config, shape, n_channels):
    """Return a network in evaluation whose batch norms have seen something."""
    torch.manual_seed(0)
    network = config.build(shape, N_CLASSES, n_channels)
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return network.eval()


def noise(n, shape, n_channels=1):
    return torch.randn(n, n_channels, *shape, generator=torch.Generator().manual_seed(1))


def test_the_config_survives_json(config):
    assert type(config).model_validate_json(config.model_dump_json()) == config
    assert classifiers[config.name] is type(config)
    assert all(field.description for field in type(config).model_fields.values())


@pytest.mark.parametrize("side", SIDES)
def test_crops_of_many_sides_go_through_the_stated_shapes(config, ndim, side):
    side += larger(config)
    network = config.build((side,) * ndim, N_CLASSES).eval()
    assert (network.shape, network.n_classes) == ((side,) * ndim, N_CLASSES)
    with torch.no_grad():
        feature_map = network.feature_map(noise(2, network.shape))
        vectors = network.vectors(feature_map)
        scores = network(noise(2, network.shape))
    assert feature_map.shape == (2, *network.map_shape)
    assert len(network.map_shape) == ndim + 1
    assert vectors.shape == (2, network.latent)
    assert isinstance(network.head, nn.Linear)
    assert scores.shape == (2, N_CLASSES)
    assert torch.equal(scores, network.head(vectors))
    assert torch.isfinite(scores).all()


def test_a_gradient_reaches_every_weight(config, shape, n_channels):
    torch.manual_seed(0)
    network = config.build(shape, N_CLASSES, n_channels).train()
    scores = network(noise(8, shape, n_channels))
    functional.cross_entropy(scores, torch.arange(8) % N_CLASSES).backward()
    for name, parameter in network.named_parameters():
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_the_loss_of_a_few_crops_falls(config):
    torch.manual_seed(0)
    options = {"dropout": 0.0} if "dropout" in type(config).model_fields else {}
    side = 16 + larger(config)
    network = config.model_copy(update=options).build((side, side), 2).train()
    crops, labels = noise(8, network.shape), torch.arange(8) % 2
    crops[labels == 1, :, side // 4 : -side // 4, side // 4 : -side // 4] += 2
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(40):
        optimizer.zero_grad()
        functional.cross_entropy(network(crops), labels).backward()
        optimizer.step()
    with torch.no_grad():
        assert functional.cross_entropy(network.eval()(crops), labels) < 0.4


def test_it_trains_in_half_precision_with_the_channels_last(config, shape):
    torch.manual_seed(0)
    layout = torch.channels_last if len(shape) == 2 else torch.channels_last_3d
    network = config.build(shape, N_CLASSES).to(memory_format=layout)
    with torch.autocast("cpu", torch.bfloat16):
        scores = network(noise(4, shape).contiguous(memory_format=layout))
        functional.cross_entropy(scores, torch.arange(4) % N_CLASSES).backward()
    assert all(torch.isfinite(tensor.grad).all() for tensor in network.parameters())


def test_a_batch_of_one_trains(config, shape):
    network = config.build(shape, N_CLASSES).train()
    network(noise(1, shape)).sum().backward()
    assert all(torch.isfinite(tensor.grad).all() for tensor in network.parameters())


def test_every_channel_counts(network, shape, n_channels):
    assert network.n_channels == n_channels
    crops = noise(2, shape, n_channels)
    with torch.no_grad():
        scores = network(crops)
        for channel in range(n_channels):
            other = crops.clone()
            other[:, channel] = other[:, channel].flip(-1) * 2
            assert not torch.allclose(network(other), scores)


def test_in_evaluation_a_crop_scores_the_same_in_any_batch(network, shape, n_channels):
    crops = noise(5, shape, n_channels)
    with torch.no_grad():
        whole = network(crops)
        assert torch.equal(network(crops), whole)
        alone = torch.cat([network(crop[None]) for crop in crops])
    torch.testing.assert_close(alone, whole, atol=1e-5, rtol=1e-4)


def test_one_seed_gives_one_network(config, shape):
    states = []
    for _ in range(2):
        torch.manual_seed(3)
        states.append(config.build(shape, N_CLASSES).state_dict())
    assert all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())


def test_a_checkpoint_gives_the_same_scores(config, network, shape, n_channels, tmp_path):
    path = tmp_path / "network.safetensors"
    header = {"model": config.name, "options": config.model_dump(mode="json")}
    checkpoint.save(path, network.state_dict(), header)
    state, header = checkpoint.load(path)
    again = classifiers.create(header["model"], **header["options"])
    again = again.build(shape, N_CLASSES, n_channels)
    again.load_state_dict(state)
    crops = noise(2, shape, n_channels)
    with torch.no_grad():
        assert torch.equal(again.eval()(crops), network(crops))


def test_a_decoder_fits_the_feature_map(config, network, shape, n_channels):
    decoder = CropDecoder(network.map_shape, shape, code=5, units=4, n_channels=n_channels)
    feature_map = network.feature_map(noise(3, shape, n_channels)).detach().requires_grad_()
    crops, code = decoder(feature_map)
    assert crops.shape == (3, n_channels, *shape)
    assert code.shape == (3, 5)
    (crops.square().sum() + code.sum()).backward()
    assert feature_map.grad.abs().sum() > 0


def test_grad_cam_explains_it_and_leaves_it_alone(network, shape, n_channels):
    network.train()
    network.head.eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    crops, labels = noise(3, shape, n_channels), torch.tensor([0, 2, 1])
    shown = grad_cam(network, crops, labels)
    assert shown.shape == (3, *shape)
    assert shown.min() >= 0
    assert shown.max() <= 1
    torch.testing.assert_close(grad_cam(network, crops[1:2], labels[1:2])[0], shown[1])
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert [network.training, network.head.training] == [True, False]


def test_crops_that_do_not_fit_get_a_sentence(config, ndim):
    least = config.least_side
    config.build((least,) * ndim, N_CLASSES)
    small = (*(least, 2 * least)[: ndim - 1], least - 1)
    with pytest.raises(InputError, match=f"{config.name} network needs crops of {least} px"):
        config.build(small, N_CLASSES)
    with pytest.raises(InputError, match="2 or 3 axes"):
        config.build((64,) * 4, N_CLASSES)
    with pytest.raises(InputError, match="one class or more"):
        config.build((64,) * ndim, 0)
    with pytest.raises(InputError, match="one channel or more"):
        config.build((64,) * ndim, 2, 0)
