"""Columns of Arrow, as Parquet and CSV files are read into, and arrays."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.io._embeddings_columns import Columns, empty_vectors

ROWS_AT_ONCE = 2**16
"""Rows that are converted together: the whole is never held twice."""


def row_ranges(n_rows: int) -> Iterator[slice]:
    """Yield the rows of one conversion after the other; an empty range if there are none."""
    for start in range(0, max(n_rows, 1), ROWS_AT_ONCE):
        yield slice(start, min(start + ROWS_AT_ONCE, n_rows))


def is_number(kind: Any) -> bool:
    """Tell whether a type of Arrow is one of real numbers (truth values count as text)."""
    from pyarrow import types

    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def is_vector(kind: Any) -> bool:
    """Tell whether a type of Arrow is that of lists of numbers."""
    from pyarrow import types

    lists = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return bool(lists and is_number(kind.value_type))


def columns_of(table: Any, where: str) -> Columns:
    """Return the columns of an Arrow table as arrays: numbers, truth values or text.

    Warns
    -----
    InputWarning
        If a column holds something else; it is left out.
    """
    columns = {name: _array(table.column(i)) for i, name in enumerate(table.column_names)}
    strange = [name for name, values in columns.items() if values is None]
    if strange:
        warnings.warn(
            f"{where}: left out {', '.join(map(repr, strange))}, which hold neither numbers nor "
            "text.",
            InputWarning,
            stacklevel=2,
        )
    return {name: values for name, values in columns.items() if values is not None}


def _array(column: Any) -> npt.NDArray[Any] | None:
    import pyarrow as pa
    from pyarrow import types

    kind = column.type
    if types.is_dictionary(kind):
        return _array(column.cast(kind.value_type))
    if types.is_boolean(kind) and not column.null_count:
        return np.asarray(column.to_numpy(), np.bool_)
    if types.is_decimal(kind) or types.is_boolean(kind):
        column = column.cast(pa.float64() if types.is_decimal(kind) else pa.int8())
    if is_number(column.type):
        return np.asarray(column.to_numpy())
    if types.is_temporal(kind):
        column = column.cast(pa.string())
    if not _is_text(column.type):
        return None
    filled = column.cast(pa.large_string()).fill_null("")
    return np.asarray(filled.to_numpy()).astype(np.str_)


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return bool(
        types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_string_view(kind)
        or types.is_null(kind)
    )


def number_vectors(batches: Iterable[Any], names: list[str], n_rows: int, where: str) -> Any:
    """Return vectors whose numbers stand in columns of their own, shape (n, d)."""
    vectors: npt.NDArray[Any] | None = None
    row = 0
    for batch in batches:
        parts = [batch.column(name).to_numpy(zero_copy_only=False) for name in names]
        if vectors is None:
            vectors = empty_vectors(n_rows, len(names), np.result_type(*parts), where)
        vectors[row : row + len(batch)] = np.stack(parts, axis=1)
        row += len(batch)
    return np.empty((0, len(names)), np.float32) if vectors is None else vectors


def list_vectors(batches: Iterable[Any], field: Any, n_rows: int, where: str) -> Any:
    """Return vectors that stand in one column of lists, shape (n, d); an empty cell gives NaN.

    Raises
    ------
    InputError
        If they are of different lengths.
    """
    vectors: npt.NDArray[Any] | None = None
    row = 0
    for batch in batches:
        column = batch.column(field.name)
        rows, present = slice(row, row + len(batch)), np.asarray(column.is_valid())
        row += len(batch)
        if present.any():
            length, values = _length(column, where), _values(column)
            if vectors is None:
                vectors = empty_vectors(n_rows, length, values.dtype, where)
                vectors[: rows.start] = np.nan
            _check_length(length, vectors.shape[1], where)
            vectors[rows][present] = values.reshape(-1, length)
        if vectors is not None:
            vectors[rows][~present] = np.nan
    if vectors is None:
        length = max(getattr(field.type, "list_size", 0), 0)
        return np.full((n_rows, length), np.nan, np.float32)
    return vectors


def _values(column: Any) -> npt.NDArray[Any]:
    return np.asarray(column.flatten().to_numpy(zero_copy_only=False))


def _length(column: Any, where: str) -> int:
    """Return the length of the lists of a column."""
    from pyarrow import compute

    shortest, longest = compute.min_max(compute.list_value_length(column)).values()
    _check_length(shortest.as_py(), longest.as_py(), where)
    return int(longest.as_py())


def _check_length(found: int, expected: int, where: str) -> None:
    if found != expected:
        raise InputError(
            f"{where} holds vectors of {found} and of {expected} numbers; all must have one length."
        )
