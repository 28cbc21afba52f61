import pytest
import torch

from napari_cryoml.training import IGNORED, AugmentationConfig
from napari_cryoml.training._augmentation import augment

STILL = {"contrast": 0.0, "brightness": 0.0}


def _crops(n: int, ndim: int, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand((n, 1, *[size] * ndim), generator=generator)
    return images, (images[:, 0] > 0.5).to(torch.int8)


@pytest.mark.parametrize("ndim", [2, 3])
def test_labels_follow_their_pixels(ndim: int) -> None:
    images, labels = _crops(16, ndim, 6)
    config = AugmentationConfig(**STILL)
    turned, moved = augment(images, labels, config, torch.Generator().manual_seed(1))
    assert torch.equal((turned[:, 0] > 0.5).to(torch.int8), moved)
    assert not torch.equal(turned, images)


def test_right_angles_reach_all_eight_positions_of_a_square() -> None:
    images, labels = _crops(1, 2, 4)
    generator = torch.Generator().manual_seed(0)
    config = AugmentationConfig(**STILL)
    seen = {
        tuple(augment(images, labels, config, generator)[0].flatten().tolist()) for _ in range(200)
    }
    assert len(seen) == 8


def test_without_flips_only_the_four_rotations_are_left() -> None:
    images, labels = _crops(1, 2, 4)
    generator = torch.Generator().manual_seed(0)
    config = AugmentationConfig(flips=False, **STILL)
    seen = {
        tuple(augment(images, labels, config, generator)[0].flatten().tolist()) for _ in range(100)
    }
    rotations = {tuple(images.rot90(k, (2, 3)).flatten().tolist()) for k in range(4)}
    assert seen == rotations


def test_a_tomogram_is_never_turned_out_of_its_plane() -> None:
    images = torch.zeros((20, 1, 4, 4, 4))
    images[:, :, 1] = 1.0
    turned, _ = augment(
        images, images[:, 0].to(torch.int8), AugmentationConfig(**STILL), torch.Generator()
    )
    planes = turned[:, 0].mean(dim=(2, 3))
    assert set(planes.argmax(dim=1).tolist()) <= {1, 2}
    assert torch.equal(planes.max(dim=1).values, torch.ones(20))


@pytest.mark.parametrize("ndim", [2, 3])
def test_any_turn_keeps_a_centred_disc_and_ignores_what_comes_from_outside(ndim: int) -> None:
    axes = torch.meshgrid(*[torch.arange(21.0) - 10] * ndim, indexing="ij")
    disc = torch.exp(-sum(axis**2 for axis in axes[-2:]) / 50)
    images = disc.expand(8, 1, *disc.shape).clone()
    config = AugmentationConfig(turns="any", **STILL)
    labels = (disc > 0.5).to(torch.int8).expand(8, *disc.shape)
    turned, moved = augment(images, labels, config, torch.Generator().manual_seed(0))
    assert (turned - images).abs().mean() < 0.03
    assert (moved == IGNORED).any()
    assert ((moved == 1) != (disc > 0.5)).float().mean() < 0.05


def test_magnification_changes_the_area() -> None:
    axes = torch.meshgrid(*[torch.arange(41.0) - 20] * 2, indexing="ij")
    disc = (axes[0] ** 2 + axes[1] ** 2 <= 64).float()
    images = disc.expand(64, 1, 41, 41).clone()
    config = AugmentationConfig(scale=0.2, **STILL)
    turned, _ = augment(images, images[:, 0].to(torch.int8), config, torch.Generator())
    areas = turned.sum(dim=(1, 2, 3)) / disc.sum()
    assert areas.min() < 0.8
    assert areas.max() > 1.2


def test_intensity_varies_from_crop_to_crop() -> None:
    images, labels = _crops(8, 2, 4)
    config = AugmentationConfig(contrast=0.2, brightness=0.5)
    varied, _ = augment(torch.ones_like(images), labels, config, torch.Generator())
    assert len(set(varied[:, 0, 0, 0].tolist())) == 8
