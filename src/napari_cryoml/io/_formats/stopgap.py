"""STOPGAP motive lists: STAR files of their own labels, voxels, 1-based.

A particle lies at ``orig_x, orig_y, orig_z`` plus the shift of its alignment.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_cryoml._errors import InputError
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io._formats import _classes, _poses, _rows, _tomograms
from napari_cryoml.io._formats._format import Format, Hints
from napari_cryoml.io._formats._star_blocks import loop_of, read_blocks, write_blocks

_BLOCK = "stopgap_motivelist"
_COLUMNS = [
    "motl_idx",
    "tomo_num",
    "object",
    "subtomo_num",
    "halfset",
    "orig_x",
    "orig_y",
    "orig_z",
    "score",
    "x_shift",
    "y_shift",
    "z_shift",
    "phi",
    "psi",
    "the",
    "class",
]
_PLACE = ("orig_x", "orig_y", "orig_z")
_SHIFTS = ("x_shift", "y_shift", "z_shift")
_FIRST = 1.0


def is_stopgap(path: Path) -> bool:
    """Tell whether a STAR file is a motive list of STOPGAP's."""
    try:
        with path.open("rb") as file:
            return f"data_{_BLOCK}".encode() in file.read(4096)
    except OSError:
        return False


def read(path: Path, hints: Hints) -> PicksTable:
    """Read a motive list; the tomograms' names come from a .doc file beside it, as for Dynamo."""
    frame = _frame(path)
    xyz = _places(frame, path) + _poses.shifts_of(frame, _SHIFTS)
    scores = pd.to_numeric(frame["score"], errors="coerce").to_numpy(np.float32)
    whole = Picks(
        "",
        xyz[:, ::-1] - _FIRST,
        scores if np.nan_to_num(scores).any() else None,
        hints.pixel_size,
        None,
        _rows.columns_of(frame, [*_PLACE, "score", "class"]) | _classes.column_in(frame, path),
        _poses.read_rotations(frame, _poses.STOPGAP),
    )
    images = _tomograms.images_of(frame["tomo_num"].tolist(), path, hints)
    picks = _rows.split_by_image(whole, images)
    return PicksTable(picks or (Picks(hints.image or path.stem, np.empty((0, 3))),))


def write(table: PicksTable, path: Path, hints: Hints) -> list[Path]:
    """Write a motive list; columns of other programs are left out."""
    columns = _rows.joined_columns(table)
    codes = _tomograms.numbers_of(table, _tomograms.known_numbers(table, "tomo_num"))
    data = _defaults(table.n_picks)
    data |= {n: columns[n].to_numpy() for n in _COLUMNS if n in columns and n != _classes.CLASS}
    data["tomo_num"] = [codes[str(image)] for image in _rows.image_of_rows(table)]
    data |= _poses.written_angles(table, _poses.STOPGAP, columns)
    xyz = _rows.joined_positions(table, 3)[:, ::-1] + _FIRST - _poses.shifts_of(columns, _SHIFTS)
    data |= dict(zip(_PLACE, xyz.T, strict=True))
    scores = _rows.joined_scores(table)
    if scores is not None:
        data["score"] = np.nan_to_num(scores)
    frame, classes = _classes.numbered(pd.DataFrame(data)[_COLUMNS], columns)
    write_blocks(path, {_BLOCK: frame})
    names = _tomograms.write_names(path, table, codes)
    return [path, *names, *_classes.write_names(path, classes)]


def _frame(path: Path) -> pd.DataFrame:
    blocks = read_blocks(path)
    frame = loop_of(blocks[_BLOCK]) if _BLOCK in blocks else pd.DataFrame()
    missing = [n for n in (*_PLACE, "tomo_num", "score") if n not in frame]
    if missing:
        raise InputError(
            f"{path} is no motive list of STOPGAP: a block data_{_BLOCK} with the labels "
            f"{', '.join(missing)} is needed."
        )
    return frame


def _places(frame: pd.DataFrame, path: Path) -> Any:
    xyz = _poses.numbers_of(frame, _PLACE)
    if xyz is None or not np.isfinite(xyz).all():
        raise InputError(f"{path} has a particle without a place (orig_x, orig_y, orig_z).")
    return xyz


def _defaults(n: int) -> dict[str, Any]:
    """Return the columns of particles that no motive list has told of yet."""
    rows = np.arange(1, n + 1)
    data: dict[str, Any] = {name: np.zeros(n) for name in _COLUMNS}
    data |= {"motl_idx": rows, "subtomo_num": rows, "object": np.ones(n, int)}
    data["halfset"] = np.where(rows % 2, "A", "B")
    data["class"] = np.ones(n, int)
    return data


FORMAT = Format(
    name="stopgap",
    title="STOPGAP motive list: voxels, centres, 1-based",
    suffixes=(".star",),
    read=read,
    write=write,
    ndims=(3,),
    recognises=is_stopgap,
    lengths=frozenset(_SHIFTS),
    directions=frozenset({"phi", "psi", "the"}),
    poses=True,
    named=True,
)
