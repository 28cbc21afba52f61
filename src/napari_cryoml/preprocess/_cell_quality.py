"""What tells good cells from bad ones: focus, signal, saturation, channels of one value."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_cryoml.preprocess._cell_regions import CellRegions, Floats

Column = npt.NDArray[Any]

_FULL_BITS = (8, 10, 12, 14, 16, 32)
_LEAST_TIES = 16  # pixels of one floating-point value at the top that tell saturation
_LARGEST_SAMPLE = 2**20
_MAD_TO_SD = 1.4826


def quality_columns(
    image: Any, regions: CellRegions, protein: int, empty_below: float
) -> dict[str, Column]:
    """Return what is measured of each cell, from its own pixels at the image's own sampling.

    Parameters
    ----------
    image : array of shape (C, Y, X)
    regions : CellRegions
        Its cells.
    protein : int
        Channel of the protein.
    empty_below : float
        Signal below which it counts as empty.

    Returns
    -------
    dict of str to array of shape (n,)
        ``focus``: variance of the Laplacian of the protein channel over its variance, which
        brightness leaves alone; 0 where it has one value. ``signal``: root mean square of the
        protein channel above the background, in standard deviations of the background (as its
        median absolute deviation tells); NaN where no background is left. ``empty``: whether that
        is below the bound. ``saturated``: share of pixels at the top of the camera's range, in the
        worst channel. ``constant``: whether a channel has one value throughout.
    """
    n = len(regions)
    saturated, constant = np.zeros(n), np.zeros(n, bool)
    for number in range(image.shape[0]):
        channel = np.asarray(image[number])
        values = regions.values(channel)
        variance = regions.spread(values)
        constant |= variance == 0
        top = full_level(channel)
        if top is not None:
            saturated = np.maximum(saturated, regions.mean(values >= top))
        if number == protein:
            focus = _focus(channel, regions, variance)
            signal = _signal(channel, regions, values)
    return {
        "focus": focus,
        "signal": signal,
        "empty": np.asarray(signal < empty_below),
        "saturated": saturated,
        "constant": constant,
    }


def full_level(channel: npt.NDArray[Any]) -> float | None:
    """Return the level that saturated pixels have, or None where none are.

    Whole numbers saturate at the end of a range of 8 to 16 bits (cameras of 10, 12 and 14 bits are
    stored in 16), floating-point numbers where many pixels share the largest value.
    """
    if not channel.size or channel.dtype.kind == "b":
        return None
    top = channel.max() if channel.dtype.kind != "f" else np.nanmax(channel)
    if channel.dtype.kind in "iu":
        return float(top) if int(top) in {2**bits - 1 for bits in _FULL_BITS} else None
    n_top = np.count_nonzero(channel == top)
    return float(top) if _LEAST_TIES <= n_top < channel.size else None


def _focus(channel: npt.NDArray[Any], regions: CellRegions, variance: Floats) -> Floats:
    edges = regions.spread(regions.values(ndimage.laplace(channel.astype(np.float32))))
    focus = np.zeros(len(regions))
    np.divide(edges, variance, out=focus, where=variance > 0)
    return focus


def _signal(channel: npt.NDArray[Any], regions: CellRegions, values: Floats) -> Floats:
    level, sd = _background(channel, regions)
    rms = np.sqrt(regions.mean((values - level) ** 2))
    if sd > 0 or not np.isfinite(sd):
        return np.asarray(rms / sd, np.float64)
    return np.where(rms > 0, np.inf, 0.0)


def _background(channel: npt.NDArray[Any], regions: CellRegions) -> tuple[float, float]:
    """Return level and standard deviation of what belongs to no cell; NaN where there is none."""
    outside = np.ones(channel.size, bool)
    outside[regions.pixels] = False
    places = np.flatnonzero(outside)
    places = places[:: max(len(places) // _LARGEST_SAMPLE, 1)]
    values = channel.ravel()[places].astype(np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return np.nan, np.nan
    level = float(np.median(values))
    return level, _MAD_TO_SD * float(np.median(np.abs(values - level)))
