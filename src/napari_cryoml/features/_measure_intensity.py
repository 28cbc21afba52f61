"""How bright cells are, as recorded and beside their background."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from napari_cryoml.features._measure_frame import CellFrame
from napari_cryoml.features._measure_groups import Measure, MeasureGroup

Floats = npt.NDArray[np.float32]

_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_SCALES = (0.0, 1.0, 2.0, 4.0)
_FINEST = 1.0
"""Largest smoothing at which quantiles are taken, pixels."""

_TINY = 1e-6

BRIGHTNESS = {
    "brightness_mean": "Mean of the pixels of the cell, in the units of the image.",
    "brightness_sd": "Standard deviation of these pixels.",
    "brightness_sum": "Their sum above the background.",
    "brightness_quantile": "Value that a share of the pixels lies below; 50 is the median.",
    "brightness_edge": "Mean over the pixels at the border of the cell.",
    "brightness_background": "Level that 5 % of the smoothed pixels of the crop lie below.",
}

INTENSITY = {
    "intensity_sd": "Standard deviation within the cell, beside its height above the background.",
    "intensity_skew": "Skewness of the pixels: above 0 where few are much brighter than most.",
    "intensity_kurtosis": "Excess kurtosis of the pixels.",
    "intensity_quantile": "Relative value that a share of the pixels lies below.",
    "intensity_mad": "Median absolute deviation from the median, of relative values.",
    "intensity_edge": "Mean relative value at the border of the cell.",
    "intensity_edge_sd": "Standard deviation of relative values along the border.",
    "intensity_clipped": "Share of the pixels that have the largest value, as where a camera is "
    "saturated.",
    "intensity_noise": "Deviation of pixels from their neighbours, beside that of all pixels.",
}


def brightness(cells: CellFrame) -> Iterator[Measure]:
    """Measure intensities in the units of the image."""
    unit = np.where(np.isfinite(cells.unit), cells.unit, 0)
    yield Measure("brightness_mean", cells.level)
    yield Measure("brightness_sd", unit * _deviation(cells, cells.relative, 1 + 0 * unit))
    yield Measure("brightness_sum", (cells.level - cells.background) * cells.area[:, None])
    for share in _QUANTILES:
        found = cells.quantile(cells.ordered(0), share) - 1
        yield Measure("brightness_quantile", cells.level + unit * found, f"{100 * share:g}")
    yield Measure("brightness_edge", cells.mean(cells.pixels, cells.edge))
    yield Measure("brightness_background", cells.background)


def intensity(cells: CellFrame) -> Iterator[Measure]:
    """Measure relative intensities at several scales."""
    for sigma in _SCALES:
        at, values = f"{sigma:g}px" if sigma else "", cells.smoothed(sigma)
        yield from _moments(cells, values, at)
        if sigma <= _FINEST:
            for share in _QUANTILES:
                place = "_".join(filter(None, [f"{100 * share:g}", at]))
                found = cells.quantile(cells.ordered(sigma), share)
                yield Measure("intensity_quantile", found, place)
        edge = cells.mean(values, cells.edge)
        yield Measure("intensity_edge", edge, at)
        away = np.square(values - cells.over(edge))
        yield Measure("intensity_edge_sd", np.sqrt(cells.mean(away, cells.edge)), at)
    middle = cells.quantile(cells.ordered(0), 0.5)
    away = np.sort(np.abs(cells.ordered(0) - middle[..., None]), axis=2)
    yield Measure("intensity_mad", cells.quantile(away, 0.5))
    largest = cells.quantile(cells.ordered(0), 1)[..., None]
    clipped = (cells.ordered(0) == largest).sum(axis=2) / cells.area[:, None]
    yield Measure("intensity_clipped", clipped)
    rough = np.sqrt(cells.mean(np.square(cells.relative - cells.smoothed(1.0))))
    spread = _deviation(cells, cells.relative, cells.mean(cells.relative))
    yield Measure("intensity_noise", rough / np.maximum(spread, _TINY))


def _moments(cells: CellFrame, values: Floats, at: str) -> Iterator[Measure]:
    mean = cells.mean(values)
    away = values - cells.over(mean)
    square = np.square(away)
    sd = np.sqrt(cells.mean(square))
    unit = np.maximum(sd, _TINY)
    yield Measure("intensity_sd", sd, at)
    yield Measure("intensity_skew", cells.mean(square * away) / unit**3, at)
    yield Measure("intensity_kurtosis", cells.mean(np.square(square)) / unit**4 - 3, at)


def _deviation(cells: CellFrame, values: Floats, mean: Floats) -> Floats:
    return np.asarray(np.sqrt(cells.mean(np.square(values - cells.over(mean)))))


GROUPS = (
    MeasureGroup(
        "brightness",
        "Absolute intensities, which exposure and expression change.",
        BRIGHTNESS,
        brightness,
    ),
    MeasureGroup(
        "intensity",
        "The distribution of relative intensities: 0 is the background, 1 the mean of the cell.",
        INTENSITY,
        intensity,
    ),
)
