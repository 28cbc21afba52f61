"""Good files made bad, in the ways that disks, networks and people do."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

Mutation = Callable[[bytearray, np.random.Generator], bytearray]

_NUMBERS = (0, 1, -1, 2, 127, 128, 255, 2**15, 2**16 - 1, 2**31 - 1, -(2**31), 2**32 - 1)
_WORDS = (
    b"nan", b"inf", b"-inf", b"1e999", b"-1", b"0", b"99999999999999999999", b"<NA>", b"",
    b"'", b'"', b"loop_", b"data_", b"_", b"\x00", b"\xff\xfe", b"\n\n", b"\t", b",,", b"{",
    b"[[[[", b"../../etc/passwd", b"!!python/object:os.system", "µ".encode(), b"#",
)  # fmt: skip


def mutated(content: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    """Return a bad version of a good file.

    Parameters
    ----------
    content : bytes
    others : list of bytes
        Other good files of the format, parts of which may be put in.
    rng : numpy Generator
    """
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 4))):
        data = _MUTATIONS[rng.integers(len(_MUTATIONS))](data, rng)
    if others and rng.random() < 0.1:
        other = others[rng.integers(len(others))]
        cut = int(rng.integers(len(data) + 1))
        data = bytearray(bytes(data[:cut]) + other[int(rng.integers(len(other) + 1)) :])
    return bytes(data)


def _place(data: bytearray, rng: np.random.Generator) -> int:
    """Return a place, half of the time near the beginning, where headers are."""
    limit = min(len(data), 1100) if rng.random() < 0.5 else len(data)
    return int(rng.integers(limit)) if limit else 0


def _flip(data: bytearray, rng: np.random.Generator) -> bytearray:
    for _ in range(int(rng.integers(1, 6)) if data else 0):
        data[_place(data, rng)] ^= 1 << int(rng.integers(8))
    return data


def _cut_off(data: bytearray, rng: np.random.Generator) -> bytearray:
    return data[: int(rng.integers(len(data) + 1))]


def _take_out(data: bytearray, rng: np.random.Generator) -> bytearray:
    start = _place(data, rng)
    del data[start : start + int(rng.integers(1, 64))]
    return data


def _double(data: bytearray, rng: np.random.Generator) -> bytearray:
    start = _place(data, rng)
    data[start:start] = data[start : start + int(rng.integers(1, 64))]
    return data


def _number(data: bytearray, rng: np.random.Generator) -> bytearray:
    """Put an extreme number where a header may hold one."""
    value = _NUMBERS[rng.integers(len(_NUMBERS))]
    order = "<>"[rng.integers(2)]
    packed = struct.pack(f"{order}q", value)
    packed = packed[:4] if order == "<" else packed[4:]
    start = _place(data, rng) & ~3
    data[start : start + 4] = packed
    return data


def _float(data: bytearray, rng: np.random.Generator) -> bytearray:
    value = (np.nan, np.inf, -np.inf, 1e38, -1e-38, 0.0)[rng.integers(6)]
    start = _place(data, rng) & ~3
    data[start : start + 4] = struct.pack("<f", value)
    return data


def _word(data: bytearray, rng: np.random.Generator) -> bytearray:
    start = _place(data, rng)
    data[start : start + int(rng.integers(0, 8))] = _WORDS[rng.integers(len(_WORDS))]
    return data


def _line(data: bytearray, rng: np.random.Generator) -> bytearray:
    """Repeat, drop or swap lines."""
    lines = bytes(data).split(b"\n")
    one, two = (int(rng.integers(len(lines))) for _ in range(2))
    what = int(rng.integers(3))
    if what == 0:
        lines[one:one] = [lines[two]] * int(rng.integers(1, 50))
    elif what == 1:
        del lines[one]
    else:
        lines[one], lines[two] = lines[two], lines[one]
    return bytearray(b"\n".join(lines))


def _noise(data: bytearray, rng: np.random.Generator) -> bytearray:
    start = _place(data, rng)
    count = int(rng.integers(1, 32))
    data[start : start + count] = rng.bytes(count)
    return data


_MUTATIONS: tuple[Mutation, ...] = (
    _flip, _cut_off, _take_out, _double, _number, _number, _float, _word, _word, _line, _noise,
)  # fmt: skip
