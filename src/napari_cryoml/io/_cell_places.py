"""What a table tells of cells that lie in images: by place, by label, or by image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from napari_cryoml._errors import InputError
from napari_cryoml.io._cell_table import (
    FILE,
    KEYS,
    Column,
    columns_at,
    named,
    plain_names,
    read_table,
    some,
    warn_of_cells,
)

_PLACES = {
    axis: f"{axis} center_{axis} centre_{axis} centroid_{axis} cell_{axis} pos_{axis} "
    f"location_center_{axis} centroid_{number} position_{axis}"
    for axis, number in (("y", 0), ("x", 1))
}
LABEL = "label"

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Cells that a table may tell of.

    Parameters
    ----------
    images : array of shape (n,), str
    positions : array of shape (n, 2)
    labels : array of shape (n,)
    """

    images: npt.NDArray[np.str_]
    positions: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.images)


def read_places_table(
    path: str | Path,
    images: npt.NDArray[np.str_],
    positions: npt.NDArray[np.float64],
    labels: npt.NDArray[np.int64],
    reach_px: float,
) -> dict[str, Column]:
    """Return what a table tells of cells in images, one row a cell.

    The table's column of files finds the image. Columns of places (``y`` and ``x``, ``Center Y``
    ...; pixels) find the cell, each row the nearest one; without them, ``label`` does; without it,
    a row tells of all cells of its image.

    Parameters
    ----------
    path : path
        CSV, TSV or Parquet.
    images : array of shape (n,), str
        Image of each cell.
    positions : array of shape (n, 2)
        Pixel yx.
    labels : array of shape (n,)
        Number of each in its labels image.
    reach_px : float
        How far a place may lie from the cell, pixels.

    Returns
    -------
    dict of str to array of shape (n,)
        NaN, False or "" for cells that the table does not have.

    Raises
    ------
    InputError
        If the table cannot be read, or tells of none of the cells.

    Warns
    -----
    InputWarning
        If other names than the usual ones were taken, or cells and rows have no partner.
    """
    path = Path(path).expanduser()
    cells = _Cells(images, positions, labels)
    raw = read_table(path)
    keys = _keys(raw)
    columns, told = named(raw, files=True, numbered=bool(keys))
    owners = _owners(columns, images, path.name)
    rows, what = _rows(columns, keys, owners, cells, reach_px)
    if not (rows >= 0).any():
        raise InputError(
            f"{path.name} tells of none of the {len(cells)} cells, though of their images: check "
            f"that its {what} are those of these images, at their own sampling."
        )
    warn_of_cells(path.name, told, rows, len(owners), by_image=what == FILE)
    taken = {FILE, *keys.values()}
    return columns_at({k: v for k, v in columns.items() if k not in taken}, rows)


def _keys(columns: Mapping[str, Column]) -> dict[str, str]:
    """Return the columns that tell a cell in its image: of y and x, or of the label; or none."""
    plain = plain_names(columns)
    found = {
        axis: next((plain[one] for one in names.split() if one in plain), "")
        for axis, names in _PLACES.items()
    }
    if all(found.values()) and all(columns[one].dtype.kind in "iuf" for one in found.values()):
        return found
    label = plain.get(LABEL, "")
    if not label or columns[label].dtype.kind not in "iu":
        return {}
    files = named(columns, files=True)[0].get(FILE)
    is_by_image = files is not None and len(np.unique(files)) == len(files) > 1
    return {} if is_by_image else {LABEL: label}  # a row an image: there it is a class


def _owners(
    columns: Mapping[str, Column], images: npt.NDArray[np.str_], where: str
) -> npt.NDArray[np.str_]:
    """Return the image of each row of the table, "" for one that is not among these."""
    known = list(dict.fromkeys(images.tolist()))
    n_rows = len(next(iter(columns.values())))
    if FILE not in columns:
        if len(known) == 1:
            return np.full(n_rows, known[0])
        raise InputError(
            f"{where} does not tell the image of each row: name it in a column 'file'; there are "
            f"{', '.join(map(repr, columns))}."
        )
    names = columns[FILE].tolist()
    for key in KEYS:
        by_key = {key(one): one for one in known}
        found = [by_key.get(key(name), "") for name in names]
        if any(found):
            return np.array(found, np.str_)
    raise InputError(
        f"The names in {where} ({some(names)}) fit none of the images ({some(known)}): name the "
        "files of the images in a column 'file'."
    )


def _rows(
    columns: Mapping[str, Column],
    keys: Mapping[str, str],
    owners: npt.NDArray[np.str_],
    cells: _Cells,
    reach_px: float,
) -> tuple[Rows, str]:
    """Return the row of each cell, -1 for none, and what it was found by."""
    if LABEL in keys:
        labels = columns[keys[LABEL]].tolist()
        pairs = {
            pair: row for row, pair in _reversed(list(zip(owners.tolist(), labels, strict=True)))
        }
        wanted = zip(cells.images.tolist(), cells.labels.tolist(), strict=True)
        return np.array([pairs.get(pair, -1) for pair in wanted], np.intp), "labels"
    if keys:
        places = np.column_stack([columns[keys["y"]], columns[keys["x"]]]).astype(np.float64)
        return _nearest(places, owners, cells, reach_px), "places"
    first = {name: row for row, name in _reversed(owners.tolist())}
    return np.array([first.get(name, -1) for name in cells.images.tolist()], np.intp), FILE


def _reversed(values: Sequence[Any]) -> list[tuple[int, Any]]:
    """Return values with their rows, the last first, so that the first wins in a mapping."""
    return list(enumerate(values))[::-1]


def _nearest(
    places: npt.NDArray[np.float64],
    owners: npt.NDArray[np.str_],
    cells: _Cells,
    reach_px: float,
) -> Rows:
    """Return the row whose place is nearest to each cell, and to which no other cell is nearer."""
    rows = np.full(len(cells), -1, np.intp)
    finite = np.isfinite(places).all(axis=1)
    for name in np.unique(cells.images):
        here = np.flatnonzero(cells.images == name)
        there = np.flatnonzero((owners == name) & finite)
        if not len(there):
            continue
        gaps, nearest = cKDTree(places[there]).query(cells.positions[here])
        _, back = cKDTree(cells.positions[here]).query(places[there])
        fits = (gaps <= reach_px) & (back[nearest] == np.arange(len(here)))
        rows[here[fits]] = there[nearest[fits]]
    return rows
