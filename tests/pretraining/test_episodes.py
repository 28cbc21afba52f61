import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

FOLDER = Path(__file__).parents[2] / "pretraining"
SIBLINGS = ("bank", "episodes", "species", "weights")


@pytest.fixture(scope="module")
def modules():
    """Import the modules that lie beside the script as the script does."""
    sys.path.insert(0, str(FOLDER))
    yield {name: import_module(name) for name in SIBLINGS}
    sys.path.remove(str(FOLDER))
    for name in SIBLINGS:
        del sys.modules[name]


@pytest.fixture(scope="module")
def bank(modules):
    return modules["bank"].make_bank(2, seed=3)


def plain_ridge(positive, unlabelled, ridge):
    scale = unlabelled.std(axis=0)
    x = np.concatenate([positive, unlabelled]) / scale
    target = np.repeat([1.0, -1.0], [len(positive), len(unlabelled)])
    mass = np.repeat([0.5 / len(positive), 0.5 / len(unlabelled)], [len(positive), len(unlabelled)])
    centre = mass @ x
    x = x - centre
    weight = np.linalg.solve(x.T * mass @ x + ridge * np.eye(x.shape[1]), x.T * mass @ target)
    return weight / scale, centre * scale


def test_heads_are_those_of_a_plain_ridge(modules):
    rng = np.random.default_rng(0)
    views = rng.normal(size=(2, 5, 60)) * np.arange(1, 6)[:, None]
    is_positive = np.arange(60) < 20
    views[:, :, is_positive] += 1.0
    weights = torch.tensor(np.stack([is_positive, ~is_positive]), dtype=torch.float64)
    weight, centre = modules["episodes"].solve_heads(
        torch.tensor(views)[None],
        tuple(w.expand(1, 2, -1) for w in weights),
        torch.tensor([[[0.0, 1.0], [1.0, 1.0]]], dtype=torch.float64),
        torch.full((1, 2), 0.3 - 1e-4, dtype=torch.float64),
    )
    for query, labelled in enumerate(([1], [0, 1])):
        rows = np.concatenate([views[view].T for view in labelled])
        positive = np.tile(is_positive, len(labelled))
        expected = plain_ridge(rows[positive], rows[~positive], 0.3)
        np.testing.assert_allclose(weight[0, query], expected[0], rtol=1e-6)
        np.testing.assert_allclose(centre[0, query], expected[1], rtol=1e-6)


def test_labels_lie_on_the_centres(modules, bank):
    centres, labels = bank.centres[0, 0], bank.labels[0, 0]
    inner = ~np.isnan(centres[:, 0])
    assert inner.any()
    for number, centre in enumerate(centres[inner]):
        assert labels[tuple((centre / 2).round().astype(int).clip(0, 127))] in {
            number,
            *np.flatnonzero(np.linalg.norm(centres - centre, axis=1) < 4),
        }
    points = np.argwhere(labels >= 0)
    own = centres[labels[labels >= 0]]
    assert (np.linalg.norm(2 * points - own, axis=1) < 2).all()


def test_same_seed_same_bank(modules, bank):
    again = modules["bank"].make_bank(2, seed=3)
    other = modules["bank"].make_bank(1, seed=4)
    np.testing.assert_array_equal(bank.images, again.images)
    assert not np.array_equal(bank.images[:1], other.images)


def test_images_and_labels_turn_together(modules, bank):
    episodes, rng = modules["episodes"], np.random.default_rng(0)
    y, x = np.indices((255, 255))
    for _ in range(8):
        image, label = episodes._turned(y * 1000 + x, (y * 1000 + x)[::2, ::2], rng)
        inner = label != modules["bank"].IGNORED
        np.testing.assert_array_equal(image[::2, ::2][inner], label[inner])
        assert inner.sum() == (128 - 16) ** 2


def test_a_step_gives_finite_gradients(modules, bank):
    from napari_cryoml.models import EncoderConfig

    episodes, rng = modules["episodes"], np.random.default_rng(1)
    torch.manual_seed(1)
    encoder = EncoderConfig(channels=4, stem=4, width=4, dilations=(1,)).build()
    batch = episodes.draw_batch(bank, 2, rng)
    loss = episodes.EpisodeLoss()
    support = episodes.draw_support(tuple(batch.counts.shape), rng)
    assert (torch.diagonal(support, dim1=1, dim2=2) == 0).all()
    loss.total(loss(encoder(batch.images), batch, support)).backward()
    gradients = [parameter.grad for parameter in encoder.parameters()]
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    assert any(gradient.abs().max() > 0 for gradient in gradients)


def test_a_file_gives_the_encoder_back_with_standard_channels(modules, bank, tmp_path):
    from napari_cryoml.models import EncoderConfig

    torch.manual_seed(0)
    encoder = EncoderConfig(channels=4, stem=4, width=4, dilations=(1,)).build()
    path = tmp_path / "encoder.safetensors"
    modules["weights"].save(encoder, bank, {"steps": 3}, path)
    read = modules["weights"].read(path)
    assert read.config == encoder.config
    images = torch.from_numpy(bank.images[:, 0].astype(np.float32))[:, None]
    channels = read(images)[..., 8:-8, 8:-8]
    torch.testing.assert_close(channels.mean((0, 2, 3)), torch.zeros(4), atol=0.02, rtol=0)
    torch.testing.assert_close(channels.std((0, 2, 3)), torch.ones(4), atol=0.02, rtol=0)
