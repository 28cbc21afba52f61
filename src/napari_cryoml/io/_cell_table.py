"""What a table tells of cells: file, protein, plate, class."""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.io._channel_words import split_channel
from napari_cryoml.io._image_format import reading

Column = npt.NDArray[Any]

FILE, PROTEIN, PLATE, CLASS = "file", "protein", "plate", "class"
TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".pq")
_ALIASES = {
    FILE: "file filename file_name crop crop_file cell_id cellid cell id crop_id path file_path "
    "image_file image_path image",
    PROTEIN: "protein protein_name gene gene_name gene_symbol symbol target orf systematic_name "
    "strain",
    PLATE: "plate plate_id plate_name platename batch",
    CLASS: "class class_name localization localisation category phenotype annotation "
    "initial_label label",
}
_OF_LABELS_IMAGE = ("index", "roi_id")
_TEXTS = (FILE, PROTEIN, PLATE, CLASS)
_CLASS_REPEATS = 2  # cells a value that whole numbers must have to be classes
_SHOWN = 3


def named(columns: Mapping[str, Column], *, files: bool = False) -> tuple[dict[str, Column], str]:
    """Return columns under the names that are used here, and a sentence's part about those taken.

    Parameters
    ----------
    columns : mapping of str to array of shape (n,)
    files : bool
        Whether the column of files is looked for, too.

    Returns
    -------
    dict of str to array
        ``protein``, ``plate``, ``class`` (and ``file``), as texts, and all other columns.
    str
        As "'ORF' as protein, 'Localisation' as class"; empty where all have the usual names.
    """
    plain: dict[str, str] = {}
    for name in columns:
        plain.setdefault(re.sub(r"\W+", "_", name.strip().lower()), name)
    chosen: dict[str, str] = {}
    for role, aliases in _ALIASES.items():
        if role == FILE and not files:
            continue
        found = next((plain[one] for one in aliases.split() if one in plain), None)
        if found is not None and not (role == CLASS and _are_numbers(found, columns)):
            chosen[found] = role
    renamed = {chosen.get(name, name): values for name, values in columns.items()}
    texts = {name: _text(renamed[name]) for name in _TEXTS if name in renamed}
    told = ", ".join(f"{name!r} as {role}" for name, role in chosen.items() if name != role)
    return {**renamed, **texts}, told


def _are_numbers(name: str, columns: Mapping[str, Column]) -> bool:
    """Tell whether a column is the number of each cell in its labels image, and not its class."""
    values = columns[name]
    if name.lower() != "label" or values.dtype.kind not in "iuf":
        return False
    is_cut = any(one in columns for one in _OF_LABELS_IMAGE)
    return is_cut or _CLASS_REPEATS * len(np.unique(values)) > len(values)


def _text(values: Column) -> Column:
    if values.dtype.kind == "f":
        whole = np.isfinite(values) & (values == np.rint(values))
        texts = [f"{v:.0f}" if w else str(v) for v, w in zip(values, whole, strict=True)]
        return np.array(["" if one == "nan" else one for one in texts], np.str_)
    return values.astype(np.str_)


def read_table(path: Path) -> dict[str, Column]:
    """Return the columns of a table of text or Parquet.

    Raises
    ------
    InputError
        If it cannot be read, is empty, or has no named columns.
    """
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise InputError(
            f"{path.name} is no table of cells by its name: {', '.join(TABLE_SUFFIXES)} were "
            "expected."
        )
    with reading(path, "a table"):
        frame = _parquet(path) if suffix in (".parquet", ".pq") else _text_table(path)
    if not len(frame) or not len(frame.columns):
        raise InputError(f"{path.name} is empty: a header and a row for each cell were expected.")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise InputError(f"{path.name} has two columns named {twice[0]!r}: rename one of them.")
    return {str(name): _column(frame[name]) for name in frame.columns}


def _parquet(path: Path) -> pd.DataFrame:
    import pyarrow.parquet as pq

    # Without what pandas has written of its types: nothing of it is needed.
    return pq.read_table(path).replace_schema_metadata(None).to_pandas()


def _text_table(path: Path) -> pd.DataFrame:
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
    delimiter = max("\t,;", key=first.count)
    header = next(csv.reader([first.strip("\r\n")], delimiter=delimiter), [])
    return pd.read_csv(
        path,
        sep=delimiter,
        header=0,
        names=[name.strip() for name in header],
        index_col=False,
        dtype=str,
        keep_default_na=False,  # NA is a gene, too
        encoding="utf-8-sig",
        engine="c",
    )


def _column(values: pd.Series[Any]) -> Column:
    """Return a column as numbers where all are numbers, and else as texts."""
    if values.dtype.kind in "biuf":
        return values.to_numpy()
    texts = np.array(["" if pd.isna(one) else str(one).strip() for one in values], np.str_)
    filled = texts != ""
    codes = any(re.match(r"0\d", one) for one in texts[filled].tolist())  # plate 007
    numbers = pd.to_numeric(pd.Series(texts[filled]), errors="coerce").to_numpy(np.float64)
    if codes or not filled.any() or not np.isfinite(numbers).all():
        return texts
    column = np.full(len(texts), np.nan)
    column[filled] = numbers
    is_whole = filled.all() and (column == np.rint(column)).all() and (np.abs(column) < 2**53).all()
    return column.astype(np.int64) if is_whole else column


