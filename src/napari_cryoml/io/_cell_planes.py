"""Images of several channels in TIFF, PNG, npy and Zarr files, as arrays (C, Y, X)."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import numpy.typing as npt
import tifffile

from napari_cryoml._errors import InputError
from napari_cryoml.io._decoded import DecodedImages
from napari_cryoml.io._tiff import _pixel_size as tiff_pixel_size
from napari_cryoml.io._zarr import _open as open_level
from napari_cryoml.io._zarr import is_zarr

DECODED_CELLS = DecodedImages(128 * 1024**2)
MOST_CHANNELS = 64
_CHANNEL_AXES = "CSIQ"
_RGB = ("red", "green", "blue")
_NUMBERS = "biuf"


@dataclass(frozen=True, slots=True)
class Planes:
    """What a file says about its image.

    Parameters
    ----------
    shape : tuple of int
        (C, Y, X).
    dtype : numpy.dtype
    channels : tuple of str, optional
        Their names.
    pixel_size : float, optional
        Angstrom per pixel.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    channels: tuple[str, ...] | None = None
    pixel_size: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ZarrPlanes:
    """A Zarr array as (C, Y, X); slicing reads the chunks it needs.

    Parameters
    ----------
    array : zarr.Array
    axes : tuple of int
        Its axes of y and x, and of the channel if there is one, as (c, y, x) or (y, x); all others
        have length 1.
    """

    array: Any
    axes: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """(C, Y, X)."""
        lengths = tuple(int(self.array.shape[axis]) for axis in self.axes)
        return lengths if len(lengths) == 3 else (1, *lengths)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type as stored."""
        return np.dtype(self.array.dtype)

    def __getitem__(self, key: Any) -> npt.NDArray[Any]:
        keys = key if isinstance(key, tuple) else (key,)
        if Ellipsis in keys:
            keys = keys[: keys.index(Ellipsis)]
        keys = (*keys, *[slice(None)] * (3 - len(keys)))
        wanted: list[Any] = [0] * self.array.ndim
        for axis, one in zip(self.axes[::-1], keys[::-1], strict=False):
            wanted[axis] = one
        found = np.asarray(self.array[tuple(wanted)])
        if len(self.axes) == 2:
            return found[None][keys[0]]
        kept = [axis for axis, one in zip(self.axes, keys, strict=True) if isinstance(one, slice)]
        return found.transpose(np.argsort(np.argsort(kept)))


def inspect_planes(path: Path) -> Planes:
    """Return what a file says about its image of one or several channels.

    Raises
    ------
    InputError
        If it has other axes, or holds no numbers.
    """
    if path.is_dir():
        return _inspect_zarr(path)
    suffix = path.suffix.lower()
    if suffix in (".tif", ".tiff"):
        return _inspect_tiff(path)
    if suffix == ".npy":
        array = _load_npy(path)
        return Planes(_three(array.shape), array.dtype)
    array = _load_png(path)
    return Planes(_three(array.shape), array.dtype, _RGB if len(array) == 3 else None)


def load_planes(path: Path) -> Any:
    """Return the image of a file, (C, Y, X): mapped, read in chunks, or decoded and kept."""
    if path.is_dir():
        level = open_level(path)
        return ZarrPlanes(level.array, _zarr_axes(level.axis_names, level.array.shape, path.name))
    suffix = path.suffix.lower()
    if suffix in (".tif", ".tiff"):
        return _load_tiff(path)
    return _load_npy(path) if suffix == ".npy" else _load_png(path)


PLANE_SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".npy", ".zarr")


def is_planes(path: Path) -> bool:
    """Tell by its name whether a file is one that is read here; by content for Zarr folders."""
    if path.name.startswith("."):
        return False
    return is_zarr(path) if path.is_dir() else path.suffix.lower() in PLANE_SUFFIXES


def channel_axis(shape: Sequence[int], where: str) -> int | None:
    """Return the axis of the channels of an array that does not name its axes, or None.

    Raises
    ------
    InputError
        If it has not two or three axes, or none that can be the channel.
    """
    if len(shape) == 2 and all(shape):
        return None
    small = len(shape) == 3 and all(shape)
    if small and shape[2] < min(shape[:2]) and shape[0] > MOST_CHANNELS >= shape[2]:
        return 2
    if small and shape[0] <= MOST_CHANNELS:
        return 0
    raise InputError(
        f"{where} should be an image (Y, X) or (C, Y, X) of at most {MOST_CHANNELS} channels; an "
        f"array of shape {tuple(shape)} was found."
    )


def _three(shape: Sequence[int]) -> tuple[int, int, int]:
    channels, height, width = shape
    return int(channels), int(height), int(width)


def _inspect_tiff(path: Path) -> Planes:
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        kept = _tiff_axes(series.axes, series.shape, path.name)
        _check_numbers(series.dtype, path.name)
        lengths = [int(series.shape[axis]) for axis in kept]
        shape = _three(lengths if len(kept) == 3 else (1, *lengths))
        n = shape[0] - 1 if _has_alpha(file, shape[0]) else shape[0]
        if series.dataoffset is not None:
            tifffile.memmap(path, mode="r", series=0)  # complains at once about a truncated file
        return Planes(
            (n, *shape[1:]), np.dtype(series.dtype), _tiff_channels(file, n), tiff_pixel_size(file)
        )


def _load_tiff(path: Path) -> Any:
    with tifffile.TiffFile(path) as file:
        if file.series[0].dataoffset is None:
            return DECODED_CELLS.get(path, _decode_tiff)
        return _arranged(tifffile.memmap(path, mode="r", series=0), file, path.name)


def _decode_tiff(path: Path) -> npt.NDArray[Any]:
    with tifffile.TiffFile(path) as file:
        return _arranged(file.series[0].asarray(), file, path.name)


def _arranged(pixels: Any, file: tifffile.TiffFile, where: str) -> npt.NDArray[Any]:
    """Return the pixels of the first series as (C, Y, X), without transparency."""
    series = file.series[0]
    kept = _tiff_axes(series.axes, series.shape, where)
    rest = [axis for axis in range(len(series.shape)) if axis not in kept]
    planes = pixels.reshape(series.shape).transpose(*rest, *kept)[(0,) * len(rest)]
    planes = planes if len(kept) == 3 else planes[None]
    return planes[:3] if _has_alpha(file, len(planes)) else planes


def _tiff_axes(axes: str, shape: Sequence[int], where: str) -> tuple[int, ...]:
    """Return the axes of the channel (if there is one), y and x.

    Raises
    ------
    InputError
        If there are others of more than one entry.
    """
    found = ", ".join(f"{axis}={n}" for axis, n in zip(axes, shape, strict=True))
    if "Y" not in axes or "X" not in axes or not all(shape):
        raise InputError(f"{where} should hold an image (C, Y, X); {found} was found.")
    others = [place for place, axis in enumerate(axes) if axis not in "YX" and shape[place] > 1]
    suits = len(others) == 1 and axes[others[0]] in _CHANNEL_AXES
    if others and not (suits and shape[others[0]] <= MOST_CHANNELS):
        raise InputError(
            f"{where} should hold an image of channels (C, Y, X); {found} was found: project the "
            "depth, and save one time point on its own."
        )
    return (*others, axes.index("Y"), axes.index("X"))


def _has_alpha(file: tifffile.TiffFile, n: int) -> bool:
    """Tell whether the fourth of four planes is transparency."""
    page = file.pages[0]
    return n == 4 and int(getattr(page, "photometric", 0)) == int(tifffile.PHOTOMETRIC.RGB)


def _tiff_channels(file: tifffile.TiffFile, n: int) -> tuple[str, ...] | None:
    """Return the names of channels that OME or ImageJ tell, one for each, or None."""
    names: list[str] = []
    if file.ome_metadata:
        first = file.ome_metadata.split("</Image>")[0]
        told = re.findall(r'<(?:\w+:)?Channel\b[^>]*?\bName="([^"]*)"', first)
        names = [html.unescape(name).strip() for name in told]
    elif file.imagej_metadata:
        labels = file.imagej_metadata.get("Labels") or []
        names = [str(label).strip() for label in labels] if isinstance(labels, list) else []
    elif n == 3 and int(file.pages[0].photometric) == int(tifffile.PHOTOMETRIC.RGB):
        names = list(_RGB)
    fits = len(names) == n and all(names) and len(set(names)) == n
    return tuple(names) if fits else None


def _load_npy(path: Path) -> npt.NDArray[Any]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise InputError(
            f"{path.name} cannot be read: it is no array of numbers, or holds Python objects, as "
            "the _seg.npy files of Cellpose do; save images and masks as TIFF or PNG."
        ) from error
    _check_numbers(array.dtype, path.name)
    axis = channel_axis(array.shape, path.name)
    return array[None] if axis is None else np.moveaxis(array, axis, 0)


def _load_png(path: Path) -> npt.NDArray[Any]:
    return DECODED_CELLS.get(path, _decode_png)


def _decode_png(path: Path) -> npt.NDArray[Any]:
    """Return the grey image, or its three colours where they differ; transparency is left out."""
    image = np.asarray(iio.imread(path, plugin="pillow", index=0))
    _check_numbers(image.dtype, path.name)
    if image.ndim == 2:
        return image[None]
    colours = np.moveaxis(image, -1, 0)
    if len(colours) < 3:
        return colours[:1]
    is_grey = (colours[0] == colours[1]).all() and (colours[0] == colours[2]).all()
    return np.ascontiguousarray(colours[:1] if is_grey else colours[:3])


def _inspect_zarr(path: Path) -> Planes:
    level = open_level(path)
    _check_numbers(np.dtype(level.array.dtype), path.name)
    axes = _zarr_axes(level.axis_names, level.array.shape, path.name)
    planes = ZarrPlanes(level.array, axes)
    names = _zarr_channels(path, planes.shape[0])
    return Planes(_three(planes.shape), planes.dtype, names, level.pixel_size)


def _zarr_axes(names: Sequence[str], shape: Sequence[int], where: str) -> tuple[int, ...]:
    lengths = [int(n) for n in shape]
    if len(names) == len(lengths) and {"y", "x"} <= {name.lower() for name in names}:
        letters = "".join({"y": "Y", "x": "X", "c": "C"}.get(n.lower()[:1], "Z") for n in names)
        return _tiff_axes(letters, lengths, where)
    kept = [place for place, n in enumerate(lengths) if n > 1 or place >= len(lengths) - 2]
    axis = channel_axis([lengths[place] for place in kept], where)
    if axis is None:
        return tuple(kept)
    return (kept[axis], *[place for place in kept if place != kept[axis]])


def _zarr_channels(path: Path, n: int) -> tuple[str, ...] | None:
    """Return the labels of OME-Zarr's channels, or None."""
    import zarr

    node: Any = zarr.open(path, mode="r")
    attributes = dict(node.attrs)
    omero = dict(attributes.get("ome") or {}).get("omero") or attributes.get("omero") or {}
    told = omero.get("channels", []) if isinstance(omero, dict) else []
    names = [str(one.get("label") or "") for one in told if isinstance(one, dict)]
    fits = len(names) == n and all(names) and len(set(names)) == n
    return tuple(names) if fits else None


def _check_numbers(dtype: Any, where: str) -> None:
    if np.dtype(dtype).kind not in _NUMBERS:
        raise InputError(f"{where} should hold real numbers; type {dtype} was found.")
