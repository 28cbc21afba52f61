"""The chunks of an IMOD model, looked through before the library reads them.

The library takes sizes as they stand and looks for the end of a file that has none for ever.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

from imodmodel.binary_specification import ModFileSpecification as Layout

from napari_cryoml._errors import InputError

_COUNT = struct.Struct(">i")


def check_chunks(content: bytes, path: Path) -> None:
    """Raise InputError unless all chunks lie within the file and the last one is its end.

    Parameters
    ----------
    content : bytes
        The whole file.
    path : Path
        For the message.
    """
    place = _size(Layout.ID) + _size(Layout.MODEL_HEADER)
    n_points = 0
    while (name := content[place : place + 4]) != b"IEOF":
        if len(name) < 4:
            raise InputError(
                f"{path} is a damaged IMOD model: it ends at byte {len(content)} without the mark "
                "of its end; copy it again."
            )
        place += 4
        if name == b"CONT":
            n_points = _count(content, place)
        length = _LENGTHS.get(name, _told)(content, place, n_points)
        if length < 0 or place + length > len(content):
            raise InputError(
                f"{path} is a damaged IMOD model: its part {name!r} at byte {place} does not fit "
                "into the file; copy it again."
            )
        place += length


def _size(layout: dict[str, str]) -> int:
    return struct.calcsize(">" + "".join(layout.values()))


def _count(content: bytes, place: int) -> int:
    """Return the number at a place; -1 beyond the end, and for numbers below 0."""
    if place + _COUNT.size > len(content):
        return -1
    return max(int(_COUNT.unpack_from(content, place)[0]), -1)


def _told(content: bytes, place: int, n_points: int) -> int:
    """Return the length of a chunk that begins with it."""
    length = _count(content, place)
    return length if length < 0 else _COUNT.size + length


def _contour(content: bytes, place: int, n_points: int) -> int:
    return -1 if n_points < 0 else _size(Layout.CONTOUR_HEADER) + 12 * n_points


def _mesh(content: bytes, place: int, n_points: int) -> int:
    vertices, indices = _count(content, place), _count(content, place + _COUNT.size)
    if min(vertices, indices) < 0:
        return -1
    return _size(Layout.MESH_HEADER) + 12 * vertices + 4 * indices


def _sizes(content: bytes, place: int, n_points: int) -> int:
    return _COUNT.size + 4 * n_points


def _fixed(length: int) -> Callable[[bytes, int, int], int]:
    return lambda content, place, n_points: length


_LENGTHS: dict[bytes, Callable[[bytes, int, int], int]] = {
    b"OBJT": _fixed(_size(Layout.OBJECT_HEADER)),
    b"IMAT": _fixed(_COUNT.size + _size(Layout.IMAT)),
    b"MINX": _fixed(_COUNT.size + _size(Layout.MINX)),
    b"SLAN": _fixed(_COUNT.size + _size(Layout.SLAN)),
    b"CONT": _contour,
    b"MESH": _mesh,
    b"SIZE": _sizes,
}
"""By name, how many bytes the library reads; it trusts a length that is told for all others."""
