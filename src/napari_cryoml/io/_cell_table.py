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
_ID = "id"  # what our own tables call it
_OF_LABELS_IMAGE = ("index", "roi_id")
_TEXTS = (FILE, PROTEIN, PLATE, CLASS)
_CLASS_REPEATS = 2  # cells a value that whole numbers must have to be classes
_SHOWN = 3


def plain_names(columns: Mapping[str, Column]) -> dict[str, str]:
    """Return names of columns by what is left of them in lower case: "Center Y" by center_y."""
    plain: dict[str, str] = {}
    for name in columns:
        plain.setdefault(re.sub(r"\W+", "_", name.strip().lower()), name)
    return plain


def named(
    columns: Mapping[str, Column], *, files: bool = False, numbered: bool = False
) -> tuple[dict[str, Column], str]:
    """Return columns under the names that are used here, and a sentence's part about those taken.

    Parameters
    ----------
    columns : mapping of str to array of shape (n,)
    files : bool
        Whether the column of files is looked for, too.
    numbered : bool
        Whether a column ``label`` of numbers is known to be the number of each cell in its image.

    Returns
    -------
    dict of str to array
        ``protein``, ``plate``, ``class`` (and ``file``), as texts, and all other columns.
    str
        As "'ORF' as protein, 'Localisation' as class"; empty where all have the usual names.
    """
    plain = plain_names(columns)
    chosen: dict[str, str] = {}
    for role, aliases in _ALIASES.items():
        if role == FILE and not files:
            continue
        found = next((plain[one] for one in aliases.split() if one in plain), None)
        if found is None or (role == CLASS and _are_numbers(found, columns, numbered)):
            continue
        chosen[found] = role
    renamed = {chosen.get(name, name): values for name, values in columns.items()}
    texts = {name: _text(renamed[name]) for name in _TEXTS if name in renamed}
    odd = {name: role for name, role in chosen.items() if name != role and name != _ID}
    told = ", ".join(f"{name!r} as {role}" for name, role in odd.items())
    return {**renamed, **texts}, told


def _are_numbers(name: str, columns: Mapping[str, Column], numbered: bool) -> bool:
    """Tell whether a column is the number of each cell in its labels image, and not its class."""
    values = columns[name]
    if name.lower() != "label" or values.dtype.kind not in "iuf":
        return False
    is_cut = numbered or any(one in columns for one in _OF_LABELS_IMAGE)
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
    """Return a column as truth values or numbers where all are such, and else as texts."""
    if values.dtype.kind in "biuf":
        return values.to_numpy()
    texts = np.array(["" if pd.isna(one) else str(one).strip() for one in values], np.str_)
    if len(texts) and np.isin(texts, ("True", "False", "true", "false")).all():
        return np.isin(texts, ("True", "true"))
    filled = texts != ""
    codes = any(re.match(r"0\d", one) for one in texts[filled].tolist())  # plate 007
    numbers = pd.to_numeric(pd.Series(texts[filled]), errors="coerce").to_numpy(np.float64)
    if codes or not filled.any() or not np.isfinite(numbers).all():
        return texts
    column = np.full(len(texts), np.nan)
    column[filled] = numbers
    is_whole = filled.all() and (column == np.rint(column)).all() and (np.abs(column) < 2**53).all()
    return column.astype(np.int64) if is_whole else column


def read_cell_table(path: str | Path, ids: Sequence[str]) -> dict[str, Column]:
    """Return what a table tells of cells, one row a cell in the order of their ids.

    The table's column of files or ids finds the cells: by their whole name, else by the name
    without folders, else without its ending, else without the word of a channel. A table without
    such a column, or whose names fit no cell, goes by its order if it has as many rows.

    Parameters
    ----------
    path : path
        CSV, TSV or Parquet.
    ids : sequence of str

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
    rows = _matched(columns[FILE].tolist(), ids) if FILE in columns else None
    if rows is None or not (rows >= 0).any():
        rows = _by_order(columns, n_rows, ids, path.name)
    warn_of_cells(path.name, told, rows, n_rows)
    return columns_at({name: v for name, v in columns.items() if name != FILE}, rows)


def warn_of_cells(
    where: str, told: str, rows: npt.NDArray[np.intp], n_rows: int, *, by_image: bool = False
) -> None:
    """Say which names of columns were taken, and how many cells and rows have no partner.

    Parameters
    ----------
    where : str
        Name of the table.
    told : str
        What `named` says.
    rows : array of shape (n,)
        Row of each cell, -1 for none.
    n_rows : int
        Rows of the table.
    by_image : bool
        Whether a row tells of all cells of an image.
    """
    n_lost = int(np.count_nonzero(rows < 0))
    n_unused = n_rows - len(np.unique(rows[rows >= 0]))
    named_there = "images" if by_image else "cells"
    if told:
        _warn(f"Of {where}, {told} was taken.")
    if n_lost:
        _warn(f"{n_lost} of {len(rows)} cells are not in {where}: what it tells is left open.")
    if n_unused:
        _warn(
            f"{n_unused} of {n_rows} rows of {where} were passed over: they name none of the "
            f"{named_there}, or one that another row names."
        )


def _by_order(
    columns: Mapping[str, Column], n_rows: int, ids: Sequence[str], where: str
) -> npt.NDArray[np.intp]:
    if n_rows != len(ids):
        files = columns.get(FILE)
        cause = (
            f"no column of files or ids was found among {', '.join(map(repr, columns))}"
            if files is None
            else f"its names ({some(files.tolist())}) fit none of the cells ({some(ids)})"
        )
        raise InputError(
            f"{where} has {n_rows} rows for {len(ids)} cells, and {cause}: name the file or the "
            "id of each in a column 'file'."
        )
    _warn(f"The rows of {where} were taken in the order of the cells, as no names tell it.")
    return np.arange(n_rows)


def _matched(names: Sequence[str], ids: Sequence[str]) -> npt.NDArray[np.intp]:
    """Return the row of each cell, -1 for none; the first of several that name it."""
    rows = np.full(len(ids), -1, np.intp)
    for key in KEYS:
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


KEYS = (_whole, _short, _stem, _bare)
"""What is compared of names, one after the other."""


def columns_at(columns: Mapping[str, Column], rows: npt.NDArray[np.intp]) -> dict[str, Column]:
    """Return columns at some rows, NaN, False or "" where a row is -1."""
    return {name: _at(values, rows) for name, values in columns.items()}


def _at(values: Column, rows: npt.NDArray[np.intp]) -> Column:
    there = rows >= 0
    if values.dtype.kind in "iu" and not there.all():
        values = values.astype(np.float64)
    empty: Any = {"f": np.nan, "b": False, "U": ""}.get(values.dtype.kind, 0)
    column = np.full(len(rows), empty, values.dtype)
    column[there] = values[rows[there]]
    return column


def some(names: Sequence[str]) -> str:
    """Return the first few of some names."""
    return ", ".join(map(repr, names[:_SHOWN])) + (", ..." if len(names) > _SHOWN else "")


def _warn(sentence: str) -> None:
    warnings.warn(sentence, InputWarning, stacklevel=4)
