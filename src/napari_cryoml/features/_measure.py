"""Measurements of cells that need no training, in the manner of CellProfiler."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.features import (
    _measure_grains,
    _measure_intensity,
    _measure_pairs,
    _measure_radial,
    _measure_shape,
    _measure_texture,
)
from napari_cryoml.features._measure_frame import CellFrame
from napari_cryoml.features._measurements import Measurements

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

_AT_ONCE = 16 * 2 * 64 * 64
"""Pixels that are measured at a time: as many as stay in the cache of a processor."""

GROUPS = {
    group.name: group
    for module in (
        _measure_intensity,
        _measure_shape,
        _measure_radial,
        _measure_texture,
        _measure_grains,
        _measure_pairs,
    )
    for group in module.GROUPS
}
"""All groups of measurements by name, in the order in which they are made."""

RELATIVE = tuple(name for name in GROUPS if name != "brightness")
"""Groups that neither the gain nor the offset of a camera changes."""


def measure(
    images: npt.ArrayLike,
    masks: npt.ArrayLike | None = None,
    channels: Sequence[str] | None = None,
    groups: Sequence[str] = RELATIVE,
) -> Measurements:
    """Measure cells: intensity, shape, rings, texture, grains, spots and pairs of channels.

    Parameters
    ----------
    images : array of shape (n, C, y, x) or (n, C, z, y, x)
        Crops of cells, the cell in the middle. Pixels that are not finite count for nothing.
    masks : array of shape (n, y, x) or (n, z, y, x), bool, optional
        Which pixels belong to the cell. Without masks the whole crop is measured, and `shape`,
        which would be the same everywhere, is left out.
    channels : sequence of str, optional
        Their names, which end the names of measurements; ``c1`` and on by default.
    groups : sequence of str
        What to measure, of `MEASUREMENT_GROUPS`; all but `brightness`, the absolute intensities,
        by default. The others are relative to the background and the mean of each cell: exposure
        and expression change them only as far as noise does.

    Returns
    -------
    Measurements
        All of a cell are NaN where it has no pixel, or none that is finite; the relative ones of
        a channel are NaN where that has a single value.

    Raises
    ------
    InputError
        If the axes, masks, names or groups do not fit.

    References
    ----------
    Kraus et al. 2017 (Mol. Syst. Biol. 13:924) and Stirling et al. 2021 (BMC Bioinformatics
    22:433) for the kinds of measurements; each is defined in the page of measurements.
    """
    pixels = np.asarray(images)
    if pixels.ndim not in (4, 5):
        raise InputError(
            "Cells are measured in an array of axes (n, channel, y, x) or (n, channel, z, y, x); "
            f"one of shape {pixels.shape} was given."
        )
    names = _channel_names(channels, pixels.shape[1])
    wanted = _wanted(groups, has_masks=masks is not None)
    inside = _inside(pixels, masks)
    step = max(_AT_ONCE // max(int(np.prod(pixels.shape[1:])), 1), 1)
    parts = [
        _measured(pixels[at : at + step], inside[at : at + step], names, wanted)
        for at in range(0, len(pixels), step)
    ]
    if not parts:  # names do not depend on the cells
        blank = np.zeros((1, *pixels.shape[1:]), np.float32)
        inner = np.ones((1, *pixels.shape[2:]), np.bool_)
        parts = [_measured(blank, inner, names, wanted)]
        return Measurements(parts[0].names, parts[0].values[:0])
    return Measurements(parts[0].names, np.concatenate([part.values for part in parts]))


def _channel_names(channels: Sequence[str] | None, n: int) -> tuple[str, ...]:
    names = tuple(channels) if channels is not None else tuple(f"c{k + 1}" for k in range(n))
    if len(names) != n or len(set(names)) != n:
        raise InputError(
            f"Crops of {n} channels need as many different names; {len(names)} "
            f"({', '.join(names)}) were given."
        )
    return names


def _wanted(groups: Sequence[str], *, has_masks: bool) -> list[str]:
    unknown = [name for name in groups if name not in GROUPS]
    if unknown:
        raise InputError(
            f"There is no group of measurements named {unknown[0]!r}: choose of "
            f"{', '.join(GROUPS)}."
        )
    found = [name for name in GROUPS if name in groups and (has_masks or name != "shape")]
    if not found:
        raise InputError(
            "There is nothing to measure: the group shape needs masks of the cells, and no other "
            "was chosen."
            if groups
            else f"There is nothing to measure: choose groups of {', '.join(GROUPS)}."
        )
    return found


def _inside(pixels: npt.NDArray[np.generic], masks: npt.ArrayLike | None) -> Bools:
    """Return the pixels that are measured, shape (n, (z)yx)."""
    shape = (len(pixels), *pixels.shape[2:])
    inside = np.ones(shape, np.bool_) if masks is None else np.asarray(masks, np.bool_)
    if inside.shape != shape:
        raise InputError(
            f"Masks of these cells need the shape {shape}; an array of shape {inside.shape} was "
            "given."
        )
    if pixels.dtype.kind == "f":
        inside = inside & np.isfinite(pixels).all(axis=1)
    return inside


def _measured(
    pixels: npt.NDArray[np.generic], inside: Bools, channels: tuple[str, ...], groups: list[str]
) -> Measurements:
    """Measure a batch of cells."""
    space = tuple(range(1, inside.ndim))
    empty = ~inside.any(axis=space)
    cells = inside.copy()
    cells[empty] = True  # measured like the others, and not kept
    frame = CellFrame(_without_gaps(np.array(pixels, np.float32)), cells, channels)
    names: list[str] = []
    columns: list[Floats] = []
    for group in groups:
        for one in GROUPS[group].of(frame):
            values = np.array(one.values, np.float32)
            if values.ndim == 2 and group != "brightness":
                values[~np.isfinite(frame.unit)] = np.nan
            columns += [values] if values.ndim == 1 else list(values.T)
            ends = [""] if values.ndim == 1 else channels
            names += ["_".join(filter(None, (one.stem, one.at, end))) for end in ends]
    table = np.stack(columns, axis=1)
    table[empty] = np.nan
    return Measurements(tuple(names), table)


def _without_gaps(pixels: Floats) -> Floats:
    """Return pixels (n, C, (z)yx) with the mean of a channel where they are not finite."""
    gaps = ~np.isfinite(pixels)
    if not gaps.any():
        return pixels
    space = tuple(range(2, pixels.ndim))
    pixels[gaps] = 0
    sums, counts = pixels.sum(axis=space, keepdims=True), (~gaps).sum(axis=space, keepdims=True)
    return np.asarray(np.where(gaps, sums / np.maximum(counts, 1), pixels), np.float32)
