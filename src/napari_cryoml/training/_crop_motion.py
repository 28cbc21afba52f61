"""Turning, magnifying and shifting crops."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def moved(crops: Tensor, matrices: Tensor, offsets: Tensor, padding: str) -> Tensor:
    """Return crops sampled (linearly) where a map takes the pixels of the result.

    Parameters
    ----------
    crops : Tensor of shape (b, 1, y, x) or (b, 1, z, y, x), float32
    matrices : Tensor of shape (b, ndim, ndim)
        From a pixel's offset from the middle of the result, (z)yx, to its offset from the middle
        of the crop.
    offsets : Tensor of shape (b, ndim)
        What is added to that, pixels (z)yx.
    padding : {"zeros", "reflection"}
        What lies beyond the crop.
    """
    side = torch.tensor(crops.shape[2:], dtype=crops.dtype, device=crops.device)
    # grid_sample counts in half sides, and its axes run x, y, (z).
    linear = matrices * side / side[:, None]
    maps = torch.cat([linear.flip(1, 2), (2 * offsets / side).flip(1)[..., None]], dim=2)
    grid = F.affine_grid(maps, list(crops.shape), align_corners=False)
    return F.grid_sample(crops, grid, padding_mode=padding, align_corners=False)


def turned_in_plane(radians: Tensor, ndim: int) -> Tensor:
    """Return rotations of the last two axes, shape (b, ndim, ndim)."""
    matrices = torch.eye(ndim, device=radians.device).repeat(len(radians), 1, 1)
    cosine, sine = torch.cos(radians), torch.sin(radians)
    matrices[:, -2, -2], matrices[:, -2, -1] = cosine, -sine
    matrices[:, -1, -2], matrices[:, -1, -1] = sine, cosine
    return matrices


def random_rotations(n: int, ndim: int, generator: torch.Generator) -> Tensor:
    """Return rotations drawn evenly from all of 2 or 3 axes, shape (n, ndim, ndim)."""
    if ndim == 2:
        turns = torch.rand(n, generator=generator, device=generator.device)
        return turned_in_plane(2 * torch.pi * turns, ndim)
    numbers = torch.randn((n, 4), generator=generator, device=generator.device)
    w, x, y, z = F.normalize(numbers, dim=1).unbind(1)
    rows = [
        torch.stack([1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)], dim=1),
        torch.stack([2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)], dim=1),
        torch.stack([2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)], dim=1),
    ]
    return torch.stack(rows, dim=1)
