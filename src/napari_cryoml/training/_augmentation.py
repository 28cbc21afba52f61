"""Random variations of a batch of crops."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_cryoml.training._config import AugmentationConfig
from napari_cryoml.training._crop_motion import random_rotations, turned_in_plane
from napari_cryoml.training._crop_noise import with_spectrum_of
from napari_cryoml.training._labels import IGNORED


def augment(
    images: Tensor, labels: Tensor, config: AugmentationConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return the crops of a batch, each varied in its own way, and their labels.

    Parameters
    ----------
    images : Tensor of shape (b, 1, ...spatial), float32
    labels : Tensor of shape (b, ...spatial), int8
    config : AugmentationConfig
        Turns are in the plane of the last two axes, for a tomogram's missing wedge and thickness
        make its first axis unlike the others; unless they are in "space", which is for volumes:
        then the wedge is cut out anew, and noise of the crop's own spectrum fills what the turned
        wedge has left empty.
    generator : torch.Generator
        The only source of chance.

    Returns
    -------
    images, labels : Tensors of the shapes given
    """
    images, labels = _turn_right(images, labels, config, generator)
    if config.turns != "right angles" or config.scale > 0:
        images, labels = _resample(images, labels, config, generator)
    return _vary_intensity(images, config, generator), labels


def _turn_right(
    images: Tensor, labels: Tensor, config: AugmentationConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Transpose the plane and mirror the axes of each crop at random; no pixel changes."""
    n, ndim = len(images), images.ndim - 2
    coins = torch.rand((n, ndim + 1), generator=generator) < 0.5
    turned = []
    for crop, label, coin in zip(images[:, 0], labels, coins.tolist(), strict=True):
        swap = coin[0] and crop.shape[-1] == crop.shape[-2]
        mirrored = [axis for axis in range(ndim) if coin[1 + axis]]
        if not config.flips:
            # Half turns and quarter turns are mirrors combined in pairs.
            mirrored = _proper(swap, coin[1:], ndim)
        pair = []
        for array in (crop, label):
            moved = array.transpose(-1, -2) if swap else array
            pair.append(moved.flip(mirrored))
        turned.append(pair)
    crops = torch.stack([pair[0] for pair in turned])[:, None]
    return crops, torch.stack([pair[1] for pair in turned])


def _proper(swap: bool, coins: list[bool], ndim: int) -> list[int]:
    """Return the axes to mirror so that swap and mirrors together are a rotation of the plane."""
    first, second = ndim - 2, ndim - 1
    if swap:
        return [first] if coins[0] else [second]
    return [first, second] if coins[0] else []


def _resample(
    images: Tensor, labels: Tensor, config: AugmentationConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Rotate each crop in its plane or in space, and magnify it."""
    n, ndim = len(images), images.ndim - 2
    in_space = config.turns == "space" and ndim == 3
    maps = torch.zeros(n, ndim, ndim + 1)
    # grid_sample orders axes x, y, (z); a random rotation has no order to mind.
    maps[..., :ndim] = (
        random_rotations(n, ndim, generator) if in_space else _in_plane(n, ndim, config, generator)
    )
    factors = 1 + config.scale * (2 * torch.rand(n, generator=generator) - 1)
    maps /= factors[:, None, None]
    grid = F.affine_grid(maps, list(images.shape), align_corners=False)
    padding = "reflection" if in_space else "zeros"
    pixels = F.grid_sample(images, grid, padding_mode=padding, align_corners=False)
    if in_space:
        none = torch.zeros(n)
        pixels = with_spectrum_of(images, pixels, config.wedge, 1.0, none, generator)
    shifted = (labels - IGNORED)[:, None].to(images.dtype)
    moved = F.grid_sample(shifted, grid, mode="nearest", align_corners=False)
    return pixels, (moved[:, 0].round() + IGNORED).to(torch.int8)


def _in_plane(n: int, ndim: int, config: AugmentationConfig, generator: torch.Generator) -> Tensor:
    """Return rotations of the first two of ndim axes, shape (n, ndim, ndim)."""
    angles = torch.rand(n, generator=generator) * 2 * math.pi
    matrices = torch.eye(ndim).repeat(n, 1, 1)
    if config.turns != "right angles":
        matrices[:, :2, :2] = turned_in_plane(angles)
    return matrices


def _vary_intensity(
    images: Tensor, config: AugmentationConfig, generator: torch.Generator
) -> Tensor:
    shape = (len(images),) + (1,) * (images.ndim - 1)
    gain = torch.exp(config.contrast * torch.randn(shape, generator=generator))
    return images * gain + config.brightness * torch.randn(shape, generator=generator)
