import json
from importlib.resources import files

import numpy as np
import pytest
import torch
from safetensors import safe_open

from napari_cryoml.models import Encoder, EncoderConfig, load_encoder
from napari_cryoml.models._encoder import _doubled
from napari_cryoml.preprocess import percentile_normalise
from napari_cryoml.simulate import MicrographConfig, simulate_micrograph


def small(ndim, **options):
    torch.manual_seed(0)
    options = {"channels": 4, "stem": 3, "width": 5, "dilations": (1, 2)} | options
    encoder = EncoderConfig(ndim=ndim, **options).build().eval()
    for block in encoder.blocks:  # a new block is the identity
        torch.nn.init.normal_(block.second.weight, std=0.1)
    for name, parameter in encoder.named_parameters():  # so few rectified channels may all be 0
        if name.endswith("bias"):
            torch.nn.init.constant_(parameter, 2.0)
    return encoder


def embedded(encoder, image):
    with torch.inference_mode():
        image = torch.as_tensor(image, dtype=encoder.mix.weight.dtype)
        return encoder(image[None, None])[0]


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (17, 32), (4, 1, 7), (9, 10, 12)])
def test_there_is_a_point_at_every_second_pixel(shape):
    channels = embedded(small(len(shape)), np.zeros(shape))
    assert channels.shape == (4, *((size + 1) // 2 for size in shape))


@pytest.mark.parametrize("point", [16, 17])
@pytest.mark.parametrize("ndim", [2, 3])
def test_grid_point_i_lies_on_pixel_2i(ndim, point):
    encoder = small(ndim, dilations=(1,)).double()
    for weight in encoder.parameters():  # symmetric kernels: the answer to a dot is symmetric
        if weight.ndim > 1:
            axes = tuple(range(2, weight.ndim))
            weight.data = (weight.data + weight.data.flip(axes)) / 2
    image = torch.zeros((69,) * ndim)
    image[(point * 2,) * ndim] = 1
    answer = (embedded(encoder, image) - embedded(encoder, image * 0)).abs().sum(0)
    index = torch.stack(torch.meshgrid(*[torch.arange(35.0)] * ndim, indexing="ij"))
    centre = (index * answer).flatten(1).sum(1) / answer.sum()
    assert answer.sum() > 0
    torch.testing.assert_close(centre, torch.full_like(centre, point))


def test_a_shift_by_a_coarse_point_shifts_the_channels():
    encoder = small(2)
    image = np.random.default_rng(0).normal(size=(160, 160))
    margin = -(-encoder.config.margin // 4) * 2 + 2
    whole = embedded(encoder, image)
    moved = embedded(encoder, image[4:, 8:])
    inner = slice(margin, -margin)
    torch.testing.assert_close(
        moved[:, inner, inner], whole[:, 2:, 4:][:, inner, inner], atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize("ndim", [2, 3])
def test_nothing_beyond_the_margin_is_seen(ndim):
    encoder = small(ndim, dilations=(1,))
    margin = encoder.config.margin
    size = 2 * margin + 9
    rng = np.random.default_rng(1)
    image = rng.normal(size=(size,) * ndim)
    other = rng.normal(size=image.shape)
    point = (margin + 4) // 4 * 4
    seen = (slice(point - margin, point + margin + 1),) * ndim
    other[seen] = image[seen]
    at = (slice(None), *(point // 2,) * ndim)
    first, second = embedded(encoder, image)[at], embedded(encoder, other)[at]
    torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-5)
    other[(point,) * ndim] += 1
    assert not torch.allclose(first, embedded(encoder, other)[at])


def test_doubling_puts_means_between_points():
    doubled = _doubled(torch.tensor([[[0.0, 2.0, 6.0]]])[:, :, None, :], (1, 6))
    torch.testing.assert_close(doubled[0, 0, 0], torch.tensor([0.0, 1.0, 2.0, 4.0, 6.0, 6.0]))


def test_images_of_a_batch_do_not_mix():
    encoder = small(2)
    images = torch.randn(3, 1, 20, 24)
    together = encoder(images)
    torch.testing.assert_close(together[1], encoder(images[1:2])[0], atol=1e-5, rtol=1e-5)


def test_same_seed_same_encoder():
    image = np.random.default_rng(0).normal(size=(20, 20))
    torch.testing.assert_close(embedded(small(2), image), embedded(small(2), image))


def test_there_is_an_encoder_for_micrographs_alone():
    encoder = load_encoder(2)
    assert isinstance(encoder, Encoder)
    assert load_encoder(2) is encoder
    assert load_encoder(3) is None
    assert not encoder.training
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    assert {parameter.dtype for parameter in encoder.parameters()} == {torch.float32}


def test_the_packaged_weights_are_small_and_say_where_they_come_from():
    path = files("napari_cryoml.models") / "weights" / "encoder_2d.safetensors"
    assert len(path.read_bytes()) < 1_000_000
    with safe_open(str(path), framework="pt") as file:
        about = json.loads(file.metadata()["napari_cryoml"])
    assert about["steps"] > 0
    assert "no real data" in about["trained_on"]


@pytest.fixture(scope="module")
def micrograph():
    options = {"shape": (256, 256), "diameter": 14, "pixel_size": 10, "snr": 0.6}
    config = MicrographConfig(**options, n_particles=40, structure=71, symmetry="D2")
    return simulate_micrograph(config, 12)


def test_packaged_channels_are_of_the_order_of_one(micrograph):
    channels = embedded(load_encoder(2), percentile_normalise(micrograph.image))
    assert torch.isfinite(channels).all()
    assert channels.mean((1, 2)).abs().max() < 3
    assert 0.1 < channels.std((1, 2)).median() < 3


def test_packaged_channel_0_is_high_on_particles(micrograph):
    channel = embedded(load_encoder(2), percentile_normalise(micrograph.image))[0].numpy()
    y, x = np.minimum((micrograph.picks.positions / 2).round().astype(int), 127).T
    threshold = np.quantile(channel, 0.95)
    assert np.mean(channel[y, x] > threshold) > 0.5
