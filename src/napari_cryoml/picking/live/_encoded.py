"""The channels of the learned encoder for a whole image, tile by tile."""

from __future__ import annotations

import hashlib
import itertools
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_cryoml.models import load_encoder
from napari_cryoml.preprocess import mirrored_region

if TYPE_CHECKING:
    import torch

    from napari_cryoml.models import Encoder

ENCODER_STRIDE = 2
"""Working pixels per grid point of the encoder."""

_TILE_POINTS = {2: 512, 3: 48}


@cache
def encoder_digest(ndim: int) -> str:
    """Return a digest of the weights of the encoder that comes with us; empty without one."""
    encoder = load_encoder(ndim)
    if encoder is None:
        return ""
    digest = hashlib.blake2b(digest_size=8)
    for tensor in encoder.state_dict().values():
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


def encoded(
    encoder: Encoder, working: npt.NDArray[np.float32], device: torch.device
) -> npt.NDArray[np.float32]:
    """Return the channels of an image.

    Parameters
    ----------
    encoder : Encoder
    working : array of shape (y, x) or (z, y, x)
        Mirrored beyond its borders.
    device : torch.device

    Returns
    -------
    array of shape (C, gy, gx) or (C, gz, gy, gx), float32
        Grid point i lies at pixel ``2 * i``; the grid has ``ceil(size / 2)`` points.
    """
    import torch

    margin = ENCODER_STRIDE * -(-encoder.config.margin // ENCODER_STRIDE)
    network = encoder if device.type == "cpu" else _moved(encoder.config.ndim, device)
    grid = [-(-size // ENCODER_STRIDE) for size in working.shape]
    values = np.empty((encoder.config.channels, *grid), np.float32)
    tile = _TILE_POINTS[working.ndim]
    with torch.inference_mode():
        for corner in itertools.product(*(range(0, size, tile) for size in grid)):
            size = [min(tile, n - start) for start, n in zip(corner, grid, strict=True)]
            start = [ENCODER_STRIDE * at - margin for at in corner]
            extent = [ENCODER_STRIDE * n + 2 * margin for n in size]
            pixels = torch.from_numpy(mirrored_region(working, start, extent))
            channels = network(pixels[None, None].to(device))[0].cpu().numpy()
            inner = tuple(
                slice(margin // ENCODER_STRIDE, margin // ENCODER_STRIDE + n) for n in size
            )
            where = tuple(slice(at, at + n) for at, n in zip(corner, size, strict=True))
            values[(slice(None), *where)] = channels[(slice(None), *inner)]
    return values


@cache
def _moved(ndim: int, device: torch.device) -> Encoder:
    """Return a copy of the encoder on another device; the shared one stays where it is."""
    import copy

    encoder: Any = copy.deepcopy(load_encoder(ndim))
    return encoder.to(device)
