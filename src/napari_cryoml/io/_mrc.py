"""MRC files: memory-mapped where they are plain, unpacked once where they are compressed."""

from __future__ import annotations

import bz2
import gzip
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.io._decoded import DECODED
from napari_cryoml.io._formats._files import to_disk
from napari_cryoml.io._image_format import ImageFormat, ImageInfo
from napari_cryoml.io._mrc_header import HEADER_BYTES, MrcHeader, parse_mrc_header

_PLAIN_SUFFIXES = (".mrc", ".mrcs", ".rec", ".st", ".map", ".ccp4")
_STACK_SUFFIXES = (".mrcs", ".st")
_PACKERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open}
_TOLERANCE = 0.01


def _inspect(path: Path) -> ImageInfo:
    header = _header(path)
    is_stack = _plain_suffix(path) in _STACK_SUFFIXES
    if header.n_volumes > 1:
        raise InputError(
            f"{path.name} holds {header.n_volumes} volumes; one image or one volume a file was "
            "expected: save the volumes one by one."
        )
    remarks = header.remarks + _voxel_remarks(header, is_stack)
    return ImageInfo(_shape(header, is_stack), header.voxel[0] or None, is_stack, remarks)


def _load(path: Path) -> npt.NDArray[Any]:
    header = _header(path)
    stored = DECODED.get(path, _unpack) if _packer(path) else _map(path, header)
    zyx = stored.transpose(header.to_zyx)
    return zyx.reshape(_shape(header, _plain_suffix(path) in _STACK_SUFFIXES))


MRC = ImageFormat(
    label="MRC",
    suffixes=tuple(s + packed for packed in ("", ".gz", ".bz2") for s in _PLAIN_SUFFIXES),
    inspect=_inspect,
    load=_load,
)


def load_boxes(path: Path) -> tuple[npt.NDArray[Any], float | None]:
    """Return the images or volumes of an MRC file, memory-mapped, and their pixel size.

    A volume stack is one by its space group (401 to 630), or because ``mz`` divides its sections
    into cubes. Other files named .mrcs or .st hold images, and the rest one image or volume.

    Returns
    -------
    array of shape (n, y, x) or (n, z, y, x)
        As stored.
    float or None
        Angstrom per pixel along x.
    """
    header = _header(path)
    stored = DECODED.get(path, _unpack) if _packer(path) else _map(path, header)
    depth = header.box_depth
    if depth and header.to_zyx == (0, 1, 2):
        boxes = stored.reshape(-1, depth, *header.stored_shape[1:])
    elif _plain_suffix(path) in _STACK_SUFFIXES:
        boxes = stored.transpose(header.to_zyx)
    else:
        boxes = stored.transpose(header.to_zyx).reshape(1, *_shape(header, False))
    return boxes, header.voxel[0] or None


def _shape(header: MrcHeader, is_stack: bool) -> tuple[int, ...]:
    return header.shape if is_stack or header.shape[0] > 1 else header.shape[1:]


def _plain_suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() if suffix in (".gz", ".bz2") else suffix


def _packer(path: Path) -> Any | None:
    """Return the function that opens a compressed file, by its content rather than its name."""
    with path.open("rb") as file:
        start = file.read(3)
    return next((opener for magic, opener in _PACKERS.items() if start.startswith(magic)), None)


def _header(path: Path) -> MrcHeader:
    packer = _packer(path)
    with (packer or open)(path, "rb") as file:
        header = parse_mrc_header(file.read(HEADER_BYTES), path.name)
    return header if packer else _check_size(header, path)


def _check_size(header: MrcHeader, path: Path) -> MrcHeader:
    """Return the header, mended where only the extended header is missing."""
    size = path.stat().st_size
    if header.offset > HEADER_BYTES and size == HEADER_BYTES + header.n_bytes:
        remark = "announces an extended header that is not there; the pixels follow at once"
        return replace(header, offset=HEADER_BYTES, remarks=(*header.remarks, remark))
    surplus = size - header.offset - header.n_bytes
    if surplus < 0:
        raise InputError(_cut_short(header, path, size))
    if surplus > 0:
        remark = f"holds {surplus} bytes more than its header announces; they are ignored"
        return replace(header, remarks=(*header.remarks, remark))
    return header


