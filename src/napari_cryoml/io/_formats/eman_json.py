"""EMAN2 info/*_info.json files: centres in pixels under ``boxes``, voxels under ``boxes_3d``.

Where ``apix_unbin`` is given, EMAN2 counts ``boxes_3d`` from the centre of the tomogram
(shape // 2) in unbinned voxels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io._formats._files import write_text
from napari_cryoml.io._formats._format import Format, Hints
from napari_cryoml.io._formats._json import object_in, rectangular
from napari_cryoml.io._names import stem

_KEYS = {2: "boxes", 3: "boxes_3d"}


def read(path: Path, hints: Hints) -> PicksTable:
    """Read the boxes of one image; other entries of the file are kept."""
    document = object_in(path)
    ndim = next((n for n in (3, 2) if document.get(_KEYS[n])), 2)
    if not any(key in document for key in _KEYS.values()):
        raise InputError(f"{path} holds no 'boxes' or 'boxes_3d', where EMAN2 keeps its picks.")
    boxes = document.get(_KEYS[ndim]) or []
    rows = [_coordinates(box, ndim, path) for box in boxes]
    positions = np.array(rows, dtype=np.float64).reshape(-1, ndim)
    image = hints.image or _image_of(path)
    pixel_size = hints.pixel_size
    if ndim == 3 and "apix_unbin" in document:
        positions = _from_centre(positions, document, image, path, hints)
    picks = Picks(image, positions, _scores(boxes, ndim), pixel_size, None, _columns(boxes, ndim))
    kept = {key: value for key, value in document.items() if key not in _KEYS.values()}
    return PicksTable((picks,), {"eman": {image: kept}})


def write(table: PicksTable, path: Path, hints: Hints) -> list[Path]:
    """Write the boxes of one image; in 3-D as plain voxels, without ``apix_unbin``."""
    (picks,) = table
    kept = table.extra.get("eman", {})
    header = dict(kept.get(picks.image, {})) if isinstance(kept, Mapping) else {}
    header.pop("apix_unbin", None)
    document = {**header, _KEYS[picks.ndim]: _boxes(picks)}
    write_text(path, json.dumps(document, indent=1) + "\n")
    return [path]


def _boxes(picks: Picks) -> list[list[Any]]:
    labels = picks.columns.get("eman_type", np.full(len(picks), "manual", dtype=object))
    boxes = [
        [*xyz, str(label)]
        for xyz, label in zip(picks.positions[:, ::-1].tolist(), labels, strict=True)
    ]
    further = sorted((n for n in picks.columns if n.startswith("eman_box_")), key=_place)
    if picks.scores is not None or further:
        scores = np.zeros(len(picks)) if picks.scores is None else picks.scores.astype(str)
        for box, score in zip(boxes, scores, strict=True):
            box.append(float(score))
    for name in further:
        for box, value in zip(boxes, np.asarray(picks.columns[name]).tolist(), strict=True):
            box.append(value)
    return boxes


def _place(name: str) -> int:
    return int(name.rpartition("_")[2])


def _coordinates(box: Any, ndim: int, path: Path) -> list[float]:
    try:
        values = [float(value) for value in box[:ndim]]
    except (TypeError, ValueError):
        values = []
    if len(values) != ndim or not np.isfinite(values).all():
        raise InputError(f"{path} holds the box {box!r}, which does not start with {ndim} numbers.")
    return values[::-1]


def _scores(boxes: list[Any], ndim: int) -> np.ndarray[Any, Any] | None:
    values = [box[ndim + 1] if len(box) > ndim + 1 else None for box in boxes]
    numeric = all(isinstance(value, int | float) for value in values)
    return np.array(values, dtype=np.float32) if values and numeric else None


def _columns(boxes: list[Any], ndim: int) -> dict[str, np.ndarray[Any, Any]]:
    """Return what follows the coordinates; ``eman_box_2`` is the second place after the score."""
    columns: dict[str, np.ndarray[Any, Any]] = {}
    if boxes and all(len(box) > ndim for box in boxes):
        columns["eman_type"] = np.array([str(box[ndim]) for box in boxes], dtype=object)
    if _scores(boxes, ndim) is not None:
        width = min(len(box) for box in boxes)
        for place in range(ndim + 2, width):
            columns[f"eman_box_{place - ndim}"] = rectangular([box[place] for box in boxes])
    return columns


def _from_centre(
    positions: np.ndarray[Any, Any],
    document: Mapping[str, Any],
    image: str,
    path: Path,
    hints: Hints,
) -> np.ndarray[Any, Any]:
    why = f"{path} counts its 3-D boxes from the centre of the tomogram"
    shape = hints.required_shape(image, 3, why)
    unbinned = float(document["apix_unbin"])
    scale = unbinned / (hints.pixel_size or unbinned)
    return positions * scale + np.array(shape) // 2


def _image_of(path: Path) -> str:
    return stem(path.name).removesuffix("_info")


def recognises(path: Path) -> bool:
    """Tell whether a JSON file is one of EMAN2's."""
    return any(key in object_in(path) for key in _KEYS.values())


FORMAT = Format(
    name="eman-json",
    title="EMAN2 info JSON: pixels, centres",
    suffixes=(".json",),
    read=read,
    write=write,
    per_image=True,
    recognises=recognises,
)
