"""Whole messages over a pipe: eight bytes of length, then the bytes."""

from __future__ import annotations

import struct
from io import RawIOBase
from typing import IO, TypeAlias

# Unbuffered: a thread that waits in a buffered file holds its lock, on which the interpreter
# would stumble when it shuts down.
Pipe: TypeAlias = RawIOBase | IO[bytes]

_LENGTH = struct.Struct("!Q")


def send(pipe: Pipe, message: bytes) -> None:
    """Write one message; waits while the pipe is full."""
    # Two writes would let a reader wake for eight bytes; one large copy would cost memory.
    _write(pipe, _LENGTH.pack(len(message)))
    _write(pipe, message)


def receive(pipe: Pipe) -> bytes:
    """Return the next message.

    Raises
    ------
    EOFError
        If the other side has closed the pipe or has gone.
    """
    (length,) = _LENGTH.unpack(_read(pipe, _LENGTH.size))
    return _read(pipe, length)


def _write(pipe: Pipe, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[pipe.write(rest) or 0 :]


def _read(pipe: Pipe, size: int) -> bytes:
    data = bytearray(size)
    rest = memoryview(data)
    while rest:
        count = pipe.readinto(rest)  # type: ignore[union-attr]
        if not count:
            raise EOFError("the other side has closed the pipe")
        rest = rest[count:]
    return bytes(data)
