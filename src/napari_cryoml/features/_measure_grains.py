"""Grains of a cell: how much of it is in structures of each size, and single bright spots."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml.features._measure_frame import CellFrame, frequencies
from napari_cryoml.features._measure_groups import Measure, MeasureGroup

Floats = npt.NDArray[np.float32]

_FINE = (1, 2, 3)
_COARSE = (2, 3, 4)
_BANDS = 16
_SPOTS = ((1.0, 2.0), (2.0, 4.0))
_SURE = 3.0
_MEAN_TO_SD = 1.2533
_TINY = 1e-6

GRANULARITY = {
    "granularity_spectrum": "Share of the signal that an opening takes away, beyond that of the "
    "size before; openings are squares of twice the size in pixels and one.",
}
SPECTRUM = {
    "spectrum_power": "Logarithm of the power of waves of a band, averaged over directions; 1 is "
    "the longest waves, 16 those of two pixels.",
}
PUNCTA = {
    "puncta_number": "Bright spots of a size: maxima that stand out of the cell by three of its "
    "deviations.",
    "puncta_density": "The same, a thousand pixels of the cell.",
    "puncta_area": "Share of the cell that the spots cover.",
    "puncta_size": "Pixels a spot; 0 without a spot.",
    "puncta_contrast": "How far the spots stand out on average, relative; 0 without a spot.",
    "puncta_brightest": "How far the brightest stands out.",
    "puncta_radius": "Mean distance of the spots from the middle, 0 to 1; 0.5 without a spot.",
}


def granularity(cells: CellFrame) -> Iterator[Measure]:
    """Measure what openings take away, the larger ones at half the sampling."""
    image = np.maximum(cells.smoothed(0.0), 0)
    total = np.maximum(cells.mean(image), _TINY)
    yield from _opened(cells, image, cells.cells, total, _FINE, 1)
    if min(cells.cells.shape[1:]) >= 16:
        image, inside = _halved(image, cells.ndim), _halved(cells.cells[:, None], cells.ndim) > 0.5
        yield from _opened(cells, image, inside[:, 0], total, _COARSE, 2)


def _opened(
    cells: CellFrame,
    image: Floats,
    inside: npt.NDArray[np.bool_],
    total: Floats,
    sizes: tuple[int, ...],
    factor: int,
) -> Iterator[Measure]:
    left, shrunk, done = image, image, 0
    for size in sizes:
        while done < size:
            shrunk, done = _extreme(shrunk, cells.ndim, np.minimum), done + 1
        grown = shrunk
        for _ in range(size):
            grown = _extreme(grown, cells.ndim, np.maximum)
        taken = np.nan_to_num(cells.mean(left - grown, inside)) / total
        yield Measure("granularity_spectrum", taken, f"{size * factor}px")
        left = grown


def _extreme(image: Floats, ndim: int, choose: np.ufunc) -> Floats:
    """Return the least or largest of each pixel and its neighbours, over squares of three."""
    found = image
    for axis in range(image.ndim - ndim, image.ndim):
        if image.shape[axis] < 2:
            continue
        lower = (slice(None),) * axis + (slice(None, -1),)
        upper = (slice(None),) * axis + (slice(1, None),)
        both = choose(found[lower], found[upper])
        first = (slice(None),) * axis + (slice(None, 1),)
        last = (slice(None),) * axis + (slice(-1, None),)
        inner = (slice(None),) * axis + (slice(1, -1),)
        chosen = np.empty_like(found)
        chosen[first], chosen[last] = both[first], both[last]
        choose(both[lower], both[upper], out=chosen[inner])
        found = chosen
    return found


def _halved(image: npt.NDArray[np.generic], ndim: int) -> Floats:
    """Return the means of blocks of two pixels an axis; an odd last one is left out."""
    sides = [side // 2 for side in image.shape[-ndim:]]
    kept: tuple[Any, ...] = (..., *[slice(2 * side) for side in sides])
    even = image[kept].astype(np.float32)
    split = even.reshape(*image.shape[:-ndim], *[part for side in sides for part in (side, 2)])
    return np.asarray(split.mean(axis=tuple(range(-1, -2 * ndim, -2))))


def spectrum(cells: CellFrame) -> Iterator[Measure]:
    """Measure the power of the cosine transform in bands of even width."""
    waves = np.meshgrid(*frequencies(cells.cells.shape[1:]), indexing="ij")
    band = (2 * _BANDS * np.sqrt(sum(wave**2 for wave in waves))).astype(np.intp).ravel()
    power = np.square(cells.waves).reshape(*cells.waves.shape[:2], -1)
    for number in range(_BANDS):
        inside = band == number
        if inside.any():
            found = power[:, :, inside].sum(axis=2) / (cells.area[:, None] * inside.mean())
            yield Measure("spectrum_power", np.log10(found + _TINY), str(number + 1))


def puncta(cells: CellFrame) -> Iterator[Measure]:
    """Measure spots in differences of Gaussians."""
    for narrow, wide in _SPOTS:
        at = f"{narrow:g}px"
        standing = np.where(cells.cells[:, None], cells.smoothed(narrow) - cells.smoothed(wide), 0)
        # Single spots widen the mean deviation less than the root of the mean square.
        spread = _MEAN_TO_SD * cells.mean(np.abs(standing))
        limit = cells.over(np.maximum(_SURE * spread, _TINY))
        above = standing > limit
        peak = above & (standing >= _extreme(standing, cells.ndim, np.maximum))
        yield from _spots(cells, standing, above, peak, at)


def _spots(
    cells: CellFrame,
    standing: Floats,
    above: npt.NDArray[np.bool_],
    peak: npt.NDArray[np.bool_],
    at: str,
) -> Iterator[Measure]:
    n, covered = peak.sum(axis=cells.spatial), above.sum(axis=cells.spatial)
    some = np.maximum(n, 1)
    yield Measure("puncta_number", n, at)
    yield Measure("puncta_density", 1000 * n / cells.area[:, None], at)
    yield Measure("puncta_area", covered / cells.area[:, None], at)
    yield Measure("puncta_size", np.where(n > 0, covered / some, 0), at)
    yield Measure("puncta_contrast", (standing * peak).sum(axis=cells.spatial) / some, at)
    yield Measure("puncta_brightest", standing.max(axis=cells.spatial), at)
    distance = (cells.radius[:, None] * peak).sum(axis=cells.spatial) / some
    yield Measure("puncta_radius", np.where(n > 0, distance, 0.5), at)


GROUPS = (
    MeasureGroup(
        "granularity", "Granularity spectrum: openings of growing size.", GRANULARITY, granularity
    ),
    MeasureGroup("spectrum", "Power of waves within the cell.", SPECTRUM, spectrum),
    MeasureGroup("puncta", "Bright spots of two sizes.", PUNCTA, puncta),
)
