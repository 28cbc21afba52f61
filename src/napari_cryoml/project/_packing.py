"""Values to bytes and text, and back with every claim checked."""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError

# Bare little-endian numbers with the shape in another column: nothing to parse, and a wrong
# length is seen at once.
POSITION = np.dtype("<f8")
ROTATION = np.dtype("<f8")
SCORE = np.dtype("<f4")
MAP_SCORE = np.dtype("<f2")

_NO_ROTATION = 1e-3  # so far from the identity may a matrix times its transpose be

TEXTS_LIMIT = 2**29
"""Bytes of a list of texts: a small file may not ask for all memory."""


@contextlib.contextmanager
def checked(what: str, path: Path) -> Iterator[None]:
    """Say which part of the file is damaged if the block cannot make sense of it."""
    try:
        yield
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise InputError(
            f"{what} in the project {path} is damaged: use a backup copy, or make it again."
        ) from error


def pack(array: npt.ArrayLike, dtype: np.dtype[Any]) -> bytes:
    """Return the numbers of an array, in C order."""
    return np.ascontiguousarray(array, dtype=dtype).tobytes()


def unpack(data: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Return the array of `pack`; one axis of `shape` may be -1.

    Raises
    ------
    ValueError, TypeError
        If the bytes do not fit the shape.
    """
    return np.frombuffer(data, dtype=dtype).reshape(shape).astype(dtype.newbyteorder("="))


def unpack_rotations(data: Any) -> npt.NDArray[np.float64]:
    """Return the matrices that `pack` has packed, shape (n, 3, 3); NaN where one is not known.

    Raises
    ------
    ValueError, TypeError
        If a known one is no rotation.
    """
    rotations = unpack(data, ROTATION, (-1, 3, 3))
    known = rotations[np.isfinite(rotations).all(axis=(1, 2))]
    if not np.allclose(known @ known.transpose(0, 2, 1), np.eye(3), atol=_NO_ROTATION):
        raise ValueError("a matrix is no rotation")
    return rotations


def dump(value: Any) -> str:
    """Return a value as JSON."""
    return json.dumps(value, ensure_ascii=False)


def load_shape(text: str) -> tuple[int, ...]:
    """Return the image shape that a JSON list says.

    Raises
    ------
    ValueError
        If it is not the shape of an image.
    """
    shape = json.loads(text)
    sound = isinstance(shape, list) and len(shape) in (2, 3)
    if not sound or not all(isinstance(n, int) and n > 0 for n in shape):
        raise ValueError(f"{text!r} is not the shape of an image")
    return tuple(shape)


def load_mapping(text: str) -> dict[str, Any]:
    """Return the JSON object in `text`.

    Raises
    ------
    ValueError
        If it is something else.
    """
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(f"{text!r} is not a mapping")
    return value


def load_vector(text: str, length: int) -> npt.NDArray[np.float64]:
    """Return `length` finite numbers from a JSON list.

    Raises
    ------
    ValueError
        If it is something else.
    """
    vector = np.asarray(json.loads(text), dtype=np.float64)
    if vector.shape != (length,) or not np.isfinite(vector).all():
        raise ValueError(f"{text!r} is not {length} numbers")
    return vector


def dump_columns(columns: Mapping[str, npt.NDArray[Any]]) -> str:
    """Return columns of numbers, booleans or text as JSON."""
    packed = {}
    for name, values in columns.items():
        array = np.asarray(values)
        kind = array.dtype.kind
        code = array.dtype.str if kind in "biuf" else "text"
        packed[name] = [code, array.tolist() if code != "text" else [str(v) for v in array]]
    return dump(packed)


def load_columns(text: str) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of `dump_columns`.

    Raises
    ------
    ValueError, TypeError
        If it is something else.
    """
    columns = {}
    for name, (code, values) in load_mapping(text).items():
        dtype = np.dtype(str if code == "text" else code)
        if dtype.kind not in "biufU":
            raise ValueError(f"column {name!r} cannot be of type {code!r}")
        columns[name] = np.array(values, dtype=dtype)
    return columns


def now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)


def dump_time(time: datetime) -> str:
    """Return a time as text that sorts; a time without zone is taken as local."""
    return time.astimezone(UTC).isoformat()


def load_time(text: str) -> datetime:
    """Return the time of `dump_time`."""
    return datetime.fromisoformat(text)


def pack_texts(texts: Sequence[str]) -> bytes:
    """Return texts in few bytes."""
    return zlib.compress(json.dumps(list(texts)).encode(), 1)


def unpack_texts(data: bytes, length: int | None = None) -> list[str]:
    """Return the texts of `pack_texts`.

    Parameters
    ----------
    data : bytes
    length : int, optional
        How many there must be.

    Raises
    ------
    ValueError, TypeError
        If it is something else, or far more than any embedding has.
    """
    pump = zlib.decompressobj()
    try:
        text = pump.decompress(data, TEXTS_LIMIT)
    except zlib.error as error:
        raise ValueError("texts are not readable") from error
    if not pump.eof:
        raise ValueError("texts are cut or too long")
    texts = json.loads(text)
    if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
        raise ValueError("a list of texts was expected")
    if length is not None and len(texts) != length:
        raise ValueError(f"{len(texts)} texts in place of {length}")
    return texts
