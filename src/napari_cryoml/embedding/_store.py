"""Vectors in a file that grows while they are made, and is read again after a break."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError

_KIND = "napari-cryoml vectors"
_ROW = np.dtype("<i8")
_NUMBER = np.dtype("<f2")
_RECORD = struct.Struct("<III")  # rows, features, checksum of what follows
_LONGEST_HEADER = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Vectors that a file holds.

    Parameters
    ----------
    rows : array of shape (k,)
        Numbers of the crops.
    vectors : array of shape (k, d), float16
    """

    rows: npt.NDArray[np.intp]
    vectors: npt.NDArray[np.float16]


class VectorStore:
    """A file of vectors, to which those of some crops are added at a time.

    A line of JSON says what the vectors are of; each record behind it has a checksum. What a
    killed process left half written is found when the file is opened, and cut off.

    Parameters
    ----------
    path : Path
        Made if it does not exist.
    digest : str
        Changes with all that the vectors depend on. A file of another digest is begun anew.

    Raises
    ------
    InputError
        If there is a file that is none of ours, or it cannot be read or written.
    """

    def __init__(self, path: Path, digest: str) -> None:
        self._path = path
        self.note = ""
        """What was found, where the user should know."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = path.open("r+b" if path.exists() else "w+b")
        except OSError as error:
            raise self._refusal(error) from error
        try:
            self.kept = self._opened(digest)
            """What the file held when it was opened."""
        except OSError as error:
            self._file.close()
            raise self._refusal(error) from error
        except InputError:
            self._file.close()
            raise

    def add(self, rows: npt.NDArray[np.intp], vectors: npt.NDArray[np.float16]) -> None:
        """Write the vectors (k, d) of crops `rows` (k,), so that a kill afterwards cannot undo it.

        Raises
        ------
        InputError
            If the disk is full.
        """
        content = rows.astype(_ROW).tobytes() + vectors.astype(_NUMBER).tobytes()
        try:
            self._file.write(_RECORD.pack(*vectors.shape, zlib.crc32(content)) + content)
            self._file.flush()
        except OSError as error:
            raise self._refusal(error) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> VectorStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _opened(self, digest: str) -> Kept:
        header = self._file.readline(_LONGEST_HEADER)
        if not header:
            return self._begun(digest)
        found = self._digest_in(header)
        if found != digest:
            self.note = f"{self._path} held vectors of other crops or options; it was begun anew."
            return self._begun(digest)
        kept = self._records()
        end, size = self._file.tell(), self._path.stat().st_size
        if end < size:
            self.note = (
                f"The end of {self._path} was damaged and was cut off; {len(kept.rows)} vectors "
                "were kept."
            )
            self._file.truncate(end)
        return kept

    def _digest_in(self, header: bytes) -> str:
        try:
            values = json.loads(header)
            if values["kind"] == _KIND:
                return str(values["digest"])
        except (ValueError, KeyError, TypeError):
            pass
        raise InputError(
            f"{self._path} is there already and holds no vectors of ours: name another file to "
            "keep vectors in."
        )

    def _begun(self, digest: str) -> Kept:
        self._file.seek(0)
        self._file.truncate()
        self._file.write(json.dumps({"kind": _KIND, "digest": digest}).encode() + b"\n")
        self._file.flush()
        return Kept(np.empty(0, np.intp), np.empty((0, 0), np.float16))

    def _records(self) -> Kept:
        """Return what is whole, and leave the file at its end."""
        rows = [np.empty(0, np.intp)]
        vectors: list[npt.NDArray[np.float16]] = []
        end = self._file.tell()
        while (record := self._record()) is not None:
            if vectors and vectors[0].shape[1] != record.vectors.shape[1]:
                break
            rows.append(record.rows)
            vectors.append(record.vectors)
            end = self._file.tell()
        self._file.seek(end)
        together = np.concatenate(vectors) if vectors else np.empty((0, 0), np.float16)
        return Kept(np.concatenate(rows), together)

    def _record(self) -> Kept | None:
        """Return the next record, or None where there is no whole one."""
        head = self._file.read(_RECORD.size)
        if len(head) < _RECORD.size:
            return None
        n, d, checksum = _RECORD.unpack(head)
        n_bytes = n * (_ROW.itemsize + d * _NUMBER.itemsize)
        if n_bytes > self._path.stat().st_size:
            return None  # damaged: a length that cannot be
        content = self._file.read(n_bytes)
        if len(content) < n_bytes or zlib.crc32(content) != checksum:
            return None
        rows = np.frombuffer(content, _ROW, n).astype(np.intp)
        vectors = np.frombuffer(content, _NUMBER, n * d, n * _ROW.itemsize)
        return Kept(rows, vectors.reshape(n, d).astype(np.float16))

    def _refusal(self, error: OSError) -> InputError:
        return InputError(
            f"Vectors cannot be kept in {self._path} ({error.strerror or error}): name another "
            "file, or free some room there."
        )
