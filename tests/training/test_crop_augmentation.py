import numpy as np
import pytest
import torch
import torch.nn.functional as F

from napari_cryoml.data import MissingWedge
from napari_cryoml.training import CropAugmentationConfig, augment_crops
from napari_cryoml.training._crop_motion import moved, moved_in_plane, random_rotations

SHAPES = [(12, 10), (10, 12, 14)]
STILL = {"shift": 0.0, "noise": 0.0, "refill": 0.0, "contrast": 0.0, "ball": 0.0}


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _crops(n: int, shape: tuple[int, ...], n_channels: int = 1) -> torch.Tensor:
    crops = torch.randn((n, n_channels, *shape), generator=_generator())
    return (crops - crops.mean()) / crops.std()


@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["none", "paper", "full", "cells"])
def test_shape_stays_and_the_seed_decides(
    kind: str, shape: tuple[int, ...], n_channels: int
) -> None:
    crops = _crops(5, shape, n_channels)
    before = crops.clone()
    config = CropAugmentationConfig(kind=kind)
    varied = [augment_crops(crops, config, MissingWedge(), _generator(s)) for s in (1, 1, 2)]
    assert varied[0].shape == crops.shape
    assert torch.isfinite(varied[0]).all()
    assert torch.equal(varied[0], varied[1])
    assert torch.equal(varied[0], varied[2]) == (kind == "none")
    assert torch.equal(crops, before)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("kind", "turns"), [("paper", "none"), ("full", "none"), ("cells", "right"), ("cells", "any")]
)
def test_all_channels_move_alike(kind: str, turns: str, shape: tuple[int, ...]) -> None:
    one = _crops(3, shape)
    config = CropAugmentationConfig(kind=kind, turns=turns, **STILL | {"shift": 0.1})
    varied = augment_crops(torch.cat([one, 2 * one], dim=1), config, None, _generator())
    alone = augment_crops(one, config, None, _generator())
    assert torch.allclose(varied[:, :1], alone, atol=1e-5)
    assert torch.allclose(varied[:, 1:], 2 * alone, atol=1e-5)


def test_each_channel_has_noise_of_its_own() -> None:
    one = _crops(2, (8, 8))
    config = CropAugmentationConfig(**STILL | {"noise": 2.0})
    varied = augment_crops(torch.cat([one, one], dim=1), config, None, _generator())
    assert not torch.allclose(varied[:, 0], varied[:, 1], atol=0.1)


@pytest.mark.parametrize("shape", SHAPES)
def test_no_crops_are_no_crops(shape: tuple[int, ...]) -> None:
    none = augment_crops(torch.zeros(0, 1, *shape), CropAugmentationConfig(), None, _generator())
    assert none.shape == (0, 1, *shape)


@pytest.mark.parametrize("ndim", [2, 3])
def test_random_rotations_are_rotations_of_all_directions(ndim: int) -> None:
    matrices = random_rotations(2000, ndim, _generator())
    unit = matrices @ matrices.transpose(1, 2)
    assert torch.allclose(unit, torch.eye(ndim).expand_as(unit), atol=1e-5)
    assert torch.allclose(torch.linalg.det(matrices), torch.ones(2000), atol=1e-5)
    assert matrices.mean(0).abs().max() < 0.06
    assert torch.allclose(matrices.square().mean(0), torch.full((ndim, ndim), 1 / ndim), atol=0.03)


def test_volumes_are_sampled_as_grid_sample_does() -> None:
    crops = _crops(3, (6, 8, 7))
    matrices, offsets = random_rotations(3, 3, _generator()), torch.randn(3, 3)
    side = torch.tensor([6.0, 8, 7])
    maps = (matrices * side / side[:, None]).flip(1, 2)
    theta = torch.cat([maps, (2 * offsets / side).flip(1)[..., None]], dim=2)
    grid = F.affine_grid(theta, [3, 1, 6, 8, 7], align_corners=False)
    expected = F.grid_sample(crops, grid, padding_mode="reflection", align_corners=False)
    assert torch.allclose(moved(crops, matrices, offsets), expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(7, 6), (5, 7, 6), (5, 1, 6)])
