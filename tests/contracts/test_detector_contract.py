"""Every registered network, in 2-D and 3-D, keeps these promises."""

import itertools

import numpy as np
import pytest
import torch

from napari_cryoml import checkpoint
from napari_cryoml._errors import InputError
from napari_cryoml.models import Decoder, Detector, DetectorConfig, detectors

NDIMS = (2, 3)


def pytest_generate_tests(metafunc):
    if "config" in metafunc.fixturenames:
        configs = [
            detectors.create(name, ndim=ndim, units=4 - ndim)
            for name in detectors
            for ndim in NDIMS
        ]
        ids = [f"{config.name}-{config.ndim}d" for config in configs]
        metafunc.parametrize("config", configs, ids=ids)


@pytest.fixture
def detector(config: DetectorConfig) -> Detector:
    """Return a network whose batch norms have seen something."""
    torch.manual_seed(0)
    network = config.build()
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    return network.eval()


def grid_of(shape, config):
    return tuple((n - config.receptive_field) // config.stride + 1 for n in shape)


def small_image(config):
    """An image with a few grid points, of another size along each axis."""
    sizes = (config.stride + 1, 2, 1) if config.ndim == 3 else (config.stride + 1, 40)
    return torch.randn(1, 1, *sizes)


def crop_scores(detector, image, centres):
    """Score the crops around some pixels of the mirrored image, one at a time."""
    margin = detector.receptive_field // 2
    around = [(0, 0), (0, 0), *[(margin, margin)] * detector.ndim]
    padded = torch.from_numpy(np.pad(image.numpy(), around, mode="symmetric"))
    scores = []
    for centre in centres:
        inside = tuple(slice(i, i + detector.receptive_field) for i in centre)
        scores.append(detector(padded[(slice(None), slice(None), *inside)]).flatten())
    return torch.cat(scores)


def some_pixels(shape, step, ndim):
    """Return some of every step-th pixel; in 3-D, which costs more, the first and the last."""
    pixels = list(itertools.product(*(range(0, n, step) for n in shape)))
    return pixels[:: len(pixels) // 40 + 1] if ndim == 2 else [pixels[0], pixels[-1]]


def test_the_config_survives_json(config):
    assert type(config).model_validate_json(config.model_dump_json()) == config
    assert detectors[config.name] is type(config)


def test_every_option_is_described(config):
    assert all(field.description for field in type(config).model_fields.values())


def test_forward_and_backward(config):
    torch.manual_seed(0)
    shape = tuple(config.receptive_field + i * config.stride for i in range(config.ndim))
    detector = config.build()
    logits = detector(torch.randn(2, 1, *shape))
    assert logits.shape == (2, *grid_of(shape, config))
    assert torch.isfinite(logits).all()
    logits.square().mean().backward()
    for name, parameter in detector.named_parameters():
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_features_are_what_is_classified(detector, config):
    x = torch.randn(1, 1, *(config.receptive_field,) * config.ndim)
    with torch.no_grad():
        features = detector.features(x)
        assert features.shape == (1, config.latent, *(1,) * config.ndim)
        assert torch.equal(detector.classify(features), detector(x))


def test_dense_scores_at_the_stride_are_those_of_crops(detector, config):
    image = small_image(config)
    with torch.no_grad():
        scores = detector.dense(image)
        pixels = some_pixels(image.shape[2:], config.stride, config.ndim)
        expected = crop_scores(detector, image, pixels)
    assert scores.shape == (1, *(-(-n // config.stride) for n in image.shape[2:]))
    found = torch.stack([scores[(0, *(i // config.stride for i in place))] for place in pixels])
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_dense_scores_at_full_resolution_are_those_of_crops(detector, config):
    image = small_image(config)
    with torch.no_grad():
        scores = detector.dense(image, full_resolution=True)
        pixels = some_pixels(image.shape[2:], 1, config.ndim)
        expected = crop_scores(detector, image, pixels)
    assert scores.shape == (1, *image.shape[2:])
    found = torch.stack([scores[(0, *place)] for place in pixels])
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_dense_scores_leave_a_network_in_training_as_it_was(config):
    detector = config.build().train()
    before = {name: tensor.clone() for name, tensor in detector.state_dict().items()}
    with torch.no_grad():
        detector.dense(small_image(config))
    assert all(module.training for module in detector.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in detector.state_dict().items())


def test_one_score_sees_its_receptive_field_and_no_more(detector, config):
    for tensor in detector.parameters():
        tensor.data.abs_().clamp_(min=0.01)
    edge = config.receptive_field + config.stride + 1
    x = torch.ones(1, 1, *(edge,) * config.ndim, requires_grad=True)
    second = detector(x)[(0, *(1,) * config.ndim)]
    second.backward()
    first, last = config.stride, config.stride + config.receptive_field - 1
    for seen in torch.nonzero(x.grad[0, 0]).T:
        assert (seen.min(), seen.max()) == (first, last)


def test_a_checkpoint_gives_the_same_scores(detector, config, tmp_path):
    path = tmp_path / "network.safetensors"
    checkpoint.save(
        path,
        detector.state_dict(),
        {"model": config.name, "options": config.model_dump(mode="json")},
    )
    state, header = checkpoint.load(path)
    again = detectors.create(header["model"], **header["options"]).build().eval()
    again.load_state_dict(state)
    x = torch.randn(1, 1, *(config.receptive_field,) * config.ndim)
    with torch.no_grad():
        assert torch.equal(again(x), detector(x))


def test_a_decoder_fits(detector, config):
    decoder = Decoder.of(detector, units=1)
    vectors = torch.randn(2, config.latent, requires_grad=True)
    images = decoder(vectors)
    assert images.shape == (2, 1, *(decoder.size,) * config.ndim)
    assert decoder.size <= config.receptive_field < 2 * decoder.size + 2
    images.square().sum().backward()
    assert vectors.grad.abs().sum() > 0


def test_without_batch_norm_and_with_dropout_it_trains(config):
    torch.manual_seed(0)
    detector = config.model_copy(update={"batch_norm": False, "dropout": 0.5}).build()
    x = torch.randn(2, 1, *(config.receptive_field,) * config.ndim)
    logits = detector(x)
    assert logits.std() < 10
    logits.sum().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in detector.parameters())


def test_dropout_is_off_in_evaluation(config):
    detector = config.model_copy(update={"dropout": 0.9}).build().eval()
    x = torch.randn(1, 1, *(config.receptive_field,) * config.ndim)
    with torch.no_grad():
        assert torch.equal(detector(x), detector(x))


def test_wrong_shapes_get_a_sentence(detector, config):
    edge = config.receptive_field
    with pytest.raises(InputError, match=f"{edge} px or more"):
        detector(torch.zeros(1, 1, *(edge - 1,) * config.ndim))
    for shape in [(edge,) * config.ndim, (1, 2, *(edge,) * config.ndim)]:
        with pytest.raises(InputError, match="takes images as"):
            detector(torch.zeros(shape))
        with pytest.raises(InputError, match="takes images as"):
            detector.dense(torch.zeros(shape))
