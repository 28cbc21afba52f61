"""Which axis of an array of crops is what, and which arrays beside it are columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError

CROPS, IDS = "crops", "ids"
CHANNELS, MASKS = "channels", "masks"


def with_channels(array: npt.NDArray[Any], where: str) -> npt.NDArray[Any]:
    """Return crops of axes (n, channel, y, x) or (n, channel, z, y, x)."""
    return array.reshape(with_channels_shape(array.shape, array.dtype, where))


def with_channels_shape(
    shape: tuple[int, ...], dtype: np.dtype[Any], where: str
) -> tuple[int, ...]:
    """Return the shape of crops with their axis of channels.

    Of four axes, the last three are z, y and x if they are of one length, and else the second is
    the channel.

    Raises
    ------
    InputError
        If the array has another number of axes, or holds no numbers.
    """
    if dtype.kind not in "biuf" or len(shape) not in (3, 4, 5):
        raise InputError(
            f"{where} should hold crops of axes (n, y, x), numbers; an array of shape "
            f"{shape} and type {dtype} was found."
        )
    is_cubes = len(shape) == 4 and len(set(shape[1:])) == 1
    return (shape[0], 1, *shape[1:]) if len(shape) == 3 or is_cubes else shape


def columns_among(arrays: Mapping[str, npt.NDArray[Any]], n: int) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays that hold one number or text a crop."""
    return {
        name: values
        for name, values in arrays.items()
        if name != IDS and values.shape == (n,) and values.dtype.kind in "biufU"
    }


def channels_among(names: Any, n_channels: int) -> tuple[str, ...] | None:
    """Return the names of channels that a store tells, or None where they do not fit."""
    if isinstance(names, np.ndarray):
        names = names.tolist() if names.dtype.kind == "U" and names.ndim == 1 else None
    is_list = isinstance(names, Sequence) and not isinstance(names, str)
    fits = is_list and len(names) == n_channels and all(isinstance(name, str) for name in names)
    return tuple(names) if fits else None


def are_masks(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    """Tell whether an array is one of masks, one a crop, and no stack of crops."""
    return name == MASKS and len(shape) in (3, 4) and dtype.kind == "b"
