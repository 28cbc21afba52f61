"""Crops of cells in a folder: one file a crop, or one a channel of each."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import ArrayCrops
from napari_cryoml.io._cell_planes import PLANE_SUFFIXES, Planes, inspect_planes, load_planes
from napari_cryoml.io._channel_words import by_channel, order_of
from napari_cryoml.io._crop_files import LazyBoxes
from napari_cryoml.io._image_format import reading
from napari_cryoml.io._image_sets import _natural

_SUFFIXES = tuple(suffix for suffix in PLANE_SUFFIXES if suffix != ".zarr")
_INSPECTED = 2000
_LABEL = "a crop"


@dataclass(frozen=True, slots=True)
class FileCells(LazyBoxes):
    """Crops in files, one or one a channel.

    Parameters
    ----------
    folder : Path
    files : tuple of tuple of str
        Paths in the folder, of each crop.
    """

    folder: Path = Path()
    files: tuple[tuple[str, ...], ...] = ()

    def read(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
        """Return some rows."""
        crops = np.empty((len(rows), *self.shape[1:]), np.float32)
        for crop, row in zip(crops, rows.tolist(), strict=True):
            names = self.files[row]
            if len(names) == 1:
                crop[...] = self._planes(names[0], len(crop))
            else:
                for channel, name in zip(crop, names, strict=True):
                    channel[...] = self._planes(name, 1)[0]
        return crops

    def _planes(self, name: str, n_channels: int) -> npt.NDArray[Any]:
        """Return the planes of a file; grey stands for all colours where others have them."""
        path = self.folder / name
        with reading(path, _LABEL):
            planes = np.asarray(load_planes(path))
        wanted = (n_channels, *self.shape[2:])
        if planes.shape[0] == 1 < n_channels:
            planes = np.broadcast_to(planes, (n_channels, *planes.shape[1:]))
        if planes.shape != wanted:
            raise InputError(
                f"{name} has the shape {planes.shape}, and the other crops {wanted} (C, Y, X): "
                "leave it out, or cut all crops again in one size."
            )
        return planes


def read_folder_cells(folder: Path, words: Sequence[str], folders: str) -> ArrayCrops:
    """Open the crops in a folder and those below it, lazily.

    Parameters
    ----------
    folder : Path
    words : sequence of str
        Words in the names that tell the channels, see `by_channel`.
    folders : str
        Name of the column that tells the folder of each crop, where there are several.

    Raises
    ------
    InputError
        If there are no crops, or they differ in shape.

    Warns
    -----
    InputWarning
        If crops lack the file of a channel; they are left out.
    """
    found = sorted((p for p in folder.rglob("*") if _is_crop(p, folder)), key=_natural)
    if not found:
        raise InputError(
            f"{folder} holds no crops of cells: files of one crop each ({', '.join(_SUFFIXES)}) "
            "were expected."
        )
    names, files, channels = _grouped(found, folder, words)
    shape, told = _shape(files, folder.name)
    rows = tuple(tuple(p.relative_to(folder).as_posix() for p in one) for one in files)
    crops = FileCells((len(rows), *shape), folder, rows)
    owners = [Path(name).parent.as_posix() for name in names]
    columns = {folders: np.array(owners, np.str_)} if set(owners) != {"."} else {}
    return ArrayCrops.of(crops, names, columns, channels=channels or told)  # type: ignore[arg-type]


def _is_crop(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix.lower() in _SUFFIXES and not hidden and path.is_file()


def _grouped(
    found: Sequence[Path], folder: Path, words: Sequence[str]
) -> tuple[list[str], list[tuple[Path, ...]], tuple[str, ...] | None]:
    """Return names of crops, their files, and the channels that file names tell."""
    groups, _ = by_channel(found, words)
    order = order_of(groups, words)
    whole = {key: one for key, one in groups.items() if len(one) == len(order)}
    if len(order) < 2 or not whole:
        if words and len(order) < 2:
            raise InputError(
                f"The words {', '.join(words)} do not tell channels apart in the names of the "
                f"files of {folder.name}, as {found[0].name}: give the words that do."
            )
        return _unique(found, folder), [(path,) for path in found], None
    n_lost = len(found) - len(order) * len(whole)
    if n_lost:
        warnings.warn(
            f"{n_lost} files of {folder.name} were left out: they lack the other channels of "
            f"their crop ({', '.join(order)}).",
            InputWarning,
            stacklevel=4,
        )
    names = [Path(key).relative_to(folder).as_posix() for key in whole]
    return names, [tuple(one[word] for word in order) for one in whole.values()], tuple(order)


def _unique(paths: Sequence[Path], folder: Path) -> list[str]:
    """Return names without endings, unless two would be the same."""
    names = [path.relative_to(folder).with_suffix("").as_posix() for path in paths]
    if len(set(names)) == len(names):
        return names
    return [path.relative_to(folder).as_posix() for path in paths]


def _shape(
    files: Sequence[tuple[Path, ...]], where: str
) -> tuple[tuple[int, int, int], tuple[str, ...] | None]:
    """Return the shape (C, y, x) that crops have, and names of channels.

    Of very many files, some are looked into; the rest is checked when it is read.

    Raises
    ------
    InputError
        If crops differ.
    """
    step = max(len(files) // _INSPECTED, 1)
    looked = [(one[0], _inspect(one[0])) for one in files[::step]]
    sizes = Counter(planes.shape[1:] for _, planes in looked)
    usual, _ = sizes.most_common(1)[0]
    odd = [path.name for path, planes in looked if planes.shape[1:] != usual]
    if odd:
        raise InputError(
            f"The crops of {where} differ in size: most have {usual[0]} x {usual[1]} pixels, but "
            f"not {odd[0]}{f' and {len(odd) - 1} more' if len(odd) > 1 else ''}; leave these out, "
            "or cut all crops again in one size."
        )
    n_channels = max(planes.shape[0] for _, planes in looked)
    if len(files[0]) > 1:
        return (len(files[0]), *usual), None
    told = {planes.channels for _, planes in looked if planes.shape[0] == n_channels}
    return (n_channels, *usual), told.pop() if len(told) == 1 else None


def _inspect(path: Path) -> Planes:
    with reading(path, _LABEL):
        return inspect_planes(path)
