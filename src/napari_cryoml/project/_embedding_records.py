"""The embeddings of a project, and what was worked out from them."""

from __future__ import annotations

import tempfile
import threading
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import Embedding
from napari_cryoml.project._entries import JSON, EmbeddingEntry
from napari_cryoml.project._packing import (
    checked,
    dump,
    dump_time,
    load_mapping,
    load_time,
    now,
    pack,
    pack_texts,
    unpack,
    unpack_texts,
)
from napari_cryoml.project._result_records import ResultRecords
from napari_cryoml.project._store import Row

_WHOLE = (
    "SELECT id, made, name, n_rows, n_features, provenance FROM embeddings WHERE n_parts = "
    "(SELECT count(*) FROM embedding_parts WHERE embedding = embeddings.id)"
)
_PART_BYTES = 2**22
"""Each part is committed by itself, so that others can use the project in between."""

# Whoever adds an embedding clears away what one that was killed has left behind.
_ADDING = threading.Lock()

_FILE = "embedding.parquet"
_KINDS = {"f": "<f4", "i": "<i4", "u": "<i4", "b": "|b1"}
_TEXT = "text"


class EmbeddingRecords(ResultRecords):
    """Embeddings by number; vectors never change, columns come and are replaced."""

    def add_embedding(self, name: str, embedding: Embedding) -> int:
        """Keep an embedding, and return its number; from any thread.

        Parameters
        ----------
        name : str
            What to call it in lists; need not be unique.
        embedding : Embedding

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        from napari_cryoml.io import write_embedding

        with tempfile.TemporaryDirectory() as folder, _ADDING:
            path = write_embedding(embedding, Path(folder) / _FILE)
            number = self._begin_embedding(name, embedding, -(-path.stat().st_size // _PART_BYTES))
            for part, content in enumerate(_parts(path)):
                self._store.write(
                    "INSERT INTO embedding_parts (embedding, part, content) VALUES (?, ?, ?)",
                    number,
                    part,
                    content,
                )
        return number

    def _begin_embedding(self, name: str, embedding: Embedding, n_parts: int) -> int:
        with self._store.transaction():
            whole = {entry.id for entry in self.embeddings()}
            for (number,) in self._store.rows("SELECT id FROM embeddings"):
                if number not in whole:
                    self._forget(number)
            return self._store.write(
                "INSERT INTO embeddings (made, name, n_rows, n_features, n_parts, provenance) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                dump_time(now()),
                str(name),
                len(embedding),
                embedding.n_features,
                n_parts,
                dump(dict(embedding.provenance)),
            )

    def embeddings(self) -> list[EmbeddingEntry]:
        """Return what is known of all embeddings, oldest first."""
        return [self._embedding(row) for row in self._store.rows(f"{_WHOLE} ORDER BY id")]

    def embedding_entry(self, number: int) -> EmbeddingEntry:
        """Return what is known of one embedding.

        Raises
        ------
        InputError
            If there is none of this number.
        """
        row = self._store.row(f"{_WHOLE} AND id = ?", number)
        if row is None:
            raise InputError(f"There is no embedding {number} in the project: choose one that is.")
        return self._embedding(row)

    def embedding(self, number: int) -> Embedding:
        """Return an embedding, with the columns that were added in its table; from any thread.

        Raises
        ------
        InputError
            If there is none of this number, or it is damaged.
        """
        entry = self.embedding_entry(number)
        found = self._read_embedding(entry)
        with checked(f"The embedding {entry.name!r}", self._store.path):
            if len(found) != entry.n_rows:
                raise ValueError(f"{len(found)} rows in place of {entry.n_rows}")
        return found.with_columns(**self._embedding_columns(entry))

    def set_embedding_columns(
        self,
        number: int,
        columns: Mapping[str, npt.NDArray[Any] | None],
        note: Mapping[str, JSON] | None = None,
    ) -> None:
        """Keep what was worked out from an embedding, in place of columns of the same names.

        All columns are kept or none. Numbers are kept as float32 or int32.

        Parameters
        ----------
        number : int
        columns : mapping of str to array of shape (n,) or None
            Numbers, bool or str; None takes a column away.
        note : mapping, optional
            How they were made, as JSON takes it: method, options, seed.

        Raises
        ------
        InputError
            If there is no such embedding, a column has another length, or the file cannot be
            written.
        """
        entry = self.embedding_entry(number)
        packed = {
            name: _packed(name, values, entry.n_rows)
            for name, values in columns.items()
            if values is not None
        }
        with self._store.transaction():
            for name in columns:
                self._store.write(
                    "DELETE FROM embedding_columns WHERE embedding = ? AND name = ?", number, name
                )
            self._store.write_all(
                "INSERT INTO embedding_columns (embedding, name, kind, note, content) "
                "VALUES (?, ?, ?, ?, ?)",
                [
                    (number, name, kind, dump(dict(note or {})), content)
                    for name, (kind, content) in packed.items()
                ],
            )

    def remove_embedding(self, number: int) -> None:
        """Forget an embedding and its columns; classes of its rows stay.

        Raises
        ------
        InputError
            If there is none of this number, or the file cannot be written.
        """
        self.embedding_entry(number)
        self._forget(number)

    def _forget(self, number: int) -> None:
        # Without its first part it is gone already; to free the space takes a second per 100 MB.
        parts = "SELECT part FROM embedding_parts WHERE embedding = ? ORDER BY part"
        for (part,) in self._store.rows(parts, number):
            self._store.write(
                "DELETE FROM embedding_parts WHERE embedding = ? AND part = ?", number, part
            )
        with self._store.transaction():
            self._store.write("DELETE FROM embedding_columns WHERE embedding = ?", number)
            self._store.write("DELETE FROM embeddings WHERE id = ?", number)

    def _embedding(self, row: Row) -> EmbeddingEntry:
        number, made, name, n_rows, n_features, provenance = row
        notes = self._store.rows(
            "SELECT name, note FROM embedding_columns WHERE embedding = ? ORDER BY id", number
        )
        with checked("The list of embeddings", self._store.path):
            return EmbeddingEntry(
                id=number,
                made=load_time(made),
                name=str(name),
                n_rows=int(n_rows),
                n_features=int(n_features),
                provenance=load_mapping(provenance),
                columns={str(column): load_mapping(note) for column, note in notes},
            )

    def _read_embedding(self, entry: EmbeddingEntry) -> Embedding:
        from napari_cryoml.io import read_embedding

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / _FILE
            self._write_parts(entry, path)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error", InputWarning)
                    return read_embedding(path)
            except (InputError, InputWarning) as error:
                raise InputError(
                    f"The embedding {entry.name!r} in the project {self._store.path} is damaged: "
                    "use a backup copy, or make it again."
                ) from error

    def _write_parts(self, entry: EmbeddingEntry, path: Path) -> None:
        parts = self._store.rows(
            "SELECT part FROM embedding_parts WHERE embedding = ? ORDER BY part", entry.id
        )
        with path.open("wb") as file:
            for (part,) in parts:
                row = self._store.row(
                    "SELECT content FROM embedding_parts WHERE embedding = ? AND part = ?",
                    entry.id,
                    part,
                )
                with checked(f"The embedding {entry.name!r}", self._store.path):
                    file.write(row[0] if row is not None else b"")

    def _embedding_columns(self, entry: EmbeddingEntry) -> dict[str, npt.NDArray[Any]]:
        rows = self._store.rows(
            "SELECT name, kind, content FROM embedding_columns WHERE embedding = ? ORDER BY id",
            entry.id,
        )
        columns = {}
        for name, kind, content in rows:
            with checked(f"Column {name!r} of the embedding {entry.name!r}", self._store.path):
                columns[str(name)] = _unpacked(kind, content, entry.n_rows)
        return columns


def _parts(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(_PART_BYTES):
            yield part


def _packed(name: str, values: npt.NDArray[Any], n_rows: int) -> tuple[str, bytes]:
    """Return the kind of a column and its bytes."""
    array = np.asarray(values)
    if array.shape != (n_rows,):
        raise InputError(
            f"Column {name!r} has the shape {array.shape}; the embedding needs one value for each "
            f"of its {n_rows} rows."
        )
    kind = _KINDS.get(array.dtype.kind, _TEXT)
    if kind == _TEXT:
        # Of a million names a handful differ.
        different, codes = np.unique(array.astype(np.str_), return_inverse=True)
        return _TEXT, pack_texts(different.tolist()) + pack(codes, np.dtype("<i4"))
    limit = np.iinfo(np.int32)
    wide = kind == "<i4" and array.size and (array.min() < limit.min or array.max() > limit.max)
    kind = "<i8" if wide else kind
    return kind, pack(array, np.dtype(kind))


def _unpacked(kind: str, content: bytes, n_rows: int) -> npt.NDArray[Any]:
    if kind != _TEXT:
        if kind not in (*_KINDS.values(), "<i8"):
            raise ValueError(f"a column cannot be of the kind {kind!r}")
        return unpack(content, np.dtype(kind), (n_rows,))
    codes_bytes = 4 * n_rows
    texts = np.array(unpack_texts(content[: len(content) - codes_bytes]), np.str_)
    codes = unpack(content[len(content) - codes_bytes :], np.dtype("<i4"), (n_rows,))
    if n_rows and not 0 <= codes.min() <= codes.max() < len(texts):
        raise ValueError("a code stands for no text")
    return np.asarray(texts[codes] if n_rows else np.empty(0, np.str_))
