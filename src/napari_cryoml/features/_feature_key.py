"""Names under which feature maps are kept."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from napari_cryoml._errors import InputError
from napari_cryoml.data import ImageSource


def feature_key(image: ImageSource, **settings: Any) -> str:
    """Return a key that changes with the image and with all that features depend on.

    A file counts by its path, size and time of change, never by its content; an image in memory
    by its pixels.

    Parameters
    ----------
    image : ImageSource
    **settings
        Whatever the features depend on, their version too: Configs, numbers, strings, arrays and
        collections of these.

    Returns
    -------
    str
        32 hexadecimal digits.

    Raises
    ------
    InputError
        If the file of the image has gone.
    TypeError
        If a setting is of another kind.
    """
    place = image.path
    what = _pixels_of(image) if place is None else [image.name, *_state_of(place)]
    described = [what, list(image.shape), image.pixel_size, settings]
    return _digest(json.dumps(described, sort_keys=True, default=_plain).encode())


def _pixels_of(image: ImageSource) -> list[str]:
    pixels: Any = np.ascontiguousarray(image.read())  # hashed where it lies, not copied
    return [_digest(pixels)]


def _state_of(path: Path) -> list[str | int]:
    """Return place, bytes and time of change of a file, or of all files in a folder."""
    try:
        # The time of a Zarr folder does not change with the chunks in it.
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        stats = [file.stat() for file in files]
    except OSError as error:
        raise InputError(
            f"{path} was there when it was opened and cannot be found now ({error}): check the "
            "path, or mount its disk."
        ) from error
    sizes = [stat.st_size for stat in stats]
    latest = max((stat.st_mtime_ns for stat in stats), default=0)
    return [str(path.resolve()), len(files), sum(sizes), latest]


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, np.ndarray):
        return [str(value.dtype), value.tolist()]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{value!r} cannot be a part of a key")


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
