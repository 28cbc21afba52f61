"""Tiles of the encoder are seamless, and its channels lie on the pixels they are said to."""

import numpy as np
import pytest
import torch

from napari_cryoml.models import EncoderConfig
from napari_cryoml.picking.live import _encoded
from napari_cryoml.picking.live._encoded import encoded, encoder_digest

CPU = torch.device("cpu")
SHAPES = {2: [(40, 40), (41, 39), (30, 57)], 3: [(18, 20, 17)]}


def encoder(ndim: int = 2, seed: int = 0):
    """Return a small encoder with random weights in all of its layers."""
    config = EncoderConfig(ndim=ndim, channels=3, stem=4, width=5, dilations=(1,))
    torch.manual_seed(seed)
    network = config.build()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network.eval().requires_grad_(False)


def noise(shape, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def whole(network, image: np.ndarray) -> np.ndarray:
    """Return what the network says of the whole image, mirrored by numpy."""
    ndim, margin = image.ndim, 4 * -(-network.config.margin // 4)
    padded = np.pad(image, [(margin, margin + size % 2) for size in image.shape], mode="symmetric")
    channels = network(torch.from_numpy(padded)[None, None])[0].numpy()
    first = margin // 2
    inner = tuple(slice(first, first + -(-size // 2)) for size in image.shape)
    assert len(inner) == ndim
    return channels[(slice(None), *inner)]


@pytest.mark.parametrize("shape", [*SHAPES[2], *SHAPES[3]])
def test_one_tile_is_the_network_on_the_mirrored_image(shape):
    network, image = encoder(len(shape)), noise(shape)
    found = encoded(network, image, CPU)
    assert found.shape == (3, *(-(-size // 2) for size in shape))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, whole(network, image), atol=1e-4)


@pytest.mark.parametrize("tile", [2, 6, 8, 10])
@pytest.mark.parametrize("shape", [*SHAPES[2], *SHAPES[3]])
def test_tiles_are_seamless(monkeypatch, shape, tile):
    network, image = encoder(len(shape)), noise(shape)
    expected = encoded(network, image, CPU)
    monkeypatch.setattr(_encoded, "_TILE_POINTS", {2: tile, 3: max(tile, 6)})
    np.testing.assert_allclose(encoded(network, image, CPU), expected, atol=1e-4)


@pytest.mark.parametrize("tile", _encoded._TILE_POINTS.values())
def test_tiles_start_where_the_network_repeats(tile):
    # Its coarse layer has stride 4, two grid points, so that an odd tile would shift it.
    assert tile % 2 == 0


@pytest.mark.parametrize("shape", [(48, 52), (20, 24, 28)])
def test_an_image_moved_by_four_pixels_moves_its_channels_by_two_points(shape):
    network, image = encoder(len(shape)), noise(shape)
    there = encoded(network, image, CPU)
    for axis in range(len(shape)):
        ahead = np.take(image, np.arange(4, shape[axis]), axis)
        found = encoded(network, np.ascontiguousarray(ahead), CPU)
        keep = network.config.margin // 2 + 1
        inner = np.arange(keep, found.shape[axis + 1])
        np.testing.assert_allclose(
            np.take(found, inner, axis + 1), np.take(there, inner + 2, axis + 1), atol=1e-4
        )


@pytest.mark.parametrize("ndim", [2, 3])
def test_grid_point_i_sees_what_lies_around_pixel_two_i(ndim):
    network, size = encoder(ndim), 48 if ndim == 2 else 40
    plain = np.zeros((size,) * ndim, np.float32)
    rest = encoded(network, plain, CPU)
    spot = plain.copy()
    spot[(20,) * ndim] = 1  # pixel 20, grid point 10
    changed = np.abs(encoded(network, spot, CPU) - rest).max(axis=0)
    reach = network.config.margin // 2 + 1
    for axis in range(ndim):
        along = changed.max(axis=tuple(other for other in range(ndim) if other != axis))
        seen = np.flatnonzero(along > 1e-6)
        assert 10 - reach <= seen.min() <= seen.max() <= 10 + reach
        assert (seen.min() + seen.max()) / 2 == pytest.approx(10, abs=0.5)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (5, 4), (2, 3, 1)])
def test_an_image_smaller_than_the_margin_has_channels(shape):
    found = encoded(encoder(len(shape)), noise(shape), CPU)
    assert found.shape == (3, *(-(-size // 2) for size in shape))
    assert np.isfinite(found).all()


def test_a_constant_image_has_constant_channels():
    found = encoded(encoder(), np.full((40, 44), 2.5, np.float32), CPU)
    np.testing.assert_allclose(found, found[:, :1, :1] * np.ones_like(found), atol=1e-4)


def test_the_digest_changes_with_the_weights(monkeypatch):
    def digest(network) -> str:
        encoder_digest.cache_clear()
        monkeypatch.setattr(_encoded, "load_encoder", lambda ndim: network)
        return encoder_digest(2)

    try:
        first, again, other = (digest(encoder(seed=seed)) for seed in (0, 0, 1))
        assert first == again != other
        assert first
        assert digest(None) == ""
    finally:
        encoder_digest.cache_clear()


def test_there_is_an_encoder_for_micrographs_alone():
    assert len(encoder_digest(2)) == 16
    assert encoder_digest(3) == ""
