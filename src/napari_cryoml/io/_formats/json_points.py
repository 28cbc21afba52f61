"""Point lists of copick (JSON, angstrom) and of the CZ cryoET data portal (ndjson, voxels)."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io._formats._classes import CLASS, texts_of
from napari_cryoml.io._formats._files import read_text, write_text
from napari_cryoml.io._formats._format import Format, Hints
from napari_cryoml.io._formats._json import (
    json_value,
    object_in,
    parse_object,
    point_columns,
    xyz_of,
)
from napari_cryoml.io._formats._json_poses import matrices_to_write, rotations_of
from napari_cryoml.io._names import stem

_TAKEN = frozenset({"location", "score"})
_COPICK_MATRIX, _PORTAL_MATRIX = "transformation_", "xyz_rotation_matrix"
_COPICK_CLASS = "pickable_object_name"
_COPICK_KEYS = frozenset({_COPICK_MATRIX, "instance_id"})
_PORTAL_KEYS = frozenset({"type", _PORTAL_MATRIX, "instance_id"})


def read_copick(path: Path, hints: Hints) -> PicksTable:
    """Read copick picks: angstrom, the centre of the first voxel at 0; the object is their class.

    The pixel size given by the caller wins over the file's ``voxel_spacing``: positions are in
    voxels of the tomogram that the caller looks at.
    """
    document = object_in(path)
    points = document.get("points")
    if not isinstance(points, list):
        raise InputError(f"{path} holds no list of 'points', where copick keeps its picks.")
    pixel_size = hints.pixel_size or document.get("voxel_spacing")
    if not isinstance(pixel_size, int | float) or pixel_size <= 0:
        raise InputError(
            f"{path} holds coordinates in angstrom and no voxel_spacing: give the pixel size of "
            "the tomogram (pixel_size)."
        )
    image = hints.image or str(document.get("run_name") or path.stem)
    picks = _turned(_picks(points, image, float(pixel_size), str(path)), _COPICK_MATRIX)
    picks = _named(picks, document.get(_COPICK_CLASS))
    header = {key: value for key, value in document.items() if key != "points"}
    return PicksTable((picks,), {"copick": {image: header}})


def write_copick(table: PicksTable, path: Path, hints: Hints) -> list[Path]:
    """Write copick picks of one tomogram; a class that all of them have names their object.

    Warns
    -----
    InputWarning
        If they are of several classes, which a file of copick's has no place for.
    """
    (picks,) = table
    pixel_size = picks.pixel_size or hints.pixel_size
    if pixel_size is None:
        raise InputError(
            f"copick keeps angstrom, and the pixel size of {picks.image!r} is not known: give "
            "pixel_size."
        )
    defaults = {"transformation_": np.eye(4).tolist(), "instance_id": 0, "score": 1.0}
    header = _header(table, picks.image) or {
        _COPICK_CLASS: "particle",
        "user_id": "napari-cryoml",
        "session_id": "0",
        "run_name": stem(picks.image),
        "voxel_spacing": pixel_size,
        "unit": "angstrom",
    }
    header |= _object_of(picks)
    keys = None if "copick" in table.extra else _COPICK_KEYS
    picks = replace(picks, columns={k: v for k, v in picks.columns.items() if k != CLASS})
    picks = _with_matrices(picks, _COPICK_MATRIX, 4)
    document = header | {"points": _points(picks, pixel_size, defaults, keys)}
    write_text(path, json.dumps(document, indent=1) + "\n")
    return [path]


def read_portal(path: Path, hints: Hints) -> PicksTable:
    """Read a portal annotation: one point a line, voxels of its tomogram, 0-based."""
    points = [
        parse_object(line, f"{path}, line {number}")
        for number, line in enumerate(read_text(path).splitlines(), start=1)
        if line.strip()
    ]
    image = hints.image or path.stem
    picks = _turned(_picks(points, image, None, str(path), hints), _PORTAL_MATRIX)
    return PicksTable((picks,), {"portal": {image: {}}})


def write_portal(table: PicksTable, path: Path, hints: Hints) -> list[Path]:
    """Write a portal annotation of one tomogram."""
    (picks,) = table
    picks = _with_matrices(picks, _PORTAL_MATRIX, 3)
    oriented = _PORTAL_MATRIX in picks.columns
    keys = None if "portal" in table.extra else _PORTAL_KEYS
    points = _points(picks, 1.0, {"type": "orientedPoint" if oriented else "point"}, keys)
    write_text(path, "".join(json.dumps(point) + "\n" for point in points))
    return [path]


def _picks(
    points: list[Any], image: str, voxel: float | None, where: str, hints: Hints | None = None
) -> Picks:
    zyx = np.array([xyz_of(point, where) for point in points]).reshape(-1, 3) / (voxel or 1.0)
    scores = [point.get("score") for point in points]
    scored = bool(scores) and all(isinstance(score, int | float) for score in scores)
    return Picks(
        image,
        zyx,
        np.array(scores, dtype=np.float32) if scored else None,
        voxel if hints is None else hints.pixel_size,
        None,
        point_columns(points, _TAKEN),
    )


def _named(picks: Picks, name: Any) -> Picks:
    if not isinstance(name, str) or not name:
        return picks
    return replace(picks, columns={**picks.columns, CLASS: np.full(len(picks), name)})


def _object_of(picks: Picks) -> dict[str, str]:
    names = set(texts_of(picks.columns.get(CLASS, ())).tolist())
    if len(names) > 1:
        warnings.warn(
            f"A copick file holds one object, and the picks of {picks.image!r} are of "
            f"{len(names)} classes, which are left out: write each class by itself.",
            InputWarning,
            stacklevel=2,
        )
    name = names.pop() if len(names) == 1 else ""
    return {_COPICK_CLASS: name} if name else {}


def _turned(picks: Picks, key: str) -> Picks:
    return replace(picks, rotations=rotations_of(picks.columns, key))


def _with_matrices(picks: Picks, key: str, side: int) -> Picks:
    return replace(picks, columns={**picks.columns, **matrices_to_write(picks, key, side)})


def _points(
    picks: Picks, scale: float, defaults: Mapping[str, Any], keys: frozenset[str] | None
) -> list[dict[str, Any]]:
    """Return picks as points; `keys` are the columns to keep, all if None."""
    columns = {k: v for k, v in picks.columns.items() if keys is None or k in keys}
    points: list[dict[str, Any]] = []
    for row, (z, y, x) in enumerate((picks.positions * scale).tolist()):
        point = {"location": {"x": x, "y": y, "z": z}, **defaults}
        further = {key: json_value(values[row]) for key, values in columns.items()}
        point |= {key: value for key, value in further.items() if value is not None}
        if picks.scores is not None:
            point["score"] = float(str(picks.scores[row]))
        points.append(point)
    return points


def _header(table: PicksTable, image: str) -> dict[str, Any]:
    kept = table.extra.get("copick", {})
    return dict(kept.get(image, {})) if isinstance(kept, Mapping) else {}


def is_copick(path: Path) -> bool:
    """Tell whether a JSON file is one of copick's."""
    return "points" in object_in(path)


COPICK_FORMAT = Format(
    name="copick",
    title="copick JSON: angstrom, centres, first voxel at 0",
    suffixes=(".json",),
    read=read_copick,
    write=write_copick,
    per_image=True,
    ndims=(3,),
    recognises=is_copick,
    directions=frozenset({_COPICK_MATRIX}),
    poses=True,
)

PORTAL_FORMAT = Format(
    name="portal",
    title="CZ cryoET data portal ndjson: voxels, centres, 0-based",
    suffixes=(".ndjson",),
    read=read_portal,
    write=write_portal,
    per_image=True,
    ndims=(3,),
    directions=frozenset({_PORTAL_MATRIX}),
    poses=True,
)
