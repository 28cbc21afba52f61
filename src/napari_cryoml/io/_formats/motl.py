"""EM motive lists (TOM, AV3, Artiatomi): voxels, 1-based, twenty numbers a particle.

A particle lies at x, y, z plus the shift of its alignment.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from napari_cryoml._errors import InputError
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io._formats import _classes, _poses, _rows, _tomograms
from napari_cryoml.io._formats._files import replacing, unreadable
from napari_cryoml.io._formats._format import Format, Hints

_ROWS = [
    "score",
    "geom1",
    "geom2",
    "subtomo_id",
    "tomo_id",
    "object_id",
    "subtomo_mean",
    "x",
    "y",
    "z",
    "shift_x",
    "shift_y",
    "shift_z",
    "geom3",
    "geom4",
    "geom5",
    "phi",
    "psi",
    "theta",
    "class",
]
_SHIFTS = ("shift_x", "shift_y", "shift_z")
_HEADER_BYTES = 512
_TYPES = {5: "f4", 9: "f8"}
_BIG_ENDIAN_MACHINES = frozenset({0, 3, 4, 5})
_FIRST = 1.0


def read(path: Path, hints: Hints) -> PicksTable:
    """Read a motive list; the tomograms' names come from a .doc file beside it, as for Dynamo."""
    frame = pd.DataFrame(_load(path), columns=_ROWS)
    xyz = frame[["x", "y", "z"]].to_numpy() + _poses.shifts_of(frame, _SHIFTS)
    scores = frame["score"].to_numpy(np.float32)
    columns = _rows.columns_of(frame, ["x", "y", "z", "score", "class"])
    whole = Picks(
        "",
        xyz[:, ::-1] - _FIRST,
        scores if scores.any() else None,
        hints.pixel_size,
        None,
        columns | _classes.column_in(frame, path),
        _poses.read_rotations(frame, _poses.MOTL),
    )
    images = _tomograms.images_of(frame["tomo_id"].tolist(), path, hints)
    picks = _rows.split_by_image(whole, images)
    return PicksTable(picks or (Picks(hints.image or path.stem, np.empty((0, 3))),))


def write(table: PicksTable, path: Path, hints: Hints) -> list[Path]:
    """Write a motive list of 32-bit floats; further columns of other formats are left out."""
    n = table.n_picks
    columns = _rows.joined_columns(table)
    codes = _tomograms.numbers_of(table, _tomograms.known_numbers(table, "tomo_id"))
    images = [codes[str(image)] for image in _rows.image_of_rows(table)]
    data = {name: np.zeros(n) for name in _ROWS}
    data["subtomo_id"] = np.arange(1.0, n + 1)
    kept = [name for name in _ROWS if name in columns and name != _classes.CLASS]
    data |= {name: columns[name].to_numpy(np.float64) for name in kept}
    data["tomo_id"] = np.array(images, np.float64)
    data |= _poses.written_angles(table, _poses.MOTL, columns)
    xyz = _rows.joined_positions(table, 3)[:, ::-1] + _FIRST - _poses.shifts_of(columns, _SHIFTS)
    data |= dict(zip("xyz", xyz.T, strict=True))
    scores = _rows.joined_scores(table)
    if scores is not None:
        data["score"] = np.nan_to_num(scores)
    frame, classes = _classes.numbered(pd.DataFrame(data), columns)
    rows = frame[_ROWS].to_numpy("<f4")
    header = bytes([6, 0, 0, 5]) + np.array([len(_ROWS), n, 1], "<i4").tobytes()
    with replacing(path) as temporary:
        temporary.write_bytes(header.ljust(_HEADER_BYTES, b"\0") + rows.tobytes())
    names = _tomograms.write_names(path, table, codes)
    return [path, *names, *_classes.write_names(path, classes)]


def _load(path: Path) -> npt.NDArray[Any]:
    """Return the numbers of a motive list, shape (n, 20)."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None
    if len(content) < _HEADER_BYTES or content[3] not in _TYPES:
        raise InputError(f"{path} is not an EM file of floating point numbers.")
    order = ">" if content[0] in _BIG_ENDIAN_MACHINES else "<"
    width, height, depth = np.frombuffer(content, f"{order}i4", 3, offset=4).tolist()
    dtype = np.dtype(order + _TYPES[content[3]])
    if width != len(_ROWS) or min(height, depth) > 1 or min(height, depth) < 0:
        raise InputError(
            f"{path} is no motive list: {len(_ROWS)} numbers a particle are needed, and its shape "
            f"is {width} x {height} x {depth}."
        )
    n = height * depth
    if len(content) < _HEADER_BYTES + width * n * dtype.itemsize:
        raise InputError(f"{path} is cut short: its header promises {n} particles.")
    values = np.frombuffer(content, dtype, width * n, offset=_HEADER_BYTES)
    return values.reshape(n, width).astype(np.float64)


FORMAT = Format(
    name="motl",
    title="EM motive list: voxels, centres, 1-based",
    suffixes=(".em",),
    read=read,
    write=write,
    ndims=(3,),
    poses=True,
    lengths=frozenset({"shift_x", "shift_y", "shift_z"}),
    directions=frozenset({"phi", "psi", "theta"}),
)
