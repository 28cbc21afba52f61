"""Paired Cell Inpainting has the published layers."""

import pytest
import torch
from torch import nn

from napari_cryoml.models import InpaintingDecoder, PairedInpainting
from napari_cryoml.objectives import Inpainting

LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5")
ENCODER = [(2, 96), (96, 256), (256, 384), (384, 384), (384, 256)]
MARKERS = [(1, 16), (16, 32), (32, 32)]
DECODER = [(288, 256), (256, 384), (384, 384), (384, 256), (256, 96)]


def whole(layer, shape=(64, 64), n_channels=2, width=1.0):
    torch.manual_seed(0)
    network = PairedInpainting(layer=layer, width=width).build(shape, 1, n_channels)
    return Inpainting().build(network)


def convolutions(*modules):
    return [m for module in modules for m in module.modules() if isinstance(m, nn.Conv2d)]


@pytest.mark.parametrize("layer", LAYERS)
def test_the_layers_are_those_of_the_table(layer):
    objective = whole(layer)
    encoder = convolutions(objective.network, objective.rest)
    drawn = convolutions(objective.decoder.stages)
    for found, expected in [
        (encoder, ENCODER),
        (convolutions(objective.decoder.markers), MARKERS),
        (drawn, DECODER),
    ]:
        assert [(conv.in_channels, conv.out_channels) for conv in found] == expected
        assert {conv.kernel_size for conv in found} == {(3, 3)}
        assert {conv.padding for conv in found} == {(1, 1)}
    last = objective.decoder.draw
    assert (last.in_channels, last.out_channels, last.kernel_size) == (96, 1, (1, 1))
    norms = [m for m in objective.modules() if isinstance(m, nn.BatchNorm2d)]
    assert sorted(m.num_features for m in norms) == sorted([96, 256, 384, 384, 256, 16, 32, 32])


@pytest.mark.parametrize("layer", LAYERS)
def test_it_has_as_many_weights_wherever_features_are_taken(layer):
    objective = whole(layer)
    weights = sum(p.numel() for name, p in objective.named_parameters() if "head." not in name)
    pairs = [*ENCODER, *MARKERS, *DECODER]
    expected = sum(9 * n_in * n_out + n_out for n_in, n_out in pairs) + 96 + 1
    expected += sum(2 * n_out for _, n_out in [*ENCODER, *MARKERS])
    assert weights == expected == 7_320_609


@pytest.mark.parametrize(
    ("layer", "map_shape"),
    [
        ("conv1", (96, 64, 64)),
        ("conv2", (256, 32, 32)),
        ("conv3", (384, 16, 16)),
        ("conv4", (384, 16, 16)),
        ("conv5", (256, 16, 16)),
    ],
)
def test_features_are_the_maxima_of_a_layer_before_its_batch_norm(layer, map_shape):
    network = whole(layer).network
    assert network.map_shape == map_shape
    assert network.latent == map_shape[0]
    feature_map = torch.randn(2, *map_shape)
    assert torch.equal(network.vectors(feature_map), feature_map.amax(dim=(2, 3)))
    assert isinstance(list(network.trunk.modules())[-1], nn.ReLU)


def test_each_layer_is_convolved_rectified_and_then_normed():
    network = whole("conv2", (8, 8)).network.eval()
    conv, norm, other = network.trunk[0][0], network.trunk[1], network.trunk[3][0]
    nn.init.normal_(norm.running_mean)
    crops = torch.randn(1, 2, 8, 8)
    with torch.no_grad():
        first = nn.functional.max_pool2d(norm(conv(crops).relu()), 2)
        torch.testing.assert_close(network.feature_map(crops), other(first).relu())


def test_the_decoder_repeats_points_to_double_the_sides():
    decoder = InpaintingDecoder(3, 1, (12, 10), width=1 / 16)
    seen = []
    for stage in decoder.stages:
        stage.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    drawn = decoder(torch.randn(1, 3, 3, 3), torch.randn(1, 1, 12, 10))
    assert drawn.shape == (1, 1, 12, 10)
    assert [tuple(x.shape[2:]) for x in seen] == [(3, 3), (6, 5), (12, 10)]
    assert torch.equal(seen[2][:, :, ::2, ::2], seen[2][:, :, 1::2, 1::2])


def test_human_cells_have_three_channels():
    objective = whole("conv3", (16, 16), n_channels=3, width=0.1)
    assert convolutions(objective.network)[0].in_channels == 3
    assert convolutions(objective.decoder.markers)[0].in_channels == 2
