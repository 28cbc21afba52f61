"""Zarr and OME-Zarr, versions 2 and 3, read chunk by chunk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.io._image_format import ImageFormat, ImageInfo, angstrom_per

_MARKERS = ("zarr.json", ".zarray", ".zgroup", ".zattrs")
_UNSUITABLE_AXES = ("c", "t", "channel", "time")


@dataclass(frozen=True, slots=True, eq=False)
class ZarrPixels:
    """A Zarr array without its leading axes of length 1; slicing reads the chunks it needs."""

    array: Any
    shape: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type as stored."""
        return np.dtype(self.array.dtype)

    @property
    def ndim(self) -> int:
        """Number of axes, 2 or 3."""
        return len(self.shape)

    def __getitem__(self, key: Any) -> npt.NDArray[Any]:
        keys = key if isinstance(key, tuple) else (key,)
        return np.asarray(self.array[(0,) * (self.array.ndim - self.ndim) + keys])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.asarray(self[...], dtype=dtype)


@dataclass(frozen=True, slots=True)
class _Level:
    """The finest array of a store, and what the store says about it."""

    array: Any
    axis_names: tuple[str, ...]
    pixel_size: float | None


def is_zarr(path: Path) -> bool:
    """Tell whether a folder is a Zarr store."""
    return any((path / marker).is_file() for marker in _MARKERS)


def _inspect(path: Path) -> ImageInfo:
    level = _open(path)
    return ImageInfo(_shape(level, path.name), level.pixel_size)


def _load(path: Path) -> ZarrPixels:
    level = _open(path)
    return ZarrPixels(level.array, _shape(level, path.name))


ZARR = ImageFormat("Zarr", (".zarr",), _inspect, _load)


def _open(path: Path) -> _Level:
    if not is_zarr(path):
        raise InputError(
            f"{path.name} is not a Zarr store: a folder with zarr.json, .zarray or .zgroup was "
            "expected; unzip it, or copy it again with its hidden files."
        )
    import zarr  # takes as long as everything else here together

    node = zarr.open(path, mode="r")
    level = _Level(node, (), None) if isinstance(node, zarr.Array) else _level(node, path.name)
    check_safe(level.array, path.name)
    return level


def _level(group: Any, name: str) -> _Level:
    """Return the finest array of a group: OME multiscales, or the only array there is."""
    scales = _multiscales(group)
    if not scales and "0" in dict(group.groups()):
        group = group["0"]  # bioformats2raw puts each image in a numbered group
        scales = _multiscales(group)
    if scales:
        return _from_multiscales(group, scales[0])
    arrays = dict(group.arrays())
    if len(arrays) != 1:
        found = ", ".join(sorted(arrays)) or "none"
        raise InputError(
            f"{name} should be one array or an OME-Zarr image; arrays found: {found}; "
            "open one of them by its own folder."
        )
    return _Level(next(iter(arrays.values())), (), None)


def _multiscales(group: Any) -> Sequence[Mapping[str, Any]]:
    attributes = group.attrs
    newer = attributes.get("ome", {})
    return newer.get("multiscales") or attributes.get("multiscales") or []


def _from_multiscales(group: Any, image: Mapping[str, Any]) -> _Level:
    dataset = image["datasets"][0]
    axes = [axis if isinstance(axis, dict) else {"name": axis} for axis in image.get("axes", [])]
    scale = np.ones(len(axes))
    for owner in (dataset, image):
        for transformation in owner.get("coordinateTransformations", []):
            if transformation.get("type") == "scale" and "scale" in transformation:
                scale = scale * np.asarray(transformation["scale"], dtype=float)
    names = tuple(str(axis.get("name", "")) for axis in axes)
    return _Level(group[dataset["path"]], names, _pixel_size(axes, scale))


def _pixel_size(axes: Sequence[Mapping[str, Any]], scale: npt.NDArray[Any]) -> float | None:
    if not axes:
        return None
    names = [str(axis.get("name", "")).lower() for axis in axes]
    x = names.index("x") if "x" in names else len(axes) - 1  # of some, the channel is the last
    angstrom = angstrom_per(str(axes[x].get("unit", "")))
    size = float(scale[x]) * angstrom if angstrom else 0.0
    return size if isfinite(size) and size > 0 else None


def check_safe(array: Any, name: str, kinds: str = "biufc") -> None:
    """Refuse what would run code when it is decoded, and what is no number.

    Parameters
    ----------
    array : zarr.Array
    name : str
        Of the store, for the complaint.
    kinds : str
        Kinds of numpy's types that are allowed.

    Raises
    ------
    InputError
        If it has a pickling codec, or another type.
    """
    metadata = array.metadata.to_dict()
    codecs = repr([metadata.get(key) for key in ("filters", "compressor", "codecs")]).lower()
    if "pickle" in codecs or np.dtype(array.dtype).kind not in kinds:
        raise InputError(
            f"{name} holds Python objects; an array of plain numbers was expected: save it again "
            "without pickling."
        )


def _shape(level: _Level, name: str) -> tuple[int, ...]:
    shape = tuple(int(length) for length in level.array.shape)
    axes = level.axis_names or ("",) * len(shape)
    while len(shape) > 2 and shape[0] == 1:
        shape, axes = shape[1:], axes[1:]
    unsuitable = any(axis.lower() in _UNSUITABLE_AXES for axis in axes)
    if len(shape) not in (2, 3) or unsuitable or not all(shape):
        found = ", ".join(f"{a}={n}" if a else str(n) for a, n in zip(axes, shape, strict=False))
        raise InputError(
            f"{name} should hold one image (y, x) or one volume (z, y, x); {found} was found: "
            "save one channel or time point on its own."
        )
    return shape
