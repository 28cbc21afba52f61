"""JSON objects, and columns made of their values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.io._formats._files import read_text


def object_in(path: Path) -> dict[str, Any]:
    """Return the JSON object that a file holds."""
    return parse_object(read_text(path), str(path))


def parse_object(text: str, where: str) -> dict[str, Any]:
    """Return the JSON object in `text`; `where` names it in the complaint."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{where} is not valid JSON ({error}): mend it, or copy it again."
        ) from None
    if not isinstance(document, dict):
        raise InputError(f"{where} holds a JSON {type(document).__name__}, not an object.")
    return document


def xyz_of(point: Any, where: str) -> list[float]:
    """Return z, y, x of ``{"location": {"x": ..., "y": ..., "z": ...}}``."""
    try:
        location = point["location"]
        zyx = [float(location[axis]) for axis in "zyx"]
    except (KeyError, TypeError, ValueError):
        zyx = []
    if len(zyx) != 3 or not np.isfinite(zyx).all():
        raise InputError(f"{where} has a point without a location of three numbers x, y, z.")
    return zyx


def point_columns(points: list[dict[str, Any]], without: frozenset[str]) -> dict[str, Any]:
    """Return an array for each further key of a list of points, None where a point lacks it."""
    keys = dict.fromkeys(key for point in points for key in point if key not in without)
    return {key: rectangular([point.get(key) for point in points]) for key in keys}


def rectangular(values: list[Any]) -> npt.NDArray[Any]:
    """Return values as one numeric array if they are numbers in one shape, else as objects."""
    try:
        array = np.array(values)
    except ValueError:
        array = np.empty(0)
    if len(array) == len(values) and array.dtype.kind in "biuf":
        return array
    objects = np.empty(len(values), dtype=object)
    objects[:] = values
    return objects


def json_value(value: Any) -> Any:
    """Return a value of a column as JSON knows it."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