def test_the_identity_leaves_crops_as_they_are(shape: tuple[int, ...]) -> None:
    crops = _crops(2, shape)
    ndim = len(shape)
    still = moved(crops, torch.eye(ndim).repeat(2, 1, 1), torch.zeros(2, ndim))
    assert torch.allclose(still, crops, atol=1e-5)
    plane = moved_in_plane(crops, torch.eye(2).repeat(2, 1, 1), torch.zeros(2, 2))
    assert torch.allclose(plane, crops, atol=1e-5)


def test_a_quarter_turn_and_a_shift_go_where_the_map_says() -> None:
    crop = torch.zeros(1, 1, 5, 5, 5)
    crop[0, 0, 1, 2, 3] = 1  # offsets from the middle: -1, 0, 1
    turn = torch.tensor([[[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]]])  # (z, y, x) comes from (y, -z, x)
    turned = moved(crop, turn, torch.tensor([[0.0, 0, 1]]))
    assert (turned[0, 0] > 0.5).nonzero().tolist() == [[2, 1, 2]]


def test_the_paper_moves_the_plane_alone() -> None:
    """What is the same in all planes stays so, and no plane sees another one."""
    crops = _crops(1, (1, 16, 16)).repeat(8, 1, 4, 1, 1)
    crops[:, :, 2] = 0
    varied = augment_crops(crops, CropAugmentationConfig(kind="paper"), None, _generator())
    assert torch.allclose(varied[:, :, 0], varied[:, :, 3], atol=1e-5)
    assert not varied[:, :, 2].any()


def test_the_paper_leaves_a_quarter_of_the_crops_as_they_are() -> None:
    crops = _crops(400, (8, 8))
    varied = augment_crops(crops, CropAugmentationConfig(kind="paper"), None, _generator())
    share = torch.isclose(varied, crops, atol=1e-4).flatten(1).all(1).float().mean()
    assert 0.18 < share < 0.32


@pytest.mark.parametrize("wedge", [MissingWedge(-60, 60), MissingWedge(-40, 50, "x")])
def test_the_missing_wedge_is_empty_again(wedge: MissingWedge) -> None:
    config = CropAugmentationConfig(ball=0.0)
    varied = augment_crops(_crops(3, (12, 12, 12)), config, wedge, _generator())
    power = np.abs(np.fft.fftn(varied[:, 0].numpy(), axes=(1, 2, 3))) ** 2
    missing = ~wedge.mask((12, 12, 12))
    assert power[:, missing].sum() < 0.02 * power.sum()
    # On the planes of the highest frequency one coefficient stands for two of opposite tilt.
    missing[6] = missing[:, 6] = missing[:, :, 6] = False
    assert power[:, missing].sum() < 1e-8 * power.sum()


@pytest.mark.parametrize("shape", [(24, 24), (16, 16, 16)])
def test_noise_brings_the_spectrum_back(shape: tuple[int, ...]) -> None:
    """Interpolation takes much of the power of white noise; refilling gives it back."""
    crops = _crops(40, shape)
    axes = tuple(range(2, crops.ndim))
    high = torch.from_numpy(np.fft.fftfreq(shape[-1])).abs() > 0.3
    shares = []
    for refill in (0.0, 1.0):
        config = CropAugmentationConfig(**STILL | {"refill": refill})
        varied = augment_crops(crops, config, None, _generator())
        power = torch.fft.fftn(varied, dim=axes).abs().square()
        shares.append(float(power[..., high].sum() / power.sum()))
    assert shares[0] < 0.8 * float(high.float().mean())
    assert shares[1] == pytest.approx(float(high.float().mean()), rel=0.05)


def test_crops_of_the_full_kind_keep_mean_and_deviation_of_each_channel() -> None:
    crops = 2 * _crops(4, (8, 8, 8), 2) + 3
    config = CropAugmentationConfig(contrast=0.0)
    varied = augment_crops(crops, config, MissingWedge(), _generator())
    assert torch.allclose(varied.flatten(2).mean(2), crops.flatten(2).mean(2), atol=1e-4)
    assert torch.allclose(varied.flatten(2).std(2), crops.flatten(2).std(2), atol=1e-3)