def read_cell_table(
    path: str | Path, ids: Sequence[str], *, what: str = "cells"
) -> dict[str, Column]:
    """Return what a table tells of cells, or of images, one row each in the order of their ids.

    The table's column of files or ids finds the cells: by their whole name, else by the name
    without folders, else without its ending, else without the word of a channel. A table without
    such a column, or whose names fit no cell, goes by its order if it has as many rows.

    Parameters
    ----------
    path : path
        CSV, TSV or Parquet.
    ids : sequence of str
    what : str
        What the ids name, for messages.

    Returns
    -------
    dict of str to array of shape (n,)
        ``protein``, ``plate``, ``class`` as texts, and all other columns under their names; NaN,
        False or "" for cells that the table does not have.

    Raises
    ------
    InputError
        If the rows cannot be told to belong to cells.

    Warns
    -----
    InputWarning
        If other names than the usual ones were taken, rows go by their order, or cells and rows
        have no partner.
    """
    path = Path(path).expanduser()
    columns, told = named(read_table(path), files=True)
    n_rows = len(next(iter(columns.values())))
    if told:
        _warn(f"Of {path.name}, {told} was taken.")
    rows = _matched(columns[FILE].tolist(), ids) if FILE in columns else None
    if rows is None or not (rows >= 0).any():
        rows = _by_order(columns, n_rows, ids, (path.name, what))
    n_lost = int(np.count_nonzero(rows < 0))
    n_unused = n_rows - len(np.unique(rows[rows >= 0]))
    if n_lost:
        _warn(f"{n_lost} of {len(ids)} {what} are not in {path.name}: what it tells is left open.")
    if n_unused:
        _warn(
            f"{n_unused} of {n_rows} rows of {path.name} were passed over: they name none of "
            f"the {what}, or one that another row names."
        )
    return {name: _at(values, rows) for name, values in columns.items() if name != FILE}


def _by_order(
    columns: Mapping[str, Column], n_rows: int, ids: Sequence[str], names: tuple[str, str]
) -> npt.NDArray[np.intp]:
    where, what = names
    if n_rows != len(ids):
        files = columns.get(FILE)
        cause = (
            f"no column of files or ids was found among {', '.join(map(repr, columns))}"
            if files is None
            else f"its names ({_some(files.tolist())}) fit none of the {what} ({_some(ids)})"
        )
        raise InputError(
            f"{where} has {n_rows} rows for {len(ids)} {what}, and {cause}: name the file or the "
            "id of each in a column 'file'."
        )
    _warn(f"The rows of {where} were taken in the order of the {what}, as no names tell it.")
    return np.arange(n_rows)


def _matched(names: Sequence[str], ids: Sequence[str]) -> npt.NDArray[np.intp]:
    """Return the row of each cell, -1 for none; the first of several that name it."""
    rows = np.full(len(ids), -1, np.intp)
    for key in (_whole, _short, _stem, _bare):
        cells = _places(ids, key)
        for row, name in enumerate(names):
            place = cells.get(key(name))
            if place is not None and rows[place] < 0:
                rows[place] = row
        if (rows >= 0).any():
            return rows
    return rows


def _places(ids: Iterable[str], key: Callable[[str], str]) -> dict[str, int]:
    """Return the place of each cell by a key; none for keys that several cells have."""
    places: dict[str, int] = {}
    twice = set()
    for place, one in enumerate(ids):
        name = key(one)
        twice |= {name} if name in places else set()
        places[name] = place
    return {name: place for name, place in places.items() if name not in twice}


def _whole(name: str) -> str:
    return name.replace("\\", "/").removeprefix("./")


def _short(name: str) -> str:
    return _whole(name).rsplit("/", 1)[-1]


def _stem(name: str) -> str:
    return re.sub(r"\.(tiff?|png|jpe?g|npy)$", "", _short(name), flags=re.IGNORECASE)


def _bare(name: str) -> str:
    return split_channel(_stem(name))[0]


def _at(values: Column, rows: npt.NDArray[np.intp]) -> Column:
    """Return a column at some rows, NaN, False or "" where a row is -1."""
    there = rows >= 0
    if values.dtype.kind in "iu" and not there.all():
        values = values.astype(np.float64)
    empty: Any = {"f": np.nan, "b": False, "U": ""}.get(values.dtype.kind, 0)
    column = np.full(len(rows), empty, values.dtype)
    column[there] = values[rows[there]]
    return column


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:_SHOWN])) + (", ..." if len(names) > _SHOWN else "")


def _warn(sentence: str) -> None:
    warnings.warn(sentence, InputWarning, stacklevel=4)
