"""How the values of crops are brought to one scale before a network sees them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.float32]
Normalisation = Literal["channel", "joint", "min_max", "percentile"]

_FLAT = 1e-6  # share of the mean below which a deviation is but rounding
_PERCENTILES = (0.1, 99.9)


def normalised(images: npt.ArrayLike, kind: Normalisation = "channel") -> Images:
    """Return crops as networks see them.

    Parameters
    ----------
    images : array of shape (k, C, y, x) or (k, C, z, y, x)
        What is not finite is taken for the mean of its channel.
    kind : {"channel", "joint", "min_max", "percentile"}, default "channel"
        Mean 0 and deviation 1 of each channel of each crop; each channel from 0 to 1, and then
        mean 0 and deviation 1 over all channels, as in the published code of Razdaibiedina and
        Brechalov 2022 (their text says "channel"); each channel from 0 to 1; or, as in Kraus et
        al. 2017, each channel clipped to its percentiles 0.1 and 99.9, shifted to 0, and divided
        by its range if that is above 1.

    Returns
    -------
    array of the same shape, float32
        A channel of a single value becomes 0; in "joint", what is lowest.
    """
    crops = np.array(images, dtype=np.float32)
    rows = crops.reshape(math.prod(crops.shape[:2]), -1)
    _fill_gaps(rows)
    steps: dict[str, Callable[[], None]] = {
        "channel": lambda: _standardise(rows),
        "joint": lambda: _standardise_jointly(rows, crops.shape[1]),
        "min_max": lambda: _stretch(rows),
        "percentile": lambda: _clip(rows),
    }
    steps[kind]()
    return crops


def standardised(images: npt.ArrayLike) -> Images:
    """Return crops of which each channel has mean 0 and deviation 1; see `normalised`."""
    return normalised(images, "channel")


def _fill_gaps(rows: Images) -> None:
    """Put the mean of each row in place of what is not finite."""
    missing = ~np.isfinite(rows)
    gaps = missing.any(axis=1)
    if gaps.any():
        rows[missing] = 0
        means = rows[gaps].sum(axis=1) / np.maximum((~missing[gaps]).sum(axis=1), 1)
        rows[gaps] += missing[gaps] * means[:, None].astype(np.float32)


def _standardise(rows: Images) -> None:
    mean = rows.mean(axis=1, dtype=np.float64, keepdims=True)
    rows -= mean.astype(np.float32)
    deviation = np.sqrt(np.einsum("np,np->n", rows, rows) / rows.shape[1])[:, None]
    rows /= np.where(deviation <= _FLAT * np.abs(mean), np.inf, deviation)


def _standardise_jointly(rows: Images, n_channels: int) -> None:
    _stretch(rows)
    _standardise(rows.reshape(-1, n_channels * rows.shape[1]))


def _stretch(rows: Images) -> None:
    low, high = rows.min(axis=1, keepdims=True), rows.max(axis=1, keepdims=True)
    rows -= low
    rows /= np.where(high > low, high - low, np.inf)


def _clip(rows: Images) -> None:
    low, high = np.percentile(rows, _PERCENTILES, axis=1, keepdims=True).astype(np.float32)
    np.clip(rows, low, high, out=rows)
    rows -= low
    rows /= np.maximum(high - low, 1)
