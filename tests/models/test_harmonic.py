"""The harmonic network: turns leave it alone, its layers compared with plain ones."""

import math

import numpy as np
import pytest
import torch

from napari_cryoml.features import crop_harmonics
from napari_cryoml.models import Harmonic, grad_cam
from napari_cryoml.models._harmonic_layers import (
    GramInvariants,
    InBall,
    IsotropicConvolution,
    RingCoefficients,
)

PLANES_2D, PLANES_3D = [(2, 3)], [(2, 3), (2, 4), (3, 4)]


def built(shape, stem=0, n_channels=1, **options):
    torch.manual_seed(0)
    small = {"rings": 5, "degree": 4, "mixtures": 4, "hidden": 16} | options
    return Harmonic(stem=stem, **small).build(shape, 3, n_channels).eval()


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def turned(crops, plane):
    """Return crops turned by 90 degrees about pixel ``size // 2``, whatever their size."""
    if crops.shape[-1] % 2:
        return torch.rot90(crops, 1, plane)
    return torch.rot90(crops, 1, plane).roll(1, plane[0])


@pytest.mark.parametrize("side", [15, 16])
@pytest.mark.parametrize("stem", [0, 3])
@pytest.mark.parametrize(("ndim", "planes"), [(2, PLANES_2D), (3, PLANES_3D)], ids=["2d", "3d"])
def test_turns_by_90_degrees_change_nothing(side, stem, ndim, planes):
    network = built((side,) * ndim, stem)
    crops = noise(3, 1, *(side,) * ndim)
    with torch.no_grad():
        scores = network(crops)
        for plane in planes:
            torch.testing.assert_close(network(turned(crops, plane)), scores, atol=1e-5, rtol=1e-4)
        mirrored = network(crops.flip(-1).roll(int(side % 2 == 0), -1))
    assert not torch.allclose(scores[0], scores[1], atol=1e-3)
    # Products of two shells of one degree are the same for a mirror image; that is known of them.
    torch.testing.assert_close(mirrored, scores, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("shape", [(24, 24), (16, 16, 17)])
def test_the_coefficients_have_the_amplitudes_of_the_features(shape):
    crops = noise(3, 2, *shape)
    layer = RingCoefficients(shape, n_rings=4, n_orders=3, reach=0.9)
    orders = layer(crops).split(layer.sizes, dim=2)
    lengths = [one.square().sum(dim=2).sqrt().reshape(3, 2, 4) for one in orders[1:]]
    for channel in range(2):
        plain = crop_harmonics(crops[:, channel].numpy(), n_rings=5, n_orders=3, reach=0.9)
        beyond_the_middle = plain[:, 1:].reshape(3, 4, 4)
        first = orders[0][:, :, 0].reshape(3, 2, 4)[:, channel]
        np.testing.assert_allclose(first, beyond_the_middle[:, 0], atol=1e-4)
        for order, length in enumerate(lengths, 1):
            np.testing.assert_allclose(length[:, channel], beyond_the_middle[:, order], atol=1e-4)


def test_invariants_are_products_of_mixtures():
    layer = GramInvariants(n_shells=3, sizes=(1, 3), mixtures=2)
    orders = [noise(1, 3, 1), noise(1, 3, 3, seed=1)]
    with torch.no_grad():
        found = layer(torch.cat(orders, dim=2))[0]
        first, second = (mix @ one[0] for mix, one in zip(layer.mixing, orders, strict=True))
    products = [float(second[i] @ second[j]) for i, j in ((0, 0), (0, 1), (1, 1))]
    roots = [math.copysign(math.sqrt(abs(one)), one) for one in products]
    assert layer.length == len(found) == 5
    np.testing.assert_allclose(found[:2], first[:, 0], rtol=1e-5)
    np.testing.assert_allclose(found[2:], roots, atol=0.02)


@pytest.mark.parametrize("ndim", [2, 3])
def test_isotropic_kernels_depend_on_the_distance_alone(ndim):
    layer = IsotropicConvolution(ndim, 2, 3)
    spot = torch.zeros(1, 2, *(9,) * ndim)
    spot[(0, 1, *(4,) * ndim)] = 1
    with torch.no_grad():
        layer.bias.fill_(0.5)
        seen = layer(spot)[0] - 0.5
    middle = (4,) * ndim
    for knot in range(3):
        for axis in range(ndim):
            for sign in (-1, 1):
                place = tuple(4 + sign * knot * (one == axis) for one in range(ndim))
                np.testing.assert_allclose(
                    seen[(slice(None), *place)], layer.profile[:, 1, knot].detach(), atol=1e-6
                )
    diagonal = (5, 5, *middle[2:])
    share = math.sqrt(2) - 1
    between = (1 - share) * layer.profile[:, 1, 1] + share * layer.profile[:, 1, 2]
    np.testing.assert_allclose(seen[(slice(None), *diagonal)], between.detach(), atol=1e-6)


@pytest.mark.parametrize("shape", [(12, 13), (12, 12, 12)])
def test_contrast_hot_pixels_and_corners_do_not_count(shape):
    layer = InBall(shape, 1.0)
    crops = noise(2, 1, *shape)
    scaled = layer(crops)
    inside = scaled[:, 0][:, layer.ball > 0]
    torch.testing.assert_close(inside.mean(1), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(inside.std(1, correction=0), torch.ones(2), atol=1e-4, rtol=0)
    corner = crops.clone()
    corner[(slice(None), 0, *(0,) * len(shape))] = 1e3
    torch.testing.assert_close(layer(3 * corner + 7), scaled, atol=1e-4, rtol=0)
    hot = crops.clone()
    hot[(0, 0, *(side // 2 for side in shape))] = 1e4
    assert layer(hot).abs().max() <= 6
    assert torch.equal(layer(torch.full_like(crops, 5.0)), torch.zeros_like(crops))


@pytest.mark.parametrize("stem", [0, 2])
def test_channels_are_told_apart(stem):
    network = built((16, 16), stem, n_channels=2)
    crops = noise(2, 2, 16, 16)
    with torch.no_grad():
        assert not torch.allclose(network(crops), network(crops.flip(1)), atol=1e-3)
    assert network.map_shape == (stem or 2, 16, 16)


def test_a_shift_by_a_ring_is_seen():
    network = built((17, 17), rings=4)
    crop = torch.zeros(1, 1, 17, 17)
    crop[..., 8, 8] = 1
    with torch.no_grad():
        assert not torch.allclose(network(crop), network(crop.roll(4, -1)), atol=1e-3)


def test_its_shells_can_be_looked_at():
    network = built((16, 16, 16), stem=2)
    shown = grad_cam(network, noise(2, 1, 16, 16, 16), torch.tensor([0, 1]))
    assert shown.shape == (2, 16, 16, 16)
    assert shown.amax(dim=(1, 2, 3)).tolist() == [1, 1]


@pytest.mark.parametrize("stem", [0, 2])
def test_what_is_computed_once_gives_the_same_scores(stem):
    network = built((12, 12, 12), stem, n_channels=2)
    crops = noise(3, 2, 12, 12, 12)
    with torch.no_grad():
        described = network.described(crops)
        assert described.ndim == (5 if stem else 3)
        assert torch.equal(network(described), network(crops))