@pytest.mark.parametrize("shape", [(9, 9), (9, 9, 9)])
def test_a_ball_fades_the_corners(shape: tuple[int, ...]) -> None:
    config = CropAugmentationConfig(**STILL | {"ball": 1.0})
    varied = augment_crops(_crops(6, shape), config, None, _generator())
    corners = varied[(slice(None), 0, *[0] * len(shape))]
    edge = varied[(slice(None), 0, *[0] * (len(shape) - 1), 1)]
    assert torch.allclose(corners, edge, atol=1e-6)


def test_mirroring_is_off_unless_asked_for() -> None:
    letter = torch.zeros(1, 1, 15, 15)
    letter[0, 0, 3:12, 6], letter[0, 0, 3, 6:11], letter[0, 0, 6, 6:9] = 1, 1, 1
    angles = torch.linspace(0, 2 * torch.pi, 73)[:72]
    turns = torch.stack([angles.cos(), -angles.sin(), angles.sin(), angles.cos()], 1)
    letters = [
        moved(form.repeat(72, 1, 1, 1), turns.reshape(72, 2, 2), torch.zeros(72, 2)).flatten(1)
        for form in (letter, letter.flip(2))
    ]
    for mirror in (False, True):
        config = CropAugmentationConfig(**STILL | {"mirror": mirror})
        varied = augment_crops(letter.repeat(16, 1, 1, 1), config, None, _generator()).flatten(1)
        plain, mirrored = ((varied @ form.T).amax(1) for form in letters)
        assert set((mirrored > plain).tolist()) == ({True, False} if mirror else {False})


def _cells(turns: str, shift: float = 0.0) -> CropAugmentationConfig:
    return CropAugmentationConfig(kind="cells", turns=turns, shift=shift)


def _images(crop: torch.Tensor, *, swap: bool) -> list[torch.Tensor]:
    """Return all mirror images of a crop (1, *shape), and those of its turn."""
    found = [crop]
    for axis in range(1, crop.ndim):
        found += [image.flip(axis) for image in found]
    return found + ([image.transpose(-1, -2) for image in found] if swap else [])


@pytest.mark.parametrize("shape", [(5, 5), (4, 5, 5), (5, 4)])
@pytest.mark.parametrize("turns", ["none", "right"])
def test_a_cell_comes_in_all_mirror_images_equally_often(
    turns: str, shape: tuple[int, ...]
) -> None:
    crop = _crops(1, shape)
    images = _images(crop[0], swap=turns == "right" and shape[-1] == shape[-2])
    varied = augment_crops(
        crop.repeat(1600, *[1] * (len(shape) + 1)), _cells(turns), None, _generator()
    )
    counts = [int((varied == image).flatten(1).all(1).sum()) for image in images]
    assert sum(counts) == 1600
    assert min(counts) > 0.6 * 1600 / len(images)


@pytest.mark.parametrize("shape", [(21, 21), (3, 21, 21)])
def test_any_turn_leaves_a_round_cell_as_it_is(shape: tuple[int, ...]) -> None:
    y, x = torch.meshgrid(torch.arange(21) - 10.0, torch.arange(21) - 10.0, indexing="ij")
    round_cell = torch.exp(-(x**2 + y**2) / 20).expand(8, 1, *shape).contiguous()
    varied = augment_crops(round_cell, _cells("any"), None, _generator())
    inside = x**2 + y**2 < 100
    assert torch.allclose(varied[..., inside], round_cell[..., inside], atol=0.03)
    assert not torch.equal(varied, round_cell)


def test_a_shift_is_of_whole_pixels_and_mirrors_the_border() -> None:
    crop = torch.arange(8.0).expand(1, 1, 8, 8).contiguous()
    varied = augment_crops(crop.repeat(200, 1, 1, 1), _cells("none", 0.25), None, _generator())
    rows = {tuple(row.tolist()) for row in varied[:, 0, 0].int()}
    padded = np.pad(np.arange(8), 2, mode="symmetric")
    shifted = [tuple(padded[start : start + 8].tolist()) for start in range(5)]
    assert rows == {*shifted, *(row[::-1] for row in shifted)}
