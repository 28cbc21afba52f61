"""Scores of whole images, tile by tile, without seams."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.preprocess import mirrored_region

if TYPE_CHECKING:
    import torch

    from napari_cryoml.models import Detector

Array = npt.NDArray[np.float32]

# Small tiles stay in the caches of a CPU; a GPU needs large ones to be busy.
_LEAST_TILE = {2: 256, 3: 64}
_CUDA_TILE = {2: 1024, 3: 192}


def score_image(
    detector: Detector,
    image: npt.NDArray[Any],
    *,
    full_resolution: bool = False,
    tile: int | None = None,
    device: torch.device | str | None = None,
    mixed_precision: bool = False,
    on_tile: Callable[[int, int], None] | None = None,
) -> Array:
    """Return the score of every `stride`-th pixel, or of every pixel, of an image of any size.

    Each tile is read with the margin that the network sees, so its scores are those of
    `Detector.dense` on the whole image; beyond the border is its mirror image. At full
    resolution the strided network runs once for each shift within a stride and the results are
    interleaved (Sermanet et al. 2014, arXiv:1312.6229, section 3.3), which takes no more memory.

    Parameters
    ----------
    detector : Detector
        Acts as in evaluation; its mode is the same afterwards. It is moved to `device`.
    image : array of shape (y, x) or (z, y, x)
        Normalised, on the working grid; read tile by tile, so it may be memory-mapped.
    full_resolution : bool, default False
        Score every pixel, at ``stride ** ndim`` times the work.
    tile : int, optional
        Edge of a tile without its margin, working pixels. Memory grows with its area (volume);
        the scores do not depend on it. By default large enough that the margins do not dominate,
        and larger on a GPU.
    device : torch.device or str, optional
        Where to compute; by default where the network lies.
    mixed_precision : bool, default False
        Compute in half precision on a CUDA device: faster, and accurate to about 1 %.
    on_tile : callable, optional
        Called with the number of tiles done and of tiles in all after each of them; begins anew
        if the tiles have to be made smaller.

    Returns
    -------
    array of float32
        Log-odds. Point k is that of pixel ``k * stride`` and the shape is
        ``ceil(image.shape / stride)``; at full resolution it is that of the image.

    Raises
    ------
    InputError
        If the image has other axes than the network, or a GPU cannot hold even the smallest tile.

    Warns
    -----
    InputWarning
        If the memory of a GPU did not suffice and the tiles were halved.
    """
    import torch

    _check_axes(detector, image)
    where = torch.device(device) if device is not None else _device_of(detector)
    tile = max((tile or _usual_tile(detector, where)) // detector.stride, 1) * detector.stride
    half = torch.autocast(where.type, torch.float16, mixed_precision and where.type == "cuda")
    # Before inference mode: weights that are moved within it could not be trained any more.
    detector.to(where)
    with _evaluating(detector), torch.inference_mode(), half:
        while True:
            try:
                return _score(detector, image, tile, full_resolution, where, on_tile)
            except torch.cuda.OutOfMemoryError:
                smaller = tile // 2 // detector.stride * detector.stride
            # Outside the handler, whose traceback keeps the tensors alive.
            torch.cuda.empty_cache()
            _announce(tile, smaller)
            tile = smaller


def _check_axes(detector: Detector, image: npt.NDArray[Any]) -> None:
    if image.ndim != detector.ndim:
        raise InputError(
            f"The network scores {detector.ndim}-D images; an array of shape {image.shape} came."
        )


def _device_of(detector: Detector) -> torch.device:
    return next(detector.parameters()).device


def _usual_tile(detector: Detector, device: torch.device) -> int:
    if device.type == "cuda":
        return _CUDA_TILE[detector.ndim]
    margins = 4 if detector.ndim == 2 else 2
    return max(_LEAST_TILE[detector.ndim], margins * detector.receptive_field)


@contextmanager
def _evaluating(detector: Detector) -> Iterator[None]:
    mode = detector.training
    detector.eval()
    try:
        yield
    finally:
        detector.train(mode)


def _announce(tile: int, smaller: int) -> None:
    if smaller == 0:
        raise InputError(
            f"The GPU has not enough free memory to score even a tile of {tile} pixels: end what "
            "else uses it, or choose the CPU."
        )
    warnings.warn(
        f"The GPU has not enough free memory for tiles of {tile} pixels: they are now {smaller}.",
        InputWarning,
        stacklevel=3,
    )


def _score(
    detector: Detector,
    image: npt.NDArray[Any],
    tile: int,
    full_resolution: bool,
    device: torch.device,
    on_tile: Callable[[int, int], None] | None,
) -> Array:
    step = 1 if full_resolution else detector.stride
    scores = np.empty([math.ceil(size / step) for size in image.shape], np.float32)
    corners = list(itertools.product(*(range(0, size, tile) for size in image.shape)))
    for done, corner in enumerate(corners, start=1):
        extent = [min(tile, size - start) for start, size in zip(corner, image.shape, strict=True)]
        part = tuple(
            slice(start // step, math.ceil((start + length) / step))
            for start, length in zip(corner, extent, strict=True)
        )
        margin = detector.receptive_field // 2
        start, size = [c - margin for c in corner], [n + 2 * margin for n in extent]
        region = mirrored_region(image, start, size).astype(np.float32, copy=False)
        _score_tile(detector, region, full_resolution, device, out=scores[part])
        if on_tile is not None:
            on_tile(done, len(corners))
    return scores


def _score_tile(
    detector: Detector, region: Array, full_resolution: bool, device: torch.device, out: Array
) -> None:
    """Fill `out` with the scores of a region that has its margin, shift by shift."""
    import torch

    pixels = torch.from_numpy(region).to(device)
    every = detector.stride if full_resolution else 1
    for shift in itertools.product(range(every), repeat=region.ndim):
        target = out[tuple(slice(first, None, every) for first in shift)]
        if target.size:
            shifted = pixels[tuple(slice(first, None) for first in shift)]
            target[...] = detector(shifted[None, None])[0].float().cpu().numpy()
