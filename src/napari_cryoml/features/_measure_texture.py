"""Texture of cells: grey-level co-occurrence and local binary patterns."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import numpy.typing as npt

from napari_cryoml.features._measure_frame import CellFrame
from napari_cryoml.features._measure_groups import Measure, MeasureGroup

Floats = npt.NDArray[np.float32]

_LEVELS = 8
_STEPS = ((0.0, 1), (1.0, 2), (2.0, 4))
"""Smoothing and distance of pairs of pixels, both in pixels."""

_WIDTH = 2.5
"""Standard deviations of a cell to either side that its grey levels cover."""

_TINY = 1e-6

TEXTURE = {
    "texture_contrast": "Haralick: mean squared difference of the grey levels of two pixels at a "
    "distance, over all directions.",
    "texture_correlation": "Haralick: correlation of such pairs.",
    "texture_energy": "Haralick: angular second moment, large where few pairs of levels occur.",
    "texture_entropy": "Haralick: entropy of the pairs, bits.",
    "texture_homogeneity": "Haralick: inverse difference moment.",
    "texture_pattern": "Share of the pixels whose eight neighbours make a pattern: uniform, with 0 "
    "to 8 neighbours at least as bright, or, 9, any other; 2-D only.",
}


def texture(cells: CellFrame) -> Iterator[Measure]:
    """Measure texture at three scales."""
    from napari_cryoml.features._measure_kernels import binary_patterns, co_occurrence

    for sigma, step in _STEPS:
        values, at = cells.smoothed(sigma), f"{step}px"
        levels = _levels(cells, values)
        pairs = co_occurrence(levels, _offsets(cells.ndim, step), _LEVELS, step)
        yield from _haralick(pairs, at)
        if cells.ndim == 2:
            found = binary_patterns(np.ascontiguousarray(values), cells.cells, step)
            for code in range(found.shape[2]):
                yield Measure("texture_pattern", found[..., code], f"{code}_{at}")


def _levels(cells: CellFrame, values: Floats) -> npt.NDArray[np.int8]:
    """Return grey levels (n, C, (z)yx) around the mean of each cell; -1 outside."""
    mean = cells.mean(values)
    sd = np.sqrt(cells.mean(np.square(values - cells.over(mean))))
    unit = cells.over(np.maximum(2 * _WIDTH * sd / _LEVELS, _TINY))
    levels = np.clip((values - cells.over(mean)) / unit + _LEVELS / 2, 0, _LEVELS - 1)
    return np.where(cells.cells[:, None], levels, -1).astype(np.int8)


def _offsets(ndim: int, step: int) -> npt.NDArray[np.intp]:
    """Return one of each two opposite directions, in pixels, shape (k, ndim)."""
    ways = [way for way in product((-1, 0, 1), repeat=ndim) if way > (0,) * ndim]
    lengths = [np.sqrt(np.square(way).sum()) for way in ways]
    scaled = np.array(ways) * step / np.array(lengths)[:, None]
    return np.rint(scaled).astype(np.intp)


def _haralick(pairs: Floats, at: str) -> Iterator[Measure]:
    """Yield what shares of pairs of levels (n, C, L, L) tell, symmetric."""
    level = np.arange(pairs.shape[2], dtype=np.float32)
    apart = np.square(level[:, None] - level)
    yield Measure("texture_contrast", (pairs * apart).sum(axis=(2, 3)), at)
    single = pairs.sum(axis=3)
    mean = single @ level
    variance = single @ np.square(level) - np.square(mean)
    both = (pairs * np.outer(level, level)).sum(axis=(2, 3)) - np.square(mean)
    yield Measure("texture_correlation", both / np.maximum(variance, _TINY), at)
    yield Measure("texture_energy", np.square(pairs).sum(axis=(2, 3)), at)
    entropy = -(pairs * np.log2(np.maximum(pairs, 1e-12))).sum(axis=(2, 3))
    yield Measure("texture_entropy", entropy, at)
    yield Measure("texture_homogeneity", (pairs / (1 + apart)).sum(axis=(2, 3)), at)


GROUPS = (MeasureGroup("texture", "Texture, averaged over directions.", TEXTURE, texture),)
