"""Turning, magnifying and shifting crops."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

_SLAB = 2**16  # pixels interpolated at once: few enough for a cache, enough for few calls


def moved(crops: Tensor, matrices: Tensor, offsets: Tensor) -> Tensor:
    """Return crops sampled (linearly) where a map takes the pixels of the result.

    What lies beyond a crop is its mirror image: zeros would show a network what was turned.

    Parameters
    ----------
    crops : Tensor of shape (b, C, y, x) or (b, C, z, y, x), float32
    matrices : Tensor of shape (b, ndim, ndim)
        From a pixel's offset from the middle of the result, (z)yx, to its offset from the middle
        of the crop.
    offsets : Tensor of shape (b, ndim)
        What is added to that, pixels (z)yx.
    """
    if crops.ndim == 5 and crops.device.type == "cpu":
        return _moved_volumes(crops, matrices, offsets)
    return _sampled(crops, matrices, offsets, "reflection")


def moved_in_plane(
    crops: Tensor, matrices: Tensor, offsets: Tensor, beyond: str = "zeros"
) -> Tensor:
    """Return crops whose planes across the first of three axes are moved alike.

    As `moved`, with matrices of shape (b, 2, 2) and offsets of shape (b, 2). Beyond the crop are
    "zeros" or its "reflection".
    """
    planes = crops.flatten(1, -3)
    return _sampled(planes, matrices, offsets, beyond).reshape(crops.shape)


def _sampled(images: Tensor, matrices: Tensor, offsets: Tensor, padding: str) -> Tensor:
    side = torch.tensor(images.shape[2:], dtype=images.dtype, device=images.device)
    # grid_sample counts in half sides, and its axes run x, y, (z).
    linear = matrices * side / side[:, None]
    maps = torch.cat([linear.flip(1, 2), (2 * offsets / side).flip(1)[..., None]], dim=2)
    grid = F.affine_grid(maps, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode=padding, align_corners=False)


def _moved_volumes(crops: Tensor, matrices: Tensor, offsets: Tensor) -> Tensor:
    """Do what grid_sample does, which is several times slower on volumes on a CPU."""
    shape = crops.shape[2:]
    slab = max(1, _SLAB // (shape[1] * shape[2]))
    result = torch.empty_like(crops)
    for crop, moved_crop, matrix, offset in zip(crops, result, matrices, offsets, strict=True):
        for first in range(0, shape[0], slab):
            planes = slice(first, min(first + slab, shape[0]))
            moved_crop[:, planes] = _interpolated(crop, matrix, offset, planes)
    return result


def _interpolated(crop: Tensor, matrix: Tensor, offset: Tensor, planes: slice) -> Tensor:
    """Return some planes of a volume (C, z, y, x) after it was moved, shape (C, planes, y, x)."""
    shape = crop.shape[1:]
    strides = [math.prod(shape[axis + 1 :]) for axis in range(3)]
    corner, rests = torch.zeros((), dtype=torch.int32), []
    for axis, place in enumerate(_places(shape, matrix, offset, planes)):
        whole = place.floor().clamp_(max=max(shape[axis] - 2, 0))
        rests.append(place.sub_(whole))
        corner = corner + whole.int().mul_(strides[axis])
    start, result_shape = corner.reshape(-1), corner.shape
    channels = [channel.reshape(-1) for channel in crop]
    to_z, to_y, to_x = (
        stride if side > 1 else 0 for stride, side in zip(strides, shape, strict=True)
    )

    def at(step: int) -> Tensor:
        found = [values.index_select(0, start + step) for values in channels]
        return torch.stack(found).reshape(-1, *result_shape)

    def along_x(step: int) -> Tensor:
        return at(step).lerp_(at(step + to_x), rests[2])

    def along_y(step: int) -> Tensor:
        return along_x(step).lerp_(along_x(step + to_y), rests[1])

    return along_y(0).lerp_(along_y(to_z), rests[0])


def _places(shape: torch.Size, matrix: Tensor, offset: Tensor, planes: slice) -> Iterator[Tensor]:
    """Yield the pixel, along each axis, that each pixel of some planes comes from."""
    z, y, x = (torch.arange(side) - (side - 1) / 2 for side in shape)
    for row, shift, side in zip(matrix, offset, shape, strict=True):
        plane = (row[1] * y)[:, None] + row[2] * x
        column = row[0] * z[planes] + (shift + (side - 1) / 2)
        place = plane + column[:, None, None]
        # Mirrors stand half a pixel outside the first and the last pixel; the second reflection
        # is of no concern, for no turn and shift leads as far.
        folded = place.add_(0.5).abs_().sub_(side).abs_()
        yield folded.neg_().add_(side - 0.5).clamp_(0, side - 1)


def turned_in_plane(radians: Tensor) -> Tensor:
    """Return rotations of the plane by angles of shape (b,), shape (b, 2, 2)."""
    cosine, sine = torch.cos(radians), torch.sin(radians)
    return torch.stack([cosine, -sine, sine, cosine], dim=1).reshape(-1, 2, 2)


def random_rotations(n: int, ndim: int, generator: torch.Generator) -> Tensor:
    """Return rotations drawn evenly from all of 2 or 3 axes, shape (n, ndim, ndim)."""
    if ndim == 2:
        turns = torch.rand(n, generator=generator, device=generator.device)
        return turned_in_plane(2 * torch.pi * turns)
    numbers = torch.randn((n, 4), generator=generator, device=generator.device)
    w, x, y, z = F.normalize(numbers, dim=1).unbind(1)
    rows = [
        torch.stack([1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)], dim=1),
        torch.stack([2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)], dim=1),
        torch.stack([2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)], dim=1),
    ]
    return torch.stack(rows, dim=1)
