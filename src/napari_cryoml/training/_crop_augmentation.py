"""Random variations of whole crops."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from napari_cryoml.data import MissingWedge
from napari_cryoml.training._crop_augmentation_config import CropAugmentationConfig
from napari_cryoml.training._crop_motion import (
    moved,
    moved_in_plane,
    random_rotations,
    turned_in_plane,
)
from napari_cryoml.training._crop_noise import with_spectrum_of

_AT_ONCE = 2**18  # pixels varied at once on a CPU: what its cache holds; 8 crops of 32^3
_SMALLEST_BALL = 0.75  # radius of a ball, as a share of half the shortest side
_FADE = 0.2  # of half the shortest side, over which a ball fades


def augment_crops(
    crops: Tensor,
    config: CropAugmentationConfig,
    wedge: MissingWedge | None,
    generator: torch.Generator,
) -> Tensor:
    """Return crops, each varied in its own way.

    Parameters
    ----------
    crops : Tensor of shape (b, C, y, x) or (b, C, z, y, x), float32
        Normalised. All channels of a crop move alike.
    config : CropAugmentationConfig
    wedge : MissingWedge or None
        Of the tomogram of 3-D crops: frequencies outside it stay empty. Crops of two axes have
        none.
    generator : torch.Generator
        The only source of chance; on the device of the crops.

    Returns
    -------
    Tensor of the same shape

    References
    ----------
    Gupta et al. 2022 for kind "paper"; Kraus et al. 2017 and Razdaibiedina and Brechalov 2022,
    section 2.2, for kind "cells".
    """
    if config.kind == "none" or not len(crops):
        return crops
    at_once = max(1, _AT_ONCE // crops[0].numel())
    parts = crops.split(at_once if crops.device.type == "cpu" else len(crops))
    return torch.cat([_augmented(part, config, wedge, generator) for part in parts])


def _augmented(
    crops: Tensor,
    config: CropAugmentationConfig,
    wedge: MissingWedge | None,
    generator: torch.Generator,
) -> Tensor:
    chance = _Chance(len(crops), generator)
    if config.kind == "paper":
        return _published(crops, config, chance)
    if config.kind == "cells":
        return _of_cells(crops, config, chance)
    turned = _turned(crops, config, chance)
    noise = chance.uniform(0, config.noise)
    noisy = with_spectrum_of(crops, turned, wedge, config.refill, noise, generator)
    faded = _in_balls(noisy, config.ball, chance)
    return _contrasted(faded, crops, config.contrast, chance)


class _Chance:
    """Numbers drawn for each crop of a batch, shape (b,) or (b, columns)."""

    def __init__(self, n: int, generator: torch.Generator) -> None:
        self.n, self.generator = n, generator

    def uniform(self, low: float, high: float, *columns: int) -> Tensor:
        shape, device = (self.n, *columns), self.generator.device
        return low + (high - low) * torch.rand(shape, generator=self.generator, device=device)

    def coin(self, probability: float) -> Tensor:
        return self.uniform(0, 1) < probability

    def normal(self) -> Tensor:
        return torch.randn(self.n, generator=self.generator, device=self.generator.device)


def _published(crops: Tensor, config: CropAugmentationConfig, chance: _Chance) -> Tensor:
    """Cut a part of the plane and magnify it to all of it; then turn, scale and shift the plane."""
    plane = torch.tensor(crops.shape[-2:], dtype=crops.dtype, device=crops.device)
    part = chance.uniform(config.least_part, 1).sqrt()
    part = torch.where(chance.coin(config.probability), part, 1.0)[:, None]
    place = plane * (1 - part) * chance.uniform(-0.5, 0.5, 2)
    is_moved = chance.coin(config.probability)
    turn = torch.deg2rad(chance.uniform(-config.angle, config.angle)) * is_moved
    factor = 1 + chance.uniform(-config.scale, config.scale) * is_moved
    shift = plane * chance.uniform(-config.shift, config.shift, 2) * is_moved[:, None]
    matrices = turned_in_plane(turn) * (part / factor[:, None])[..., None]
    return moved_in_plane(crops, matrices, part * shift + place)


def _of_cells(crops: Tensor, config: CropAugmentationConfig, chance: _Chance) -> Tensor:
    """Mirror some of the crops along each axis, turn their planes and shift them.

    With a swap of the axes of a square plane, its mirror images make all turns by right angles.
    """
    varied = crops.clone()
    for axis in range(2, crops.ndim):
        mirrored = chance.coin(0.5)
        varied[mirrored] = varied[mirrored].flip(axis)
    if config.turns == "right" and crops.shape[-1] == crops.shape[-2]:
        swapped = chance.coin(0.5)
        varied[swapped] = varied[swapped].transpose(-1, -2)
    if config.turns == "any":
        turns = turned_in_plane(chance.uniform(0, 2 * torch.pi))
        still = crops.new_zeros(len(crops), 2)
        varied = moved_in_plane(varied, turns, still, beyond="reflection")
    for axis, side in enumerate(crops.shape[2:], start=2):
        steps = (side * chance.uniform(-config.shift, config.shift)).round().long()
        varied = _shifted(varied, steps, axis)
    return varied


def _shifted(crops: Tensor, steps: Tensor, axis: int) -> Tensor:
    """Shift each crop by whole pixels along an axis; what lies beyond is its mirror image."""
    if not steps.any():
        return crops
    side = crops.shape[axis]
    places = torch.arange(side, device=crops.device) + steps[:, None]
    mirrored = (places + 0.5).abs().sub(side).abs().neg().add(side).floor().long()
    index = mirrored.reshape(-1, *[side if n == axis else 1 for n in range(1, crops.ndim)])
    return crops.take_along_dim(index, axis)


def _turned(crops: Tensor, config: CropAugmentationConfig, chance: _Chance) -> Tensor:
    ndim = crops.ndim - 2
    side = torch.tensor(crops.shape[2:], dtype=crops.dtype, device=crops.device)
    matrices = random_rotations(len(crops), ndim, chance.generator)
    if config.mirror:
        matrices[:, :, 0] *= torch.where(chance.coin(0.5), -1.0, 1.0)[:, None]
    shifts = side * chance.uniform(-config.shift, config.shift, ndim)
    return moved(crops, matrices, shifts)


def _in_balls(crops: Tensor, share: float, chance: _Chance) -> Tensor:
    """Fade out the corners of some of the crops."""
    chosen = torch.nonzero(chance.coin(share))[:, 0]
    radius = chance.uniform(_SMALLEST_BALL, 1).reshape(-1, *[1] * (crops.ndim - 1))[chosen]
    distance = _distance(tuple(crops.shape[2:])).to(crops.device)
    crops[chosen] *= ((radius - distance) / _FADE + 1).clamp(0, 1)
    return crops


@functools.lru_cache(maxsize=4)
def _distance(shape: tuple[int, ...]) -> Tensor:
    """Return the distance of each pixel from the middle, as a share of half the shortest side."""
    squares = torch.zeros(())
    for side in shape:
        squares = squares[..., None] + ((torch.arange(side) - side // 2) / (min(shape) / 2)) ** 2
    return squares.sqrt()


def _contrasted(crops: Tensor, before: Tensor, spread: float, chance: _Chance) -> Tensor:
    """Bring each channel to the mean it had before, and to a deviation around what it had."""
    axes = tuple(range(2, crops.ndim))
    mean, wanted = before.mean(dim=axes, keepdim=True), _deviation(before, axes)
    centred = crops - crops.mean(dim=axes, keepdim=True)
    factor = wanted / _deviation(crops, axes).clamp_min(1e-6)
    contrast = torch.exp(spread * chance.normal()).reshape(-1, *[1] * (crops.ndim - 1))
    return centred * (factor * contrast) + mean


def _deviation(crops: Tensor, axes: tuple[int, ...]) -> Tensor:
    return crops.std(dim=axes, correction=0, keepdim=True)