def _cut_short(header: MrcHeader, path: Path, size: int) -> str:
    shape = " x ".join(str(length) for length in header.stored_shape)
    return (
        f"{path.name} is cut short: its header announces {shape} pixels of {header.dtype.name} "
        f"({header.offset + header.n_bytes} bytes), the file holds {size}; copy it again."
    )


def _voxel_remarks(header: MrcHeader, is_stack: bool) -> tuple[str, ...]:
    x, y, z = header.voxel
    others = (y,) if is_stack or header.shape[0] == 1 else (y, z)
    if x and any(other and abs(other / x - 1) > _TOLERANCE for other in others):
        return (f"has voxels of {x:.4g} x {y:.4g} x {z:.4g} angstrom; the size along x is used",)
    return ()


def _map(path: Path, header: MrcHeader) -> npt.NDArray[Any]:
    return np.memmap(
        path, dtype=header.dtype, mode="r", offset=header.offset, shape=header.stored_shape
    )


def _unpack(path: Path) -> npt.NDArray[Any]:
    header = _header(path)
    with _packer(path)(path, "rb") as file:  # type: ignore[misc]
        file.seek(header.offset)
        raw = file.read(header.n_bytes)
    if len(raw) < header.n_bytes:
        raise InputError(_cut_short(header, path, header.offset + len(raw)))
    return np.frombuffer(raw, header.dtype).reshape(header.stored_shape)


def write_mrc(path: str | Path, array: npt.ArrayLike, pixel_size: float | None = None) -> Path:
    """Write an image or a volume as 32-bit MRC, whole or not at all.

    The file appears under its name only when it is complete; one that was there is replaced.

    Parameters
    ----------
    path : path
        Ends in .mrc, .rec, .map or .ccp4 (a 3-D array is one volume), or in .mrcs or .st (a stack).
    array : array of shape (y, x) or (z, y, x)
        Real numbers; stored as float32.
    pixel_size : float, optional
        Angstrom per pixel; the header says 0, unknown, by default.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the name, the array or the pixel size does not suit, or the file cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() not in _PLAIN_SUFFIXES:
        expected = ", ".join(_PLAIN_SUFFIXES)
        raise InputError(f"{target.name} cannot be an MRC file: end its name in {expected}.")
    if pixel_size is not None and not (np.isfinite(pixel_size) and pixel_size > 0):
        raise InputError(f"A pixel size is a positive number of angstrom; {pixel_size} was given.")
    pixels = _writable(array)
    with _replacing(target) as draft:
        _write(draft, pixels, pixel_size, is_stack=target.suffix.lower() in _STACK_SUFFIXES)
    return target


def _writable(array: npt.ArrayLike) -> npt.NDArray[np.float32]:
    pixels = np.asarray(array)
    if pixels.ndim not in (2, 3) or not pixels.size:
        raise InputError(
            f"An MRC file holds a 2-D image or a 3-D volume; shape {pixels.shape} was given."
        )
    if pixels.dtype.kind not in "biuf":
        raise InputError(f"An MRC file is written from real numbers; {pixels.dtype} was given.")
    return np.ascontiguousarray(pixels, dtype=np.float32)


def _write(
    path: Path, pixels: npt.NDArray[np.float32], pixel_size: float | None, is_stack: bool
) -> None:
    with warnings.catch_warnings():
        # The header's statistics are NaN where pixels are; that is no news to the user.
        warnings.simplefilter("ignore", RuntimeWarning)
        with mrcfile.new(path, overwrite=True) as file:
            file.set_data(pixels)
            if pixels.ndim == 3:
                file.set_image_stack() if is_stack else file.set_volume()
            if pixel_size is not None:
                file.voxel_size = pixel_size


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """Give a draft beside `target` that takes its place when all went well."""
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield draft
        to_disk(draft)
        draft.replace(target)
    except OSError as error:
        raise InputError(
            f"{target} cannot be written ({error.strerror or error}): "
            "check the folder, its permissions and the free space."
        ) from error
    finally:
        draft.unlink(missing_ok=True)
