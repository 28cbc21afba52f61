"""Embeddings in CSV and TSV: a number of the vector in each of the columns f0, f1, ..."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml.data import Embedding
from napari_cryoml.io._embeddings_arrow import columns_of, is_number, number_vectors, row_ranges
from napari_cryoml.io._embeddings_columns import (
    ID,
    IMAGE,
    Columns,
    assemble,
    free_names,
    place_columns,
    vector_columns,
)

_DECIMAL = re.compile(r"[+-]?\d*\.\d+(e[+-]?\d+)?|[+-]?\d+e[+-]?\d+", re.IGNORECASE)
_NOT_A_NUMBER = re.compile(r"column #(\d+): .*?invalid value '(.*)'", re.DOTALL)


def read(path: Path) -> Embedding:
    """Return the embedding in a table of text; commas, tabs or semicolons divide its cells."""
    first, delimiter = _first_line(path)
    has_header = not any(_DECIMAL.fullmatch(cell) for cell in first)
    names = first if has_header else _made_up(first)
    _check_names(names, path.name)
    with _complaints(names, path.name):
        table = _read_table(path, names, delimiter, skip_rows=int(has_header))
    numeric = [field.name for field in table.schema if is_number(field.type)]
    features = vector_columns(names, numeric, path.name)
    batches = table.select(features).combine_chunks().to_batches(2**16)
    vectors = number_vectors(batches, features, len(table), path.name)
    others = [name for name in names if name not in set(features)]
    return assemble(vectors, columns_of(table.select(others), path.name), None, path.name)


def _first_line(path: Path) -> tuple[list[str], str]:
    """Return the cells of the first line, and what divides them."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        line = file.readline()
    delimiter = max(",\t;", key=line.count)
    return next(csv.reader([line.strip("\r\n")], delimiter=delimiter), []), delimiter


def _made_up(cells: list[str]) -> list[str]:
    """Return names for columns without any: id for the first of text, f0, f1, ... for numbers."""
    names: list[str] = []
    n_numbers = 0
    for cell in cells:
        if _DECIMAL.fullmatch(cell) or cell.lstrip("+-").isdecimal():
            names.append(f"f{n_numbers}")
            n_numbers += 1
        else:
            names.append(f"column{len(names)}" if ID in names else ID)
    return names


def _check_names(names: list[str], where: str) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{where} has two columns named {twice!r}: rename one of them.")
    if not names:
        raise InputError(f"{where} is empty: a header and a row for each vector were expected.")


def _read_table(path: Path, names: list[str], delimiter: str, skip_rows: int) -> Any:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    text = {name: pa.string() for name in names if name.lower() in (ID, "index", IMAGE)}
    numbers = {name: pa.float32() for name in names if re.fullmatch(r"f?\d+", name)}
    return arrow_csv.read_csv(
        path,
        read_options=arrow_csv.ReadOptions(column_names=names, skip_rows=skip_rows),
        parse_options=arrow_csv.ParseOptions(delimiter=delimiter),
        convert_options=arrow_csv.ConvertOptions(column_types=text | numbers),
    )


@contextmanager
def _complaints(names: list[str], where: str) -> Iterator[None]:
    """Name the column where text stands for a number."""
    try:
        yield
    except ValueError as error:
        found = _NOT_A_NUMBER.search(str(error))
        if found is None:
            raise
        raise InputError(
            f"{where}: the column {names[int(found[1])]!r} holds {found[2]!r} where numbers were "
            "expected; mend or remove the row."
        ) from error


def write(embedding: Embedding, path: Path) -> None:
    """Write the columns id, image, (z,) y, x, f0, f1, ... and those of the table."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    options = arrow_csv.WriteOptions(delimiter=delimiter, quoting_style="needed")
    writer = None
    with path.open("wb") as file:
        for rows in row_ranges(len(embedding)):
            part = pa.table(_columns(embedding.take(rows)))
            if writer is None:
                writer = arrow_csv.CSVWriter(file, part.schema, write_options=options)
            writer.write_table(part)
        if writer is not None:
            writer.close()


def _columns(embedding: Embedding) -> Columns:
    """Return all columns; what CSV has no half precision for is written with single precision."""
    columns = place_columns(embedding)
    vectors = np.asarray(embedding.vectors, np.float32)
    columns |= {f"f{i}": np.ascontiguousarray(values) for i, values in enumerate(vectors.T)}
    names = free_names(embedding.table, columns)
    for name, values in embedding.table.items():
        half = values.dtype == np.float16
        columns[names[name]] = values.astype(np.float32) if half else values
    return columns
