"""Tables with a header: CSV as anybody writes it, and Topaz's tab-separated text."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from napari_cryoml._errors import InputError
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io._formats import _rows
from napari_cryoml.io._formats._classes import CLASS, texts_of
from napari_cryoml.io._formats._files import read_text, write_text
from napari_cryoml.io._formats._format import Format, Hints
from napari_cryoml.io._formats._relion_poses import angles_of, rotations_in
from napari_cryoml.io._names import stem

_IMAGE = [
    "image_name",
    "image",
    "imagename",
    "micrograph",
    "micrograph_name",
    "rlnmicrographname",
    "image_path",
    "filename",
    "file_name",
    "file",
    "tomogram",
    "tomo",
    "tomo_name",
    "tomo_id",
    "rlntomoname",
    "experiment",
    "run_name",
    "name",
]
_AXES = {
    axis: (
        f"{axis}_coord {axis} coordinate_{axis} {axis}_coordinate center_{axis} centre_{axis} "
        f"{axis}_center {axis}_centre rlncoordinate{axis} pos_{axis} {axis}_px {axis}_pixel "
        f"coord_{axis}"
    ).split()
    for axis in "xyz"
}
_SCORE = [
    "score",
    "scores",
    "confidence",
    "fom",
    "figure_of_merit",
    "rlnautopickfigureofmerit",
    "probability",
]
_DIAMETER = ["diameter", "diameter_px"]


def read(path: Path, hints: Hints) -> PicksTable:
    """Read a table whose header names x and y, and perhaps z, the image and a score.

    Pixels, centres, 0-based. Names of columns are taken as they come (``x_coord``, ``X``,
    ``X-Coordinate``, ``center_x``; napari's ``axis-0, axis-1`` are y and x); columns that are not
    needed are kept. Without a column for the image, the file's stem is the image.
    """
    frame = _frame(read_text(path), path)
    axes = _axes_of(frame, path)
    positions = _numbers(frame, axes, path)
    image_column = _image_column(frame, hints)
    score_column = _first(frame, _SCORE)
    used = [*axes, *(name for name in (image_column, score_column) if name is not None)]
    columns = {n: np.asarray(frame[n]) for n in frame.columns if n not in used}
    if CLASS in columns:
        columns[CLASS] = texts_of(columns[CLASS])
    rotations = rotations_in(frame) if len(axes) == 3 else None
    scores = _scores(frame, score_column)
    rows = Picks("", positions, scores, hints.pixel_size, None, columns, rotations)
    if image_column is None:
        images: Sequence[Any] = [hints.image or path.stem] * len(rows)
        if not len(rows):
            return PicksTable((Picks(hints.image or path.stem, positions),))
    else:
        images = frame[image_column].astype(str).tolist()
    return PicksTable(tuple(_with_diameter(p) for p in _rows.split_by_image(rows, images)))


def write_csv(table: PicksTable, path: Path, hints: Hints) -> list[Path]:
    """Write ``image_name,x_coord,y_coord[,z_coord][,score]`` and the further columns.

    Orientations are RELION's ``rlnAngleRot, rlnAngleTilt, rlnAnglePsi``.
    """
    frame = _written(table)
    rest = _rows.joined_columns(table)
    further = {n: rest[n].to_numpy() for n in rest.columns if n not in frame}
    if _rows.joined_rotations(table) is not None:
        further |= angles_of(table, rest)
    text = frame.assign(**further).to_csv(index=False, lineterminator="\n")
    write_text(path, text)
    return [path]


def write_topaz(table: PicksTable, path: Path, hints: Hints) -> list[Path]:
    """Write Topaz's coordinates: whole pixels, tab-separated, names without extension."""
    frame = _written(table)
    frame["image_name"] = [stem(str(name)) for name in frame["image_name"]]
    for name in frame.columns.intersection(["x_coord", "y_coord", "z_coord"]):
        frame[name] = np.rint(frame[name]).astype(np.int64)
    write_text(path, frame.to_csv(index=False, sep="\t", lineterminator="\n"))
    return [path]


def has_header(path: Path) -> bool:
    """Tell whether a text file starts with names of columns for x and y."""
    lines = read_text(path).lstrip().splitlines()
    names = {_plain(cell) for cell in _split(lines[0], _delimiter(lines[0]))} if lines else set()
    return bool(names & set(_AXES["x"])) and bool(names & set(_AXES["y"]))


def _written(table: PicksTable) -> pd.DataFrame:
    ndim = _rows.ndim_of(table)
    positions = _rows.joined_positions(table, ndim)
    data: dict[str, npt.NDArray[Any]] = {"image_name": _rows.image_of_rows(table)}
    for axis, name in zip(range(ndim), ("x_coord", "y_coord", "z_coord"), strict=False):
        data[name] = positions[:, -1 - axis]
    scores = _rows.joined_scores(table)
    if scores is not None:
        data["score"] = scores
    return pd.DataFrame(data)


def _frame(text: str, path: Path) -> pd.DataFrame:
    header = text.lstrip().split("\n", 1)[0]
    delimiter = _delimiter(header)
    try:
        return pd.read_csv(
            io.StringIO(text),
            sep=delimiter or r"\s+",
            dtype={name: str for name in _split(header, delimiter) if _plain(name) in _IMAGE},
            keep_default_na=False,
            na_values=["", "nan", "NaN", "<NA>"],
            skipinitialspace=True,
            index_col=False,
        )
    except pd.errors.EmptyDataError:
        raise InputError(f"{path} is empty: a header that names x and y was expected.") from None
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(f"{path} cannot be read as a table: {error}.") from None


def _delimiter(header: str) -> str | None:
    """Return what separates the cells, or None for runs of blanks."""
    return next((mark for mark in ("\t", ",", ";") if mark in header), None)


def _split(header: str, delimiter: str | None) -> list[str]:
    if delimiter is None:
        return header.split()
    return [cell.strip() for cell in next(csv.reader([header], delimiter=delimiter), [])]


def _plain(name: str) -> str:
    plain = str(name).strip().strip("_").lower()
    for mark in "-. ":
        plain = plain.replace(mark, "_")
    return plain


def _first(frame: pd.DataFrame, names: list[str]) -> str | None:
    by_name = {_plain(column): column for column in reversed(frame.columns)}
    return next((by_name[name] for name in names if name in by_name), None)


def _image_column(frame: pd.DataFrame, hints: Hints) -> str | None:
    """Return the column with names of images, unless the caller names the only one."""
    column = _first(frame, _IMAGE)
    named = column is not None and hints.image is not None and frame[column].nunique() <= 1
    return None if named else column


def _axes_of(frame: pd.DataFrame, path: Path) -> list[str]:
    """Return the columns of (z,) y and x, in this order."""
    napari = [f"axis-{axis}" for axis in range(3) if f"axis-{axis}" in frame]
    if len(napari) >= 2:
        return napari
    z, y, x = (_first(frame, _AXES[axis]) for axis in "zyx")
    if x is None or y is None:
        found = ", ".join(str(name) for name in frame.columns[:8])
        raise InputError(
            f"{path} has no columns for x and y (its first line reads: {found}): name them "
            "x_coord and y_coord in a header line."
        )
    return [y, x] if z is None else [z, y, x]


def _numbers(frame: pd.DataFrame, names: list[str], path: Path) -> npt.NDArray[np.float64]:
    values = frame[names].apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(bad):
        cells = ", ".join(repr(str(cell)) for cell in frame[names].iloc[bad[0]])
        raise InputError(
            f"{path}, line {int(bad[0]) + 2}: {cells} was found where numbers "
            f"({', '.join(names)}) were expected; mend or remove the line."
        )
    return values.reshape(-1, len(names))


def _scores(frame: pd.DataFrame, name: str | None) -> npt.NDArray[np.float32] | None:
    """Return the scores, NaN where a cell is empty, or None without such a column."""
    if name is None:
        return None
    return pd.to_numeric(frame[name], errors="coerce").to_numpy(np.float32)


def _with_diameter(picks: Picks) -> Picks:
    """Return the picks with their diameter in pixels, if a column holds one for all."""
    for name, values in picks.columns.items():
        if _plain(name) in _DIAMETER and values.dtype.kind in "iuf" and len(set(values)) == 1:
            return replace(picks, diameter=float(values[0]))
    return picks


FORMAT = Format(
    name="csv",
    title="CSV with a header: pixels, centres, 0-based",
    suffixes=(".csv", ".tsv"),
    read=read,
    write=write_csv,
    lengths=frozenset(_DIAMETER),
    poses=True,
)

TOPAZ_FORMAT = Format(
    name="topaz",
    title="Topaz text: whole pixels, centres, 0-based",
    suffixes=(".txt", ".tab"),
    read=read,
    write=write_topaz,
    recognises=has_header,
)
