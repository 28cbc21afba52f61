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


def _ball(size: int = 24) -> torch.Tensor:
    axes = torch.meshgrid(*[torch.arange(float(size)) - (size - 1) / 2] * 3, indexing="ij")
    return torch.exp(-sum(axis**2 for axis in axes) / 18)


def test_in_space_a_volume_is_turned_out_of_its_plane_behind_its_wedge() -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn((4, 1, 24, 24, 24), generator=generator)
    config = AugmentationConfig(turns="space", lowest_tilt=-50, highest_tilt=40, **STILL)
    mask = torch.from_numpy(config.wedge.mask((24, 24, 24)))
    images = torch.fft.ifftn(torch.fft.fftn(images, dim=(2, 3, 4)) * mask, dim=(2, 3, 4)).real
    turned, _ = augment(images, images[:, 0].to(torch.int8), config, generator)
    power = torch.fft.fftn(turned, dim=(2, 3, 4)).abs().square()
    even = torch.roll(mask.flip(0, 1, 2), (1, 1, 1), (0, 1, 2)) & mask  # Nyquist has no sign
    assert power[:, 0, ~(mask | even)].sum() < 0.05 * power.sum()
    assert turned.std() == pytest.approx(float(images.std()), rel=0.15)


def test_in_space_labels_follow_and_what_comes_from_outside_is_ignored() -> None:
    labels = (_ball() > 0.3).to(torch.int8)[None].repeat(3, 1, 1, 1)
    config = AugmentationConfig(turns="space", lowest_tilt=-90, highest_tilt=90, **STILL)
    images = _ball()[None, None].repeat(3, 1, 1, 1, 1)
    turned, moved = augment(images, labels, config, torch.Generator().manual_seed(1))
    inner = (slice(None), *[slice(6, 18)] * 3)
    assert ((moved[inner] == 1) == (labels[inner] == 1)).float().mean() > 0.95
    assert torch.corrcoef(torch.stack([turned.flatten(), images.flatten()]))[0, 1] > 0.98
    assert (moved[:, 0, 0, 0] == IGNORED).any()


def test_a_micrograph_is_turned_in_its_plane_where_tomograms_are_turned_in_space() -> None:
    images, labels = _crops(2, 2, 8)
    in_space, in_plane = (
        augment(images, labels, AugmentationConfig(turns=turns, **STILL), torch.Generator())
        for turns in ("space", "any")
    )
    assert torch.equal(in_space[0], in_plane[0])


def test_tilts_come_in_order() -> None:
    with pytest.raises(ValueError, match="smaller than highest_tilt"):
        AugmentationConfig(lowest_tilt=0, highest_tilt=0)
