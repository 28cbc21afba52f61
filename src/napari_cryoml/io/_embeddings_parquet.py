"""Embeddings in Parquet: one column of vectors, one of ids, and the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import Embedding
from napari_cryoml.io._embeddings_arrow import (
    ROWS_AT_ONCE,
    columns_of,
    is_number,
    is_vector,
    list_vectors,
    number_vectors,
    row_ranges,
)
from napari_cryoml.io._embeddings_columns import (
    METADATA_KEY,
    VECTOR,
    assemble,
    free_names,
    place_columns,
    to_json,
    vector_columns,
)


def read(path: Path) -> Embedding:
    """Return the embedding in a Parquet file; the vectors are read a piece at a time."""
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        schema = file.schema_arrow
        names = _vector_columns(schema, path.name)
        batches = file.iter_batches(ROWS_AT_ONCE, columns=names)
        n_rows = file.metadata.num_rows
        field = schema.field(names[0])
        if is_vector(field.type):
            vectors = list_vectors(batches, field, n_rows, path.name)
        else:
            vectors = number_vectors(batches, names, n_rows, path.name)
        others = [name for name in schema.names if name not in set(names)]
        columns = columns_of(file.read(columns=others).select(others), path.name)
    metadata = (schema.metadata or {}).get(METADATA_KEY.encode())
    return assemble(vectors, columns, metadata, path.name)


def _vector_columns(schema: Any, where: str) -> list[str]:
    """Return the column of lists, or else the columns of numbers, that are the vectors."""
    lists = [field.name for field in schema if is_vector(field.type)]
    if VECTOR in lists or len(lists) == 1:
        return [VECTOR if VECTOR in lists else lists[0]]
    numeric = [field.name for field in schema if is_number(field.type)]
    return vector_columns(list(schema.names), numeric, where)


def write(embedding: Embedding, path: Path) -> None:
    """Write an embedding as Parquet, compressed by zstd; vectors of half precision stay so."""
    import pyarrow as pa
    from pyarrow import parquet

    columns = place_columns(embedding)
    names = free_names(embedding.table)
    columns |= {names[name]: np.asarray(values) for name, values in embedding.table.items()}
    text = [name for name, values in columns.items() if values.dtype.kind == "U"]
    schema = pa.schema(
        [pa.field(name, _type(values)) for name, values in columns.items()]
        + [pa.field(VECTOR, _vector_type(embedding))],
        metadata={METADATA_KEY: to_json(embedding, names)},
    )
    with parquet.ParquetWriter(
        path, schema, compression="zstd", use_dictionary=text, write_statistics=text
    ) as writer:
        for rows in row_ranges(len(embedding)):
            arrays = [pa.array(values[rows]) for values in columns.values()]
            arrays.append(_vectors(embedding.vectors[rows]))
            writer.write_table(pa.table(arrays, schema=schema))


def _type(values: npt.NDArray[Any]) -> Any:
    import pyarrow as pa

    return pa.string() if values.dtype.kind == "U" else pa.from_numpy_dtype(values.dtype)


def _vector_type(embedding: Embedding) -> Any:
    import pyarrow as pa

    return pa.list_(pa.from_numpy_dtype(embedding.vectors.dtype), embedding.n_features)


def _vectors(vectors: npt.NDArray[Any]) -> Any:
    import pyarrow as pa

    flat = pa.array(np.ascontiguousarray(vectors).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
