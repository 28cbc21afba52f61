"""The published networks: their weights are counted, their layers compared with plain ones."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from napari_cryoml._errors import InputError
from napari_cryoml.models import CropDecoder, classifiers


def drawn_on_paper(name, side, n_classes, ndim=3, **options):
    """Return a network whose weights take no memory."""
    with torch.device("meta"):
        return classifiers.create(name, **options).build((side,) * ndim, n_classes)


def n_weights(*modules):
    return sum(tensor.numel() for module in modules for tensor in module.parameters())


@pytest.mark.parametrize(
    ("name", "options", "side", "n_classes", "millions"),
    [
        ("inception3d", {}, 40, 23, 18.21),
        ("inception3d", {}, 32, 23, 8.21),
        ("dsrf3d", {}, 40, 23, 33.24),
        ("dsrf3d", {}, 32, 23, 17.25),
        ("rb3d", {"variant": "64"}, 32, 10, 0.521),
        ("rb3d", {"variant": "32"}, 32, 10, 0.118),
        ("rb3d", {}, 32, 10, 2.1),
        ("cb3d", {}, 40, 10, 72.3),
    ],
)
def test_the_weights_are_as_many_as_published(name, options, side, n_classes, millions):
    found = n_weights(drawn_on_paper(name, side, n_classes, **options)) / 1e6
    decimals = len(str(millions).partition(".")[2])
    assert round(found, decimals) == millions


@pytest.mark.parametrize(("side", "n_stages", "millions"), [(28, 2, 4.35), (64, 4, 1.006)])
def test_the_autoencoding_classifier_has_its_weights(side, n_stages, millions):
    network = drawn_on_paper("autoencoder", side, 7)
    with torch.device("meta"):
        decoder = CropDecoder(network.map_shape, network.shape)
    assert network.map_shape == decoder.grid == (32, *(side // 2**n_stages,) * 3)
    assert n_weights(network, decoder) / 1e6 == pytest.approx(millions, abs=0.001)


@pytest.mark.parametrize(
    ("name", "options", "map_shape", "flat", "latent"),
    [
        ("inception3d", {}, (160, 18, 18, 18), 786_080, 786_080),
        ("dsrf3d", {}, (64, 20, 20, 20), 64_000, 512),
        ("dsrf3d_v2", {}, (128, 10, 10, 10), 16_000, 1024),
        ("dsrf3d_v2", {"variant": "B"}, (128, 10, 10, 10), 128, 128),
        ("rb3d", {}, (64, 10, 10, 10), 512, 1024),
        ("rb3d", {"variant": "32"}, (32, 20, 20, 20), 256, 256),
        ("cb3d", {}, (512, 10, 5, 5), 10_240, 4096),
        ("flat", {}, (1, 40, 40, 40), 64_000, 500),
    ],
)
def test_the_shapes_at_40_px_are_those_of_the_tables(name, options, map_shape, flat, latent):
    network = drawn_on_paper(name, 40, 23, **options)
    maps = torch.empty(1, *map_shape, device="meta")
    assert network.map_shape == map_shape
    assert network.flatten(maps).shape == (1, flat)
    assert network.latent == latent


def test_dropout_has_the_rates_that_were_published():
    def rates(name, **options):
        network = drawn_on_paper(name, 16, 2, **options)
        return [module.p for module in network.modules() if isinstance(module, nn.Dropout)]

    assert rates("inception3d") == [0.7]
    assert rates("inception3d", dropout=0.3) == [0.3]
    assert rates("dsrf3d") == []
    assert rates("dsrf3d_v2") == [0.7, 0.7]
    assert rates("cb3d") == [0.5, 0.5]
    assert rates("rb3d") == rates("rb3d", variant="64") == [0.5] * 4
    assert rates("rb3d", variant="32") == [0.0] * 4
    assert rates("rb3d", variant="32", dropout=0.2) == [0.2] * 4


def test_initial_weights_follow_the_rule():
    torch.manual_seed(0)
    dsrf3d = classifiers.create("dsrf3d").build((16,) * 3, 5)
    limit = math.sqrt(6 / (27 * 32 + 27 * 64))
    weight = dsrf3d.trunk[3][0].weight
    assert 0.98 * limit < weight.abs().max() <= limit
    assert all((layer.bias == 0).all() for layer in (dsrf3d.head, dsrf3d.trunk[0][0]))
    rb3d = classifiers.create("rb3d", variant="64").build((16,) * 3, 5)
    assert rb3d.trunk[2][0].weight.std().item() == pytest.approx(math.sqrt(2 / (64 * 27)), rel=0.02)
    assert rb3d.head.weight.std().item() == pytest.approx(0.01, rel=0.1)
    other = classifiers.create("rb3d", variant="64", initial_weights="torch")
    assert other.build((16,) * 3, 5).head.weight.std() > 0.02
    assert classifiers.create("dsrf3d_v2").start == "torch"
    assert classifiers.create("dsrf3d_v2", variant="B").start == "kaiming"


def pooled_like_tensorflow(x, stride):
    """Return the maxima of x[i] and x[i + 1] along each axis, where there is an x[i + 1]."""
    for axis in range(2, x.ndim):
        last = x.shape[axis] - 1
        after = x.index_select(axis, (torch.arange(last + 1) + 1).clamp(max=last))
        every = torch.arange(0, last + 1, stride)
        x = torch.maximum(x, after).index_select(axis, every)
    return x


def test_inception_is_what_it_is_in_plain_functions():
    torch.manual_seed(0)
    network = classifiers.create("inception3d", units=4).build((14, 15, 16), 3).eval()
    weights = iter(network.state_dict().values())
    crops = torch.randn(2, 1, 14, 15, 16)

    def conv(x, padding):
        return functional.conv3d(x, next(weights), next(weights), padding=padding).relu()

    x = pooled_like_tensorflow(conv(crops, 0), 2)
    one = conv(x, 0)
    three = conv(conv(x, 0), 1)
    five = conv(conv(x, 0), 2)
    pool = conv(pooled_like_tensorflow(x, 1), 0)
    maps = torch.cat([one, three, five, pool], dim=1)
    means = functional.avg_pool3d(maps, 2, stride=1).flatten(1)
    torch.testing.assert_close(network.feature_map(crops), maps)
    torch.testing.assert_close(
        network(crops), functional.linear(means, next(weights), next(weights))
    )


def test_a_block_of_rb3d_is_what_it_is_in_plain_functions():
    torch.manual_seed(0)
    network = classifiers.create("rb3d", variant="64", blocks=1).build((16,) * 3, 3).eval()
    block, x = network.trunk[-1], torch.randn(2, 64, 4, 4, 4)
    w = iter(block.state_dict().values())
    left = functional.conv3d(x, next(w), next(w)).relu()
    left = functional.conv3d(left, next(w), next(w), padding=1).relu()
    left = functional.conv3d(left, next(w), next(w))
    right = functional.conv3d(x, next(w), next(w), padding=1).relu()
    torch.testing.assert_close(block(x), torch.cat([left, right], dim=1).relu())


def test_the_classifier_of_the_autoencoder_starts_with_batch_norm_of_the_flat_map():
    network = drawn_on_paper("autoencoder", 28, 7)
    (norm,) = (module for module in network.modules() if isinstance(module, nn.BatchNorm1d))
    assert norm.num_features == 10_976


@pytest.mark.parametrize(("side", "n_stages"), [(20, 2), (47, 2), (48, 4), (64, 4)])
def test_larger_crops_get_more_stages(side, n_stages):
    assert classifiers.create("autoencoder").n_stages((side,) * 3) == n_stages
    assert classifiers.create("autoencoder", stages=3).n_stages((side,) * 3) == 3


def test_many_stages_want_large_crops():
    with pytest.raises(InputError, match="needs crops of 32 px or more"):
        classifiers.create("autoencoder", stages=5).build((31,) * 2, 2)
    with pytest.raises(InputError, match="stages"):
        classifiers.create("autoencoder", stages=0)


def test_a_crop_of_a_batch_of_one_is_normalised_by_the_running_statistics():
    torch.manual_seed(0)
    network = classifiers.create("autoencoder", units=2, hidden=4).build((8, 8), 2)
    crop = torch.randn(1, 1, 8, 8)
    alone = network.train()(crop)
    torch.testing.assert_close(alone, network.eval()(crop))


def test_compact_does_not_mind_the_place_or_the_batch():
    torch.manual_seed(0)
    network = classifiers.create("compact", dropout=0).build((160, 160), 4)
    crop = torch.zeros(1, 1, 160, 160)
    crop[..., 72:82, 72:78] = 1
    moved = crop.roll((8, -8), (2, 3))
    with torch.no_grad():
        scores = network.train()(torch.cat([crop, moved, torch.randn(1, 1, 160, 160)]))
        torch.testing.assert_close(network(crop)[0], scores[0])
    spread = (scores[2] - scores[0]).norm()
    assert (scores[1] - scores[0]).norm() < 0.1 * spread


def test_a_network_of_micrographs_is_no_larger_than_it_must():
    flat = drawn_on_paper("dsrf3d", 32, 5, ndim=2)
    assert flat.map_shape == (64, 16, 16)
    assert flat.trunk[0][0].weight.shape == (32, 1, 3, 3)
