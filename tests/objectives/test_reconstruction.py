import numpy as np
import pytest
import torch

from napari_cryoml.objectives import reconstruction_loss, reconstruction_weight


@pytest.mark.parametrize("ndim", [2, 3])
def test_squared_error_summed_over_pixels_and_averaged_over_crops(ndim):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 4, 1, *(5,) * ndim))
    expected = np.mean([((x - y) ** 2).sum() for x, y in zip(a, b, strict=True)])
    found = reconstruction_loss(torch.from_numpy(a), torch.from_numpy(b)).item()
    assert found == pytest.approx(expected, rel=1e-5)


def test_the_centre_of_a_larger_crop_counts():
    images = torch.ones(1, 1, 7, 7)
    images[..., 2:5, 2:5] = 3
    assert reconstruction_loss(images, torch.full((1, 1, 3, 3), 3.0)).item() == 0


def test_no_crops_cost_nothing():
    drawn = torch.zeros(0, 1, 3, 3, requires_grad=True)
    loss = reconstruction_loss(torch.zeros(0, 1, 3, 3), drawn)
    loss.backward()
    assert loss.item() == 0


def test_weight_of_the_paper():
    assert reconstruction_weight(100) == 0.1
    assert reconstruction_weight(0) == 10
