"""Fluorescence images of several channels, and the labels of their cells."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.io._cell_planes import (
    PLANE_SUFFIXES,
    Planes,
    inspect_planes,
    is_planes,
    load_planes,
)
from napari_cryoml.io._channel_words import by_channel, order_of
from napari_cryoml.io._image_format import reading
from napari_cryoml.io._image_sets import _natural
from napari_cryoml.io._label_words import without_labels

_LABEL = "an image of cells"


@dataclass(frozen=True, slots=True)
class CellImage:
    """An image of one or several channels on disk; the pixels are read when they are asked for.

    Only these fields are pickled, never pixels. It is sliced like an array.

    Parameters
    ----------
    name : str
        File name; of several files, what their names have in common.
    paths : tuple of Path
        One file, or one a channel.
    shape : tuple of int
        (C, Y, X).
    dtype : numpy.dtype
    channels : tuple of str, optional
        Names of the channels, where files tell them.
    pixel_size : float, optional
        Angstrom per pixel.
    """

    name: str
    paths: tuple[Path, ...]
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    channels: tuple[str, ...] | None = None
    pixel_size: float | None = None

    @property
    def ndim(self) -> int:
        """3: channel, y, x."""
        return 3

    def __len__(self) -> int:
        return self.shape[0]

    def pixels(self) -> Any:
        """Return what is sliced like an array (C, Y, X): mapped, in chunks, or decoded.

        Raises
        ------
        InputError
            If a file has gone, has changed or cannot be read.
        """
        planes = [_load(path) for path in self.paths]
        image = planes[0] if len(planes) == 1 else _Stacked(tuple(planes))
        if tuple(image.shape) != self.shape:
            raise InputError(
                f"{self.paths[0]} has changed since it was opened: shape {self.shape} was "
                f"expected, {tuple(image.shape)} was found; open it again."
            )
        return image

    def __getitem__(self, key: Any) -> npt.NDArray[Any]:
        pixels = self.pixels()
        with reading(self.paths[0], _LABEL):
            return np.asarray(pixels[key])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.asarray(self[:, :, :], dtype=dtype)


@dataclass(frozen=True, slots=True, eq=False)
class _Stacked:
    """Several images of one channel each as one of all."""

    planes: tuple[Any, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.planes), *self.planes[0].shape[1:])

    def __getitem__(self, key: Any) -> npt.NDArray[Any]:
        first, rest = (key[0], key[1:]) if isinstance(key, tuple) else (key, ())
        if first is Ellipsis:
            first, rest = slice(None), ()
        if not isinstance(first, slice):
            return np.asarray(self.planes[first][(0, *rest)])
        return np.stack([np.asarray(plane[(0, *rest)]) for plane in self.planes[first]])


def read_cell_image(
    path: str | Path | Sequence[str | Path], channels: Sequence[str] | None = None
) -> CellImage:
    """Open an image of cells without reading its pixels.

    Parameters
    ----------
    path : path, or sequence of paths
        TIFF (OME and ImageJ hyperstacks too), PNG, JPEG, npy, Zarr or OME-Zarr (finest level) with
        one or several channels; or several such files of one channel each, in their order.
    channels : sequence of str, optional
        Names of the channels. By default those that the file tells, or of several files the words
        in which their names differ.

    Returns
    -------
    CellImage
        Of shape (C, Y, X), picklable, lazy.

    Raises
    ------
    InputError
        If a file is missing, damaged, or holds no such image, files of one image differ in shape,
        or names do not fit the channels.
    """
    given = [path] if isinstance(path, str | Path) else path
    paths = [Path(one).expanduser() for one in given]
    if not paths:
        raise InputError("There is no image to open: one file at least is needed.")
    planes = [_inspect(one) for one in paths]
    if len(paths) == 1:
        return _image(paths[0].name, paths, planes[0], channels)
    groups, others = by_channel(paths)
    key, files = next(iter(groups.items()), ("", {}))
    is_told = len(groups) == 1 and not others and len(files) == len(paths)
    name = Path(key).name + paths[0].suffix if is_told else paths[0].name
    return _image(
        name, paths, _joined(planes, paths), channels or (list(files) if is_told else None)
    )


def open_cell_images(
    paths: Iterable[str | Path] | str | Path, words: Sequence[str] = ()
) -> list[CellImage]:
    """Open many images of cells; files of one channel each are put together by their names.

    Parameters
    ----------
    paths : paths
        Files, folders (their images, not those in folders below) and patterns. ``a_gfp.tif`` and
        ``a_rfp.tif`` make one image ``a.tif`` of two channels; labels beside their image, as
        ``a_labels.tif``, are left out.
    words : sequence of str, optional
        Words in the names that tell the channels, in the order of the channels; by default the
        usual ones (gfp, red, ch1 ...), the protein's usual colour first.

    Returns
    -------
    list of CellImage
        In natural order of their names.

    Raises
    ------
    InputError
        If there is no image, one cannot be opened or lacks the file of a channel, or two have one
        name.
    """
    files = without_labels(files_of([paths] if isinstance(paths, str | Path) else paths))
    groups, others = by_channel(files, words)
    order = order_of(groups, words)
    if len(order) < 2:  # files of one channel alone: their names tell nothing
        groups, others = {}, files
    images = [read_cell_image(path) for path in others]
    for key, found in groups.items():
        _check_complete(key, found, order)
        whole = [found[word] for word in order]
        planes = _joined([_inspect(path) for path in whole], whole)
        images.append(_image(Path(key).name + whole[0].suffix, whole, planes, order))
    images.sort(key=lambda image: _natural(Path(image.name)))
    _check_names(images)
    return images


def read_cell_labels(path: str | Path) -> npt.NDArray[Any]:
    """Read a labels image: one number a cell, 0 for the background.

    Parameters
    ----------
    path : path
        TIFF, PNG, npy or Zarr of one channel, as Cellpose, StarDist, CellProfiler and others save
        it.

    Returns
    -------
    array of shape (Y, X)
        Of the type that the file has.

    Raises
    ------
    InputError
        If it cannot be read, or has several channels (a picture of labels in colours).
    """
    place = Path(path).expanduser()
    image = read_cell_image(place)
    if image.shape[0] != 1:
        raise InputError(
            f"{place.name} should hold labels, one number a cell; {image.shape[0]} channels were "
            "found: save the labels themselves, not a picture of them in colours."
        )
    return image[0]


def _image(
    name: str, paths: Sequence[Path], planes: Planes, channels: Sequence[str] | None
) -> CellImage:
    names = planes.channels if channels is None else tuple(map(str, channels))
    if names is not None and len(names) != planes.shape[0]:
        raise InputError(
            f"{name} has {planes.shape[0]} channels; {len(names)} names ({', '.join(names)}) were "
            "given."
        )
    # Headers hold 32-bit floats: the digits beyond the seventh are noise.
    size = None if planes.pixel_size is None else float(f"{planes.pixel_size:.7g}")
    return CellImage(name, tuple(paths), planes.shape, planes.dtype, names, size)


def _joined(planes: Sequence[Planes], paths: Sequence[Path]) -> Planes:
    """Return one image of several files of one channel each."""
    first = planes[0]
    for path, one in zip(paths, planes, strict=True):
        if one.shape[0] != 1:
            raise InputError(
                f"{path.name} has {one.shape[0]} channels; files that make up one image have one "
                "each."
            )
        if one.shape != first.shape:
            raise InputError(
                f"{path.name} has {one.shape[1:]} pixels (Y, X), and {paths[0].name}, another "
                f"channel of the same image, {first.shape[1:]}."
            )
    dtype = np.result_type(*[one.dtype for one in planes])
    return Planes((len(planes), *first.shape[1:]), dtype, None, first.pixel_size)


def _inspect(path: Path) -> Planes:
    if not is_planes(path) and (path.exists() and path.suffix.lower() not in PLANE_SUFFIXES):
        raise InputError(
            f"{path.name} is no image of cells by its name: {', '.join(PLANE_SUFFIXES)} were "
            "expected; convert it, for instance with Fiji or bioformats2raw."
        )
    with reading(path, _LABEL):
        if not path.exists():
            raise FileNotFoundError
        return inspect_planes(path)


def _load(path: Path) -> Any:
    with reading(path, _LABEL):
        return load_planes(path)


def files_of(paths: Iterable[str | Path]) -> list[Path]:
    found: list[Path] = []
    for one in paths:
        path = Path(one).expanduser()
        if path.is_dir() and not is_planes(path):
            inner = sorted((p for p in path.iterdir() if is_planes(p)), key=_natural)
            if not inner:
                raise InputError(
                    f"The folder {path} holds no images: {', '.join(PLANE_SUFFIXES)} were expected."
                )
            found += inner
        elif not path.exists() and glob.has_magic(str(path)):
            matches = [Path(match) for match in glob.glob(str(path), recursive=True)]  # noqa: PTH207
            inner = sorted((p for p in matches if is_planes(p)), key=_natural)
            if not inner:
                raise InputError(f"The pattern {path} gives no images: check it.")
            found += inner
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def _check_complete(key: str, found: dict[str, Path], order: Sequence[str]) -> None:
    lacking = [word for word in order if word not in found]
    if lacking:
        raise InputError(
            f"The image {Path(key).name} has no file of the channel {lacking[0]!r}, as others "
            f"have (only {', '.join(path.name for path in found.values())}): add it, or leave "
            "these out."
        )


def _check_names(images: Sequence[CellImage]) -> None:
    first: dict[str, CellImage] = {}
    for image in images:
        other = first.setdefault(image.name, image)
        if other is not image:
            raise InputError(
                f"Two images are named {image.name}: {other.paths[0]} and {image.paths[0]}; cells "
                "could not tell them apart: rename one."
            )
