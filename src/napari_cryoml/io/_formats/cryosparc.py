"""cryoSPARC .cs files: structured arrays, positions as fractions of the micrograph's shape."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io._formats import _rows
from napari_cryoml.io._formats._files import replacing, unreadable
from napari_cryoml.io._formats._format import Format, Hints

_X, _Y = "location/center_x_frac", "location/center_y_frac"
_SHAPE, _PATH = "location/micrograph_shape", "location/micrograph_path"
_PIXEL, _SCORE = "location/micrograph_psize_A", "pick_stats/ncc_score"
_UID, _IMAGE_UID = "uid", "location/micrograph_uid"
_SPENT = frozenset({_X, _Y, _PATH, _SCORE})
_NUMBER_IN_FRONT = re.compile(r"^(\d{15,21})_")


def read(path: Path, hints: Hints) -> PicksTable:
    """Read particle locations; every other field is kept.

    A fraction times the shape is the position in pixels, 0-based. cryoSPARC may hold the
    micrograph upside down with respect to other programs: `flip_y` mends that.
    """
    array = _load(path)
    _check_fields(array, path)
    shapes = array[_SHAPE].astype(np.float64).reshape(len(array), 2)
    positions = np.column_stack([array[_Y], array[_X]]).astype(np.float64) * shapes
    if not np.isfinite(positions).all():
        raise InputError(f"{path} holds particles without a location (not a number).")
    images = [_text(name) for name in array[_PATH]]
    scores = array[_SCORE].astype(np.float32) if _SCORE in _names(array) else None
    columns = {name: array[name].copy() for name in _names(array) if name not in _SPENT}
    rows = Picks("", positions, scores, hints.pixel_size, None, columns)
    picks = tuple(_with_pixel_size(one) for one in _rows.split_by_image(rows, images))
    if hints.image is not None and len(picks) == 1:
        picks = (replace(picks[0], image=hints.image),)
    return PicksTable(picks, {"cs": array[:0].copy()})


def write(table: PicksTable, path: Path, hints: Hints) -> list[Path]:
    """Write a .cs file; the fields of a .cs source are kept, new picks get the needed ones."""
    template = table.extra.get("cs")
    kept = template.dtype if isinstance(template, np.ndarray) else None
    parts = [_records(picks, hints, kept) for picks in table]
    dtype = _common_dtype(parts, kept)
    array = np.concatenate([np.empty(0, dtype), *(_as(part, dtype) for part in parts)])
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)
    return [path]


def _load(path: Path) -> npt.NDArray[Any]:
    try:
        array = np.load(path, allow_pickle=False)
    except OSError as error:
        raise unreadable(path, error) from None
    except Exception:
        raise InputError(
            f"{path} is not a whole .cs file of cryoSPARC, or holds Python objects, which are "
            "never unpacked: export it again."
        ) from None
    if not isinstance(array, np.ndarray) or array.dtype.names is None or array.ndim != 1:
        raise InputError(f"{path} is not a .cs file of cryoSPARC: it holds no table of fields.")
    return array


def _check_fields(array: npt.NDArray[Any], path: Path) -> None:
    missing = [name for name in (_X, _Y, _SHAPE, _PATH) if name not in _names(array)]
    if missing:
        raise InputError(
            f"{path} holds no particle locations (no {', '.join(missing)}): cryoSPARC keeps them "
            "in the passthrough .cs file of the same job, or in that of the picking job."
        )


def _names(array: npt.NDArray[Any]) -> tuple[str, ...]:
    return array.dtype.names or ()


def _text(value: Any) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.lstrip(">")


def _with_pixel_size(picks: Picks) -> Picks:
    sizes = picks.columns.get(_PIXEL)
    if picks.pixel_size is not None or sizes is None or not sizes[0] > 0:
        return picks
    return replace(picks, pixel_size=float(str(sizes[0])))


def _records(picks: Picks, hints: Hints, kept: np.dtype[Any] | None) -> npt.NDArray[Any]:
    shape = _shape(picks, hints)
    fields: dict[str, npt.NDArray[Any]] = _identity(picks) if kept is None else {}
    names: Sequence[str] = (kept.names or ()) if kept is not None else ()
    fields |= {name: picks.columns[name] for name in names if name in picks.columns}
    fields[_PATH] = np.full(len(picks), picks.image.encode())
    fields[_SHAPE] = np.tile(np.array(shape, np.uint32), (len(picks), 1))
    fields[_X] = (picks.positions[:, 1] / shape[1]).astype(np.float32)
    fields[_Y] = (picks.positions[:, 0] / shape[0]).astype(np.float32)
    pixel_size = picks.pixel_size or hints.pixel_size
    if pixel_size is not None:
        fields[_PIXEL] = np.full(len(picks), pixel_size, np.float32)
    if picks.scores is not None:
        fields[_SCORE] = picks.scores
    return _structured(fields, len(picks))


def _shape(picks: Picks, hints: Hints) -> tuple[int, ...]:
    known = picks.columns.get(_SHAPE)
    if known is not None and len(known) and hints.shape_of(picks.image) is None:
        return int(known[0][0]), int(known[0][1])
    why = "cryoSPARC keeps positions as fractions of the micrograph's shape"
    return hints.required_shape(picks.image, 2, why) if len(picks) else (1, 1)


def _identity(picks: Picks) -> dict[str, npt.NDArray[Any]]:
    """Return numbers that tell particles and micrographs apart, the same ones each time."""
    name = picks.image.replace("\\", "/").rsplit("/", 1)[-1]
    number = _NUMBER_IN_FRONT.match(name)
    image = int(number[1]) % 2**64 if number else _hash(name)
    uids = [
        _hash(f"{picks.image}/{row}/{p.tobytes().hex()}") for row, p in enumerate(picks.positions)
    ]
    return {
        _UID: np.array(uids, np.uint64),
        _IMAGE_UID: np.full(len(picks), image, np.uint64),
        "location/exp_group_id": np.zeros(len(picks), np.uint32),
    }


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _structured(fields: dict[str, npt.NDArray[Any]], n: int) -> npt.NDArray[Any]:
    array = np.zeros(n, [(name, v.dtype, v.shape[1:]) for name, v in fields.items()])
    for name, values in fields.items():
        array[name] = values
    return array


def _as(part: npt.NDArray[Any], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return records with the fields of `dtype`, by name; those that `part` lacks are 0."""
    array = np.zeros(len(part), dtype)
    for name in _names(part):
        array[name] = part[name]
    return array


def _common_dtype(parts: list[npt.NDArray[Any]], kept: np.dtype[Any] | None) -> np.dtype[Any]:
    """Return a dtype with the fields of all parts, the source's first and in its order."""
    fields: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {}
    for dtype in ([kept] if kept is not None else []) + [part.dtype for part in parts]:
        for name in dtype.names or ():
            base, shape = dtype[name].base, dtype[name].shape
            known = fields.get(name)
            fields[name] = (np.promote_types(known[0], base), shape) if known else (base, shape)
    return np.dtype([(name, base, shape) for name, (base, shape) in fields.items()])


FORMAT = Format(
    name="cryosparc",
    title="cryoSPARC .cs: fractions of the micrograph's shape, centres",
    suffixes=(".cs",),
    read=read,
    write=write,
    ndims=(2,),
    lengths=frozenset({_SHAPE}),
    directions=frozenset({"alignments2D/pose", "alignments3D/pose"}),
)
