"""Crops of cells, however they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml.data import ArrayCrops
from napari_cryoml.io._cell_arrays import NpyRows, arranged
from napari_cryoml.io._cell_folder import read_folder_cells
from napari_cryoml.io._cell_hdf5 import read_hdf5_cells
from napari_cryoml.io._cell_table import FILE, PROTEIN, named, read_cell_table
from napari_cryoml.io._crop_files import LazyBoxes
from napari_cryoml.io._crop_stacks import read_crops
from napari_cryoml.io._crop_zarr import read_zarr_crops
from napari_cryoml.io._image_format import reading
from napari_cryoml.io._zarr import is_zarr

_HDF5 = (".h5", ".hdf5", ".hdf", ".he5")
CELL_SUFFIXES = (".zarr", ".npz", ".npy", *_HDF5)


def read_cells(
    path: str | Path,
    table: str | Path | None = None,
    *,
    channels: Sequence[str] | None = None,
    folders: str = "folder",
) -> ArrayCrops:
    """Open crops of cells; those in Zarr, HDF5, npy and folders stay there until they are needed.

    Parameters
    ----------
    path : path
        * A folder of crops in TIFF, PNG, JPEG or npy, those in folders below it too: one file a
          crop, of one or several channels; or one a channel, told by a word in the names
          (``cell_01_gfp.tif``, ``cell_01_rfp.tif``).
        * Zarr (.zarr): one array, or a group with an array ``crops``, as `write_crops` makes it.
        * HDF5 (.h5, .hdf5): a dataset ``crops``, ``images``, ``X`` or ``data``, the datasets of a
          group ``images``, or ``data1``, ``data2`` ... with ``Index1``, ``Index2`` ... beside them.
        * Arrays of numpy: .npy; or .npz, of which the array of three axes or more is the crops.

        Axes are (n, y, x), (n, channel, y, x) or (n, y, x, channel).
    table : path, optional
        CSV, TSV or Parquet with a row a cell: ``file`` (or id), ``protein``, ``plate``, ``class``
        (or ``label``) and whatever else. Similar names are taken, too (ORF, gene, localisation
        ...), and it is said which.
    channels : sequence of str, optional
        Names of the channels in their order; in a folder of one file a channel, the words that
        tell them.
    folders : str, default "folder"
        Name of the column that tells in which folder each crop lies: "protein" or "class", where
        folders are named after these.

    Returns
    -------
    ArrayCrops
        Its columns are those of the file, those of the table in front.

    Raises
    ------
    InputError
        If there are no crops, they differ in shape, are no numbers, or belong to no row of the
        table; Python objects are not opened.

    Warns
    -----
    InputWarning
        If columns of other names were taken, cells are not in the table, or files were left out.
    """
    place = Path(path).expanduser()
    crops = _opened(place, tuple(channels or ()), folders)
    crops = _with_usual_names(crops)
    if table is not None:
        told = read_cell_table(table, crops.ids.tolist())
        crops = replace(crops, columns={**told, **_others(crops.columns, told)})
    if channels and crops.channels != tuple(channels):
        _check_channels(len(channels), crops.n_channels, place)
        crops = replace(crops, channels=tuple(channels))
    return crops


def _check_channels(n: int, n_channels: int, path: Path) -> None:
    if n != n_channels:
        raise InputError(
            f"The crops of {path.name} have {n_channels} channels; {n} names were given."
        )


def _opened(path: Path, words: tuple[str, ...], folders: str) -> ArrayCrops:
    suffix = path.suffix.lower()
    if suffix == ".zarr" or is_zarr(path):
        with reading(path, "Zarr"):
            return _arranged(read_zarr_crops(path), path.name)
    if path.is_dir():
        return read_folder_cells(path, words, folders)
    with reading(path, "crops of cells"):
        if not path.exists():
            raise FileNotFoundError
        if suffix in _HDF5:
            return read_hdf5_cells(path, folders)
        if suffix == ".npy":
            return ArrayCrops.of(_of_npy(path))
        if suffix == ".npz":
            return _arranged(read_crops(path), path.name)
    expected = ", ".join(CELL_SUFFIXES)
    raise InputError(
        f"{path.name} holds no crops of cells by its name: a folder of images or {expected} were "
        "expected."
    )


def _of_npy(path: Path) -> Any:
    try:
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise InputError(
            f"{path.name} cannot be read as crops: it is no whole file of numpy's, or holds Python "
            "objects; write it with numpy.save."
        ) from error
    return arranged(NpyRows(stored.shape, path), stored.dtype, path.name)


def _arranged(crops: ArrayCrops, where: str) -> ArrayCrops:
    """Return crops with their channels in front; volumes are refused."""
    if len(crops.shape) == 3:
        raise InputError(
            f"{where} should hold crops of cells, images (n, channel, y, x); volumes of "
            f"{' x '.join(map(str, crops.shape))} voxels were found."
        )
    stored: Any = crops.array
    if isinstance(stored, LazyBoxes):
        moved = arranged(stored, np.dtype(np.float32), where)
        return crops if moved.shape == stored.shape else replace(crops, array=moved)
    moved = arranged(LazyBoxes(stored.shape), stored.dtype, where)
    if moved.shape == stored.shape:
        return crops
    return replace(crops, array=np.moveaxis(stored, -1, 1))


def _with_usual_names(crops: ArrayCrops) -> ArrayCrops:
    """Return crops whose columns have the usual names, and ids where a column has them."""
    if not crops.columns:
        return crops
    columns, _ = named(crops.columns)
    if len(crops) and (crops.ids[0], crops.ids[-1]) == ("0", str(len(crops) - 1)):
        files = named(crops.columns, files=True)[0].get(FILE)
        if files is None:
            files = crops.columns.get("names", np.empty(0))
        if len(files) == len(crops) and len(set(files.tolist())) == len(crops):
            return replace(crops, columns=columns, ids=files.astype(np.str_))
    if "names" in columns and PROTEIN not in columns and columns["names"].dtype.kind == "U":
        columns[PROTEIN] = columns.pop("names")
    return replace(crops, columns=columns)


def _others(columns: Any, told: Any) -> dict[str, Any]:
    return {name: values for name, values in columns.items() if name not in told}
