"""Measurements of CellProfiler, by cp-measure."""

from __future__ import annotations

import importlib.metadata
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.features._measurements import Measurements

Floats = npt.NDArray[np.float32]

_DARKEST = 1e-4
"""Largest pixel of all, of 1, below which the scale must be wrong: texture needs 256 levels."""


def cp_measure_version() -> str:
    """Return the version of cp-measure.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        return importlib.metadata.version("cp-measure")
    except importlib.metadata.PackageNotFoundError as error:
        raise InputError(
            "The set of measurements cellprofiler needs the package cp-measure, which is not "
            "installed: run pip install 'napari-cryoml[proteins]', or take the set builtin."
        ) from error


def measure_by_cell_profiler(
    images: npt.ArrayLike,
    masks: npt.ArrayLike | None = None,
    channels: Sequence[str] | None = None,
    largest: float | None = None,
    *,
    costes: bool = False,
) -> Measurements:
    """Measure cells as CellProfiler does.

    Parameters
    ----------
    images : array of shape (n, C, y, x)
    masks : array of shape (n, y, x), bool, optional
        The whole crop by default.
    channels : sequence of str, optional
    largest : float, optional
        Pixel value that counts as 1; by default what an integer type can hold, and 1 for floats.
    costes : bool, default False
        Whether to measure colocalisation above the thresholds of Costes.

    Returns
    -------
    Measurements
        All of a cell are NaN where it has no pixel, or one that is not finite.

    Raises
    ------
    InputError
        If cp-measure is not installed, the axes do not fit, or pixels do not span 0 to `largest`.

    References
    ----------
    Stirling et al. 2021 (BMC Bioinformatics 22:433).
    """
    cp_measure_version()
    pixels = np.asarray(images)
    if pixels.ndim != 4:
        raise InputError(
            "CellProfiler's measurements are made of crops of axes (n, channel, y, x); an array "
            f"of shape {pixels.shape} was given: take the set builtin for 3-D."
        )
    names = [f"c{k + 1}" for k in range(pixels.shape[1])] if channels is None else list(channels)
    inside = np.ones((len(pixels), *pixels.shape[2:]), np.bool_) if masks is None else masks
    usable = np.isfinite(pixels).all(axis=(1, 2, 3)) & np.asarray(inside).any(axis=(1, 2))
    scaled = _scaled(pixels[usable], pixels.dtype, largest)
    columns, values = _featurized(scaled, np.asarray(inside, np.bool_)[usable], names, costes)
    table = np.full((len(pixels), len(columns)), np.nan, np.float32)
    table[usable] = values
    table[~np.isfinite(table)] = np.nan
    return Measurements(columns, table)


def _scaled(
    pixels: npt.NDArray[np.generic], dtype: np.dtype[Any], largest: float | None
) -> npt.NDArray[np.float64]:
    """Return pixels from 0 to 1."""
    is_integer = dtype.kind in "iu"
    one = largest or (float(np.iinfo(dtype).max) if is_integer else 1.0)
    scaled = np.asarray(pixels, np.float64) / one
    if not len(scaled):
        return scaled
    low, high = float(scaled.min()), float(scaled.max())
    if low < -1e-6 or high > 1 + 1e-6 or high < _DARKEST:
        raise InputError(
            f"CellProfiler's measurements need pixels from 0 to {one:g}; these go from "
            f"{low * one:g} to {high * one:g}: give the option largest, 255 for images of 8 bits "
            "or 65535 for 16."
        )
    return np.clip(scaled, 0, 1)


def _featurized(
    scaled: npt.NDArray[np.float64], inside: npt.NDArray[np.bool_], names: list[str], costes: bool
) -> tuple[tuple[str, ...], Floats]:
    from cp_measure.featurizer import featurize, make_featurizer_config
    from threadpoolctl import threadpool_limits

    config = make_featurizer_config(
        names,
        objects=["cell"],
        correlation_costes=costes,
        correlation_costes_params={"scale_max": 255} if costes else None,
    )
    given = scaled
    if not len(given):  # names do not depend on the cells
        side = inside.shape[1:]
        given = np.random.default_rng(0).random((1, len(names), *side))
        inside = np.ones((1, *side), np.bool_)
    with (
        threadpool_limits(1),
        warnings.catch_warnings(action="ignore"),
        np.errstate(all="ignore"),
    ):
        table, columns, _ = featurize(given, inside[:, None].astype(np.int32), config)
    return tuple(columns), np.asarray(table, np.float32)[: len(scaled)]
