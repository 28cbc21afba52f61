"""Crops that another program, or this one, has cut: stacks, folders and lists of boxes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import ArrayCrops
from napari_cryoml.io._crop_files import BOX_SUFFIXES, files_of_boxes
from napari_cryoml.io._crop_lists import LIST_NAME, read_crop_list
from napari_cryoml.io._crop_place_arrays import PLACE_NAMES, places_among, rotations_among
from napari_cryoml.io._crop_shapes import (
    CHANNELS,
    CROPS,
    IDS,
    MASKS,
    are_masks,
    channels_among,
    columns_among,
    with_channels,
)
from napari_cryoml.io._crop_zarr import read_zarr_crops, wedge_of
from napari_cryoml.io._image_format import reading
from napari_cryoml.io._mrc import load_boxes
from napari_cryoml.io._zarr import is_zarr

_ARRAYS = (".npy", ".npz")
_STACKS = (".mrcs", ".st")
CROP_SUFFIXES = (*_STACKS, *_ARRAYS, ".zarr", ".star", *BOX_SUFFIXES)


def read_crops(path: str | Path | Sequence[str | Path]) -> ArrayCrops:
    """Open crops; those in files that can be mapped or read in part are read when asked for.

    Parameters
    ----------
    path : path, or sequence of paths
        * An MRC stack of images or of volumes (.mrcs or .st), whose crops are named
          ``stack.mrcs#0`` and so on.
        * A folder, or several files, of one box each (.mrc or .em); the list ``boxes.star`` in the
          folder is followed, if it is there. One such file is one box.
        * A particle list of RELION's (.star) with ``rlnImageName``: ``000001@stack.mrcs``, or a
          volume each. Its columns come along, names of classes as ``class``, and where there are
          coordinates the places.
        * Zarr (.zarr): one array, or a group with an array ``crops``.
        * An array (.npy), memory-mapped; or several (.npz): the one named ``crops``, or else the
          one of three axes or more, ``ids`` where they are there, arrays of a value a crop, which
          become columns, ``pixel_size``, ``wedge`` (low and high, degrees) with ``wedge_axis``,
          and as places ``images``, ``positions`` (n, ndim), ``offsets``, ``box_side`` and
          ``particle_diameter`` (pixels of the image).
        * In both, names of ``channels`` (in Zarr an attribute) and ``masks`` (n, y, x), bool.

        The axes of arrays are (n, y, x), (n, z, y, x) if the last three are of one length,
        (n, channel, y, x) if not, or (n, channel, z, y, x).

    Returns
    -------
    ArrayCrops

    Raises
    ------
    InputError
        If a file is missing, damaged, or holds no crops, or boxes differ in size; pickled objects
        are not opened.
    """
    if not isinstance(path, str | Path):
        return _of_files([Path(one).expanduser() for one in path], "this list")
    path = Path(path).expanduser()
    suffix = path.suffix.lower()
    if suffix == ".zarr" or is_zarr(path):
        return read_zarr_crops(path)
    if path.is_dir():
        return _of_folder(path)
    if suffix not in CROP_SUFFIXES:
        expected = ", ".join(CROP_SUFFIXES)
        raise InputError(f"{path.name} is no stack of crops by its name: {expected} were expected.")
    with reading(path, "a stack of crops"):
        if suffix in (*_STACKS, *BOX_SUFFIXES):
            return _of_stack(path) if suffix in _STACKS else _of_files([path], path.name)
        if suffix == ".star":
            return read_crop_list(path)
        return _of_arrays(path)


def _of_arrays(path: Path) -> ArrayCrops:
    """Open an array, mapped, or an archive of several."""
    try:
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
        is_one = isinstance(stored, np.ndarray)
        arrays = {"": stored} if is_one else {name: stored[name] for name in stored.files}
    except (ValueError, EOFError) as error:  # what numpy says is of pickling
        raise InputError(
            f"{path.name} cannot be read as a stack of crops: it is no file of numpy's, or holds "
            "other objects than arrays of numbers and texts; write it with numpy.save or savez."
        ) from error
    if is_one:
        return ArrayCrops.of(with_channels(arrays[""], path.name))
    stored.close()
    return _of_archive(arrays, path.name)


def _of_stack(path: Path) -> ArrayCrops:
    boxes, pixel_size = load_boxes(path)
    names = [f"{path.name}#{row}" for row in range(len(boxes))]
    return ArrayCrops.of(boxes[:, None], names, pixel_size=_rounded(pixel_size))


def _of_folder(folder: Path) -> ArrayCrops:
    if (folder / LIST_NAME).is_file():
        return read_crop_list(folder / LIST_NAME)
    found = [p for p in folder.iterdir() if p.is_file() and p.suffix.lower() in BOX_SUFFIXES]
    if not found:
        raise InputError(
            f"{folder} holds no boxes: files of one box each ({', '.join(BOX_SUFFIXES)}) were "
            "expected."
        )
    return _of_files(sorted(found, key=_natural), str(folder))


def _of_files(paths: Sequence[Path], where: str) -> ArrayCrops:
    """Return one crop a file, named as the file is."""
    if not paths:
        raise InputError("There are no boxes to read: one file at least is needed.")
    odd = [path.name for path in paths if path.suffix.lower() not in BOX_SUFFIXES]
    if odd:
        raise InputError(f"{odd[0]} is no file of one box ({', '.join(BOX_SUFFIXES)}).")
    entries = np.column_stack([np.arange(len(paths)), np.zeros(len(paths), np.intp)])
    boxes, pixel_size = files_of_boxes(paths, entries, where)
    names = [path.name for path in paths]
    names = names if len(set(names)) == len(names) else [str(path) for path in paths]
    return ArrayCrops.of(boxes, names, pixel_size=_rounded(pixel_size))  # type: ignore[arg-type]


def _of_archive(arrays: Mapping[str, npt.NDArray[Any]], where: str) -> ArrayCrops:
    stacks = [
        name
        for name, array in arrays.items()
        if array.ndim >= 3 and not are_masks(name, array.shape, array.dtype)
    ]
    if CROPS not in stacks and len(stacks) != 1:
        raise InputError(
            f"{where} should hold one array of crops, named 'crops'; those of three axes or more "
            f"are {', '.join(stacks) or 'none'}."
        )
    name = CROPS if CROPS in stacks else stacks[0]
    crops = with_channels(arrays[name], where)
    n, ndim = len(crops), crops.ndim - 2
    ids, places = arrays.get(IDS), places_among(arrays, arrays, n, ndim)
    channels = channels_among(arrays.get(CHANNELS), crops.shape[1])
    taken = set() if places is None else set(PLACE_NAMES)
    taken |= set() if channels is None else {CHANNELS}
    columns = columns_among({k: v for k, v in arrays.items() if k not in taken}, n)
    masks = arrays.get(MASKS)
    fits = masks is not None and masks.dtype == bool and masks.shape == (n, *crops.shape[2:])
    return ArrayCrops.of(
        crops,
        None if ids is None else [str(one) for one in ids],
        columns,
        pixel_size=_one_number(arrays.get("pixel_size")),
        wedge=_wedge(arrays),
        rotations=rotations_among(columns, ndim),
        places=places,
        channels=channels,
        masks=masks if fits else None,
    )


def _wedge(arrays: Mapping[str, npt.NDArray[Any]]) -> Any:
    tilts = arrays.get("wedge", np.empty(0))
    if tilts.shape != (2,) or tilts.dtype.kind not in "iuf":
        return None
    axis = str(arrays.get("wedge_axis", "y"))
    return wedge_of({"low": tilts[0], "high": tilts[1], "axis": axis})


def _one_number(value: npt.NDArray[Any] | None) -> float | None:
    if value is None or value.shape not in ((), (1,)) or value.dtype.kind not in "iuf":
        return None
    return float(value.reshape(())) or None


def _rounded(pixel_size: float | None) -> float | None:
    # Headers hold 32-bit floats: the digits beyond the seventh are noise.
    return None if pixel_size is None else float(f"{pixel_size:.7g}")


def _natural(path: Path) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
