"""The 1024 bytes in front of MRC data, read with forgiveness."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, prod
from typing import Any

import numpy as np
from mrcfile.dtypes import HEADER_DTYPE
from mrcfile.utils import dtype_from_mode

from napari_cryoml._errors import InputError

HEADER_BYTES = 1024
_READABLE_MODES = frozenset({0, 1, 2, 4, 6, 12})
_KNOWN_MODES = _READABLE_MODES | {3, 16, 101}
_MAX_LENGTH = 1_000_000
_MAP_OFFSET = 208
_MACHINE_STAMP_OFFSET = 212
_BIG_ENDIAN_STAMP = 0x11
_IMOD_OFFSET = 152
_IMOD_STAMP = 1146047817
_IMOD_SIGNED_BYTES = 1
_VOLUME_STACK_SPACE_GROUPS = range(401, 631)


@dataclass(frozen=True, slots=True)
class MrcHeader:
    """Where the pixels of an MRC file lie and what they mean.

    Parameters
    ----------
    dtype : dtype
        As stored, with its byte order.
    stored_shape : tuple of 3 int
        Sections, rows, columns.
    to_zyx : tuple of 3 int
        Transposition of the stored axes to z, y, x.
    voxel : tuple of 3 float
        Angstrom per pixel along x, y, z; 0 where unset.
    offset : int
        Bytes in front of the pixels.
    n_volumes : int
        More than one for a stack of volumes.
    box_depth : int
        Sections of each volume of a stack, 0 if it is none: by the space group, or else by ``mz``
        where that cuts the sections into cubes.
    remarks : tuple of str
        Oddities that were mended.
    """

    dtype: np.dtype[Any]
    stored_shape: tuple[int, int, int]
    to_zyx: tuple[int, ...]
    voxel: tuple[float, float, float]
    offset: int
    n_volumes: int
    box_depth: int
    remarks: tuple[str, ...]

    @property
    def n_bytes(self) -> int:
        """Bytes of the pixels."""
        return prod(self.stored_shape) * self.dtype.itemsize

    @property
    def shape(self) -> tuple[int, int, int]:
        """Pixels along z, y, x."""
        z, y, x = (self.stored_shape[axis] for axis in self.to_zyx)
        return z, y, x


def parse_mrc_header(raw: bytes, name: str) -> MrcHeader:
    """Return what the first 1024 bytes of an MRC file say.

    Follows MRC2014 (Cheng et al. 2015, J. Struct. Biol. 192, 146) with the extensions of IMOD for
    unsigned bytes and of RELION for mode 12. A missing MAP identifier, a wrong machine stamp and
    impossible axis orders are mended with a remark.

    Raises
    ------
    InputError
        If these bytes are no MRC header, or announce pixels that are not supported.
    """
    if len(raw) < HEADER_BYTES:
        found = "is empty" if not raw else f"holds {len(raw)} bytes"
        raise InputError(
            f"{name} is not an MRC file: a header of {HEADER_BYTES} bytes was expected, "
            f"the file {found}; copy it again."
        )
    remarks: list[str] = []
    order, header = _in_byte_order(raw, name, remarks)
    _check_mode(int(header["mode"]), name)
    return MrcHeader(
        dtype=_dtype(header, order, raw, remarks),
        stored_shape=_stored_shape(header),
        to_zyx=_transposition(header, remarks),
        voxel=_voxel(header),
        offset=HEADER_BYTES + _extended_bytes(header, remarks),
        n_volumes=_n_volumes(header),
        box_depth=_box_depth(header),
        remarks=tuple(remarks),
    )


def _in_byte_order(raw: bytes, name: str, remarks: list[str]) -> tuple[str, Any]:
    """Return the byte order and the header read in it."""
    stamped = ">" if raw[_MACHINE_STAMP_OFFSET] == _BIG_ENDIAN_STAMP else "<"
    orders = (stamped, "<" if stamped == ">" else ">")
    headers = {
        order: np.frombuffer(raw, HEADER_DTYPE.newbyteorder(order), count=1)[0] for order in orders
    }
    plausible = [order for order in orders if _is_plausible(headers[order])]
    if not plausible:
        raise InputError(_not_mrc(raw, name))
    if raw[_MAP_OFFSET : _MAP_OFFSET + 3] != b"MAP":
        remarks.append("lacks the MAP identifier of an MRC header and is read as MRC all the same")
    if plausible[0] != stamped:
        remarks.append("has a machine stamp that contradicts its byte order; the stamp is ignored")
    return plausible[0], headers[plausible[0]]


def _is_plausible(header: Any) -> bool:
    return int(header["mode"]) in _KNOWN_MODES and all(
        1 <= length <= _MAX_LENGTH for length in _stored_shape(header)
    )


def _not_mrc(raw: bytes, name: str) -> str:
    start = raw[:64]
    is_text = all(32 <= byte < 127 or byte in b"\t\r\n" for byte in start)
    found = "text was found" if is_text else "something else was found"
    return (
        f"{name} is not an MRC file: image sizes and a mode were expected in its first bytes, "
        f"{found}; give it the extension of its real format, or copy it again."
    )


def _stored_shape(header: Any) -> tuple[int, int, int]:
    return int(header["nz"]), int(header["ny"]), int(header["nx"])


def _check_mode(mode: int, name: str) -> None:
    if mode in _READABLE_MODES:
        return
    how = (
        "unpack it with 'newstack -mode 1' of IMOD"
        if mode == 101
        else "save it as mode 2 (32-bit float)"
    )
    raise InputError(f"{name} has MRC mode {mode}; modes 0, 1, 2, 4, 6 and 12 are read: {how}.")


def _dtype(header: Any, order: str, raw: bytes, remarks: list[str]) -> np.dtype[Any]:
    mode = int(header["mode"])
    if mode == 4:
        remarks.append("holds complex numbers; their modulus is used")
    if mode == 0 and _has_unsigned_bytes(raw):
        return np.dtype(np.uint8)
    return np.dtype(dtype_from_mode(mode)).newbyteorder(order)


def _has_unsigned_bytes(raw: bytes) -> bool:
    """Tell whether IMOD has written mode 0 as 0..255 (words 39 and 40 of the header)."""
    for order in ("<i4", ">i4"):
        stamp, flags = np.frombuffer(raw, order, count=2, offset=_IMOD_OFFSET)
        if stamp == _IMOD_STAMP:
            return not flags & _IMOD_SIGNED_BYTES
    return False


def _transposition(header: Any, remarks: list[str]) -> tuple[int, ...]:
    stored = [int(header[axis]) for axis in ("maps", "mapr", "mapc")]
    if stored in ([3, 2, 1], [0, 0, 0]):
        return (0, 1, 2)
    if sorted(stored) != [1, 2, 3]:
        remarks.append("has an impossible axis order; columns, rows and sections are x, y and z")
        return (0, 1, 2)
    remarks.append("stores its axes in an unusual order; they are turned to z, y, x")
    return tuple(stored.index(axis) for axis in (3, 2, 1))


def _voxel(header: Any) -> tuple[float, float, float]:
    x, y, z = (_length(header["cella"][axis], header["m" + axis]) for axis in "xyz")
    return x, y, z


def _length(cell_angstrom: float, samples: int) -> float:
    if samples <= 0:
        return 0.0
    length = float(cell_angstrom) / int(samples)
    return length if isfinite(length) and length > 0 else 0.0


def _extended_bytes(header: Any, remarks: list[str]) -> int:
    extended = int(header["nsymbt"])
    if extended < 0:
        remarks.append("gives a negative length of its extended header; it is taken as 0")
    return max(extended, 0)


def _n_volumes(header: Any) -> int:
    in_group = int(header["ispg"]) in _VOLUME_STACK_SPACE_GROUPS
    per_volume = int(header["mz"])
    return int(header["nz"]) // per_volume if in_group and per_volume > 0 else 1


def _box_depth(header: Any) -> int:
    sections, rows, columns = _stored_shape(header)
    depth = int(header["mz"])
    if depth <= 0 or sections % depth:
        return 0
    in_group = int(header["ispg"]) in _VOLUME_STACK_SPACE_GROUPS
    are_cubes = 1 < depth < sections and depth == rows == columns
    return depth if in_group or are_cubes else 0
