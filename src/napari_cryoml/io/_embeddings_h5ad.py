"""Embeddings in AnnData's HDF5 files.

The layout is that of https://anndata.readthedocs.io/en/latest/fileformat-prose.html, read and
written directly: only what an embedding has is touched, and nothing is decoded but numbers and
text.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import Embedding
from napari_cryoml.io._embeddings_columns import (
    ID,
    IMAGE,
    MAPS,
    METADATA_KEY,
    Columns,
    as_text,
    assemble,
    empty_vectors,
    free_names,
    numbered,
    to_json,
)

_INDEX = "_index"
_POSITIONS = "spatial"
_AXES = ("x", "y", "z")


def read(path: Path) -> Embedding:
    """Return the embedding in an .h5ad file."""
    import h5py

    with h5py.File(path, "r") as file:
        if "X" not in file or "obs" not in file:
            raise InputError(f"{path.name} holds no X and obs, as AnnData has them.")
        vectors = _matrix(file["X"], path.name)
        columns = _rows(file["obs"], len(vectors), path.name)
        columns |= _coordinates(file.get("obsm", {}), columns)
        metadata = file.get(f"uns/{METADATA_KEY}")
        text = None if metadata is None else metadata.asstr()[()]
    return assemble(vectors, columns, text, path.name)


def _matrix(stored: Any, where: str) -> npt.NDArray[Any]:
    """Return X, dense or sparse, as an array."""
    shape = stored.attrs.get("shape", stored.attrs.get("h5sparse_shape"))
    shape = tuple(int(n) for n in (stored.shape if shape is None else shape))
    if len(shape) != 2:
        raise InputError(f"{where} should hold a matrix X of two axes; {shape} was found.")
    half = hasattr(stored, "dtype") and stored.dtype == np.float16
    vectors = empty_vectors(*shape, np.float16 if half else np.float32, where)
    if hasattr(stored, "read_direct"):
        if vectors.size:
            stored.read_direct(vectors)
        return vectors
    return _dense(stored, shape, vectors)


def _dense(stored: Any, shape: tuple[int, ...], out: npt.NDArray[Any]) -> npt.NDArray[Any]:
    from scipy import sparse

    kind = stored.attrs.get("encoding-type", stored.attrs.get("h5sparse_format", "csr"))
    by_column = str(kind).startswith("csc")
    parts = (stored["data"][...].astype(np.float32), stored["indices"][...], stored["indptr"][...])
    matrix = (sparse.csc_matrix if by_column else sparse.csr_matrix)(parts, shape=shape)
    # Indices beyond the matrix would be written to whatever memory lies there.
    matrix.check_format(full_check=True)
    matrix.toarray(out=out)
    return out


def _rows(obs: Any, n_rows: int, where: str) -> Columns:
    """Return the ids and the columns of obs."""
    columns: dict[str, npt.NDArray[Any] | None]
    if hasattr(obs, "dtype"):  # a table of records, before AnnData 0.7
        records = obs[...]
        index, *names = records.dtype.names
        columns = {name: _plain(records[name]) for name in names}
        ids = _plain(records[index])
    else:
        index = obs.attrs.get(_INDEX, _INDEX)
        old = obs.get("__categories", {})
        names = [name for name in obs if name not in (index, "__categories")]
        columns = {name: _column(obs[name], old.get(name)) for name in names}
        ids = _column(obs[index], None) if index in obs else np.arange(n_rows)
    strange = [name for name, values in columns.items() if values is None]
    if strange:
        warnings.warn(
            f"{where}: left out {', '.join(map(repr, strange))}, which hold neither numbers nor "
            "text.",
            InputWarning,
            stacklevel=2,
        )
    if ids is None or len(ids) != n_rows:
        raise InputError(f"{where} should name each of its {n_rows} rows in obs, and does not.")
    kept = {name: values for name, values in columns.items() if values is not None}
    return {ID: as_text(ids)} | {f"{name}_" if name == ID else name: v for name, v in kept.items()}


def _column(stored: Any, categories: Any | None) -> npt.NDArray[Any] | None:
    """Return a column of obs: an array, one of categories, or one with a mask."""
    if categories is not None:
        return _of_categories(stored[...], categories)
    if hasattr(stored, "dtype"):
        return _plain(stored[...]) if stored.ndim == 1 else None
    if "codes" in stored and "categories" in stored:
        return _of_categories(stored["codes"][...], stored["categories"])
    if "values" in stored and "mask" in stored:
        values, mask = _plain(stored["values"][...]), np.asarray(stored["mask"][...], np.bool_)
        if values is None or not mask.any():
            return values
        empty = "" if values.dtype.kind == "U" else np.nan
        return np.where(mask, empty, values)
    return None


def _of_categories(codes: npt.NDArray[Any], categories: Any) -> npt.NDArray[Any] | None:
    names = _column(categories, None)
    if names is None:
        return None
    missing = codes < 0
    if not missing.any():
        return names[codes]
    empty = np.array([""]) if names.dtype.kind == "U" else np.array([np.nan])
    return np.concatenate([names, empty])[np.where(missing, len(names), codes)]


def _plain(values: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
    """Return numbers, truth values or text; None for anything else."""
    if values.dtype.kind in "biuf":
        return values
    if values.dtype.kind == "S":
        return np.char.decode(values, "utf-8", "replace")
    if values.dtype.kind == "O" and all(isinstance(value, bytes | str) for value in values):
        texts = [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in values]
        return np.array(texts, dtype=np.str_)
    return None


def _coordinates(obsm: Any, columns: Mapping[str, npt.NDArray[Any]]) -> Columns:
    """Return the columns of maps, and of positions if their images are known."""
    found: Columns = {}
    for key, name in MAPS.items():
        found |= {f"{name}{i}": column for i, column in enumerate(_columns(obsm.get(key)))}
    if IMAGE in columns:
        found |= dict(zip(_AXES, _columns(obsm.get(_POSITIONS)), strict=False))
    return found


def _columns(stored: Any) -> npt.NDArray[Any]:
    """Return the columns of a matrix; none of what is no matrix of numbers."""
    is_matrix = hasattr(stored, "dtype") and stored.ndim == 2 and stored.dtype.kind in "biuf"
    return stored[...].T if is_matrix else np.empty((0, 0))


def write(embedding: Embedding, path: Path) -> None:
    """Write an embedding as an .h5ad file."""
    import h5py

    table = {name: np.asarray(values) for name, values in embedding.table.items()}
    maps = _maps_of(table)
    used = {name for named in maps.values() for name in named}
    names = free_names([name for name in table if name not in used], [_INDEX])
    obs = {names[name]: table[name] for name in names}
    if embedding.images is not None:
        obs = {IMAGE: embedding.images} | obs
    with h5py.File(path, "w") as file:
        _encode(file, "anndata", "0.1.0")
        _write_array(file, "X", embedding.vectors)
        _write_frame(file, "obs", embedding.ids, obs)
        features = np.array([f"f{i}" for i in range(embedding.n_features)], dtype=np.str_)
        _write_frame(file, "var", features, {})
        obsm = _encode(file.create_group("obsm"), "dict", "0.1.0")
        if embedding.positions is not None:
            _write_array(obsm, _POSITIONS, embedding.positions[:, ::-1])
        for key, named in maps.items():
            _write_array(obsm, key, np.stack([table[name] for name in named], axis=1))
        uns = _encode(file.create_group("uns"), "dict", "0.1.0")
        uns.create_dataset(METADATA_KEY, data=to_json(embedding, names), dtype=h5py.string_dtype())
        _encode(uns[METADATA_KEY], "string", "0.2.0")


def _maps_of(table: Columns) -> dict[str, list[str]]:
    """Return the columns that are maps, by their names in AnnData."""
    numbers = [name for name, values in table.items() if values.dtype.kind == "f"]
    maps = {key: numbered(numbers, name) for key, name in MAPS.items()}
    return {key: names for key, names in maps.items() if len(names) > 1}


def _encode(element: Any, kind: str, version: str) -> Any:
    element.attrs["encoding-type"] = kind
    element.attrs["encoding-version"] = version
    return element


def _write_array(group: Any, name: str, values: npt.NDArray[Any]) -> None:
    group.create_dataset(name, data=values)
    _encode(group[name], "array", "0.2.0")


def _write_texts(group: Any, name: str, values: npt.NDArray[np.str_]) -> None:
    import h5py

    group.create_dataset(name, data=values.astype(object), dtype=h5py.string_dtype())
    _encode(group[name], "string-array", "0.2.0")


def _write_frame(file: Any, name: str, index: npt.NDArray[np.str_], columns: Columns) -> None:
    frame = _encode(file.create_group(name), "dataframe", "0.2.0")
    frame.attrs[_INDEX] = _INDEX
    frame.attrs.create("column-order", np.array(list(columns), dtype=object), dtype=_text_type())
    _write_texts(frame, _INDEX, index)
    for column, values in columns.items():
        if values.dtype.kind == "U":
            _write_categories(frame, column, values)
        else:
            _write_array(frame, column, values)


def _text_type() -> Any:
    import h5py

    return h5py.string_dtype()


def _write_categories(frame: Any, name: str, values: npt.NDArray[np.str_]) -> None:
    """Write text as categories, by which scanpy colours, and which take little room."""
    import pyarrow as pa

    encoded = pa.array(values, pa.large_string()).dictionary_encode()
    group = _encode(frame.create_group(name), "categorical", "0.2.0")
    group.attrs["ordered"] = False
    _write_array(group, "codes", encoded.indices.to_numpy())
    _write_texts(group, "categories", np.asarray(encoded.dictionary.to_numpy(False), np.str_))
