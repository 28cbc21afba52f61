"""Dynamo .tbl tables: voxels, 1-based, so that the first voxel's centre is at 1.

A particle lies at x, y, z plus the shift of its alignment (dx, dy, dz).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dynamotable
import numpy as np
import numpy.typing as npt
import pandas as pd
from dynamotable.utils import COLUMN_NAMES

from napari_cryoml._errors import InputError
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io._formats import _classes, _poses, _rows, _tomograms
from napari_cryoml.io._formats._files import read_text, write_text
from napari_cryoml.io._formats._format import Format, Hints

_FIRST = 1.0
_SHIFTS = ("dx", "dy", "dz")


def read(path: Path, hints: Hints) -> PicksTable:
    """Read a table; the tomograms' names come from the .doc file beside it, if there is one.

    Without it, the picks of a single tomogram are named after the file, and those of several
    after their number. The cross-correlation (``cc``) becomes the score unless it is 0 throughout.
    """
    frame = _frame(path)
    xyz = frame[["x", "y", "z"]].to_numpy(np.float64) + _poses.shifts_of(frame, _SHIFTS)
    images = _tomograms.images_of(frame["tomo"].tolist(), path, hints)
    scored = "cc" in frame and bool(np.any(frame["cc"].to_numpy(np.float64)))
    used = ["x", "y", "z", "tomo", "class", *(["cc"] if scored else [])]
    rows = Picks(
        "",
        xyz[:, ::-1] - _FIRST,
        frame["cc"].to_numpy(np.float32) if scored else None,
        hints.pixel_size,
        None,
        _rows.columns_of(frame, used) | _classes.column_in(frame, path),
        _poses.read_rotations(frame, _poses.DYNAMO),
    )
    picks = _rows.split_by_image(rows, images)
    if not picks:
        picks = (Picks(hints.image or path.stem, np.empty((0, 3))),)
    numbers = dict(zip(images, frame["tomo"].tolist(), strict=True))
    kept = {"columns": tuple(str(name) for name in frame.columns), "tomo": numbers}
    return PicksTable(picks, {"dynamo": kept})


def write(table: PicksTable, path: Path, hints: Hints) -> list[Path]:
    """Write a table, and for several tomograms the .doc file that names them."""
    kept = table.extra.get("dynamo", {})
    kept = kept if isinstance(kept, Mapping) else {}
    numbers = _tomograms.numbers_of(table, kept.get("tomo", {}))
    frame = _written(table, numbers, kept.get("columns", COLUMN_NAMES))
    frame, classes = _classes.numbered(frame, _rows.joined_columns(table))
    write_text(path, frame.to_csv(sep=" ", header=False, index=False, lineterminator="\n"))
    names = _tomograms.write_names(path, table, numbers)
    return [path, *names, *_classes.write_names(path, classes)]


def _frame(path: Path) -> pd.DataFrame:
    if not read_text(path).strip():
        return pd.DataFrame({name: np.empty(0) for name in COLUMN_NAMES})
    try:
        frame = dynamotable.read(path)
    except Exception as error:
        raise InputError(f"{path} cannot be read as a Dynamo table: {error}.") from None
    names = list(COLUMN_NAMES[: frame.shape[1]])
    frame.columns = names + [f"column_{n + 1}" for n in range(len(names), frame.shape[1])]
    numeric = {"x", "y", "z"} <= set(names) and all(
        pd.api.types.is_numeric_dtype(frame[name]) for name in names
    )
    if not numeric or not np.isfinite(frame[["x", "y", "z"]].to_numpy(np.float64)).all():
        raise InputError(
            f"{path} is not a Dynamo table: 26 or more columns are needed, with numbers x, y, z "
            f"in columns 24 to 26; {frame.shape[1]} columns were found."
        )
    return frame


def _written(table: PicksTable, numbers: Mapping[str, Any], names: tuple[str, ...]) -> pd.DataFrame:
    n = table.n_picks
    columns = _rows.joined_columns(table)
    data: dict[str, npt.NDArray[Any]] = {name: np.zeros(n, np.int64) for name in names}
    data |= {"tag": np.arange(1, n + 1), "aligned_value": np.ones(n, np.int64)}
    data |= {name: columns[name].to_numpy() for name in names if name in columns}
    data |= _poses.written_angles(table, _poses.DYNAMO, columns)
    xyz = _rows.joined_positions(table, 3)[:, ::-1] + _FIRST - _poses.shifts_of(columns, _SHIFTS)
    data |= dict(zip("xyz", xyz.T, strict=True))
    data["tomo"] = np.array([numbers[str(image)] for image in _rows.image_of_rows(table)])
    scores = _rows.joined_scores(table)
    if scores is not None:
        data["cc"] = np.nan_to_num(scores)
    return pd.DataFrame({name: data[name] for name in names})


FORMAT = Format(
    name="dynamo",
    title="Dynamo .tbl: voxels, centres, 1-based",
    suffixes=(".tbl",),
    read=read,
    write=write,
    ndims=(3,),
    poses=True,
    lengths=frozenset({"dx", "dy", "dz"}),
    directions=frozenset({"tdrot", "tilt", "narot"}),
)
