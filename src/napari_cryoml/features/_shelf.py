"""Feature maps in a folder of bounded size."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import threading
import time
import uuid
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from napari_cryoml._errors import InputWarning
from napari_cryoml.features._feature_map import FeatureMap

_SUFFIX = ".features"
_PART = ".part"
_OURS = re.compile(rf"^[0-9a-f]{{32}}({re.escape(_SUFFIX)}|\.[0-9a-f]+{re.escape(_PART)})$")
_STALE_PART_NS = 3600 * 10**9
_SWEEP_EVERY = 0.05  # of the room on disk, written between two looks at the folder
_WHAT_DAMAGE_RAISES = (OSError, SafetensorError, KeyError, TypeError, ValueError)


@dataclass(slots=True)
class Shelf:
    """A folder of maps, one file each, bounded by deleting what was used longest ago.

    A file is written under another name and renamed, so that it is whole or not there at all. Its
    time of change says when it was used last: that is shared between processes and runs.

    Parameters
    ----------
    folder : Path
        Made when something is written.
    room_bytes : int
        Bound of the size of all files; a larger map is not written.
    """

    folder: Path
    room_bytes: int
    _unseen_bytes: float = np.inf  # written since the folder was looked at
    _writable: bool = True
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def holds(self, key: str) -> bool:
        """Tell whether there is a file of this key, without reading it."""
        return self._path(key).is_file()

    def touch(self, key: str) -> None:
        """Note that the map of this key is in use, if there is one."""
        with contextlib.suppress(OSError):
            os.utime(self._path(key))

    def read(self, key: str) -> FeatureMap | None:
        """Return the map of `key`, or None where there is none; a damaged file is deleted."""
        path = self._path(key)
        try:
            features = _load(path, key)
        except FileNotFoundError:
            return None
        except _WHAT_DAMAGE_RAISES:
            _delete(path)
            return None
        self.touch(key)
        return features

    def write(self, key: str, features: FeatureMap) -> None:
        """Write a map, and delete older ones where room is short.

        Warns
        -----
        InputWarning
            Once, if the folder cannot be written; no other map is written from then on.
        """
        if not self._writable or features.nbytes > self.room_bytes:
            return
        path = self._path(key)
        part = path.with_suffix(f".{uuid.uuid4().hex}{_PART}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _save(part, key, features)
            n_bytes = part.stat().st_size
            part.replace(path)
        except FileNotFoundError:
            return  # the folder was cleared meanwhile
        except (OSError, SafetensorError) as error:
            _delete(part)
            self._give_up(error)
            return
        self._make_room(n_bytes)

    def clear(self) -> None:
        """Delete all files of maps; others in the folder stay."""
        for path, _ in self._files():
            _delete(path)

    def _path(self, key: str) -> Path:
        # A digest is a valid name of bounded length, whatever the key is.
        digest = hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
        return self.folder / (digest + _SUFFIX)

    def _give_up(self, error: Exception) -> None:
        self._writable = False
        warnings.warn(
            f"Features cannot be kept in {self.folder} ({error}); they are made again when they "
            "are needed: free some room there, or name another folder.",
            InputWarning,
            stacklevel=4,
        )

    def _make_room(self, written_bytes: int) -> None:
        """Look at the folder, if enough was written since, and delete what is too much."""
        slack_bytes = _SWEEP_EVERY * self.room_bytes
        with self._lock:
            self._unseen_bytes += written_bytes
            if self._unseen_bytes >= slack_bytes:
                self._unseen_bytes = 0
                self._sweep(self.room_bytes - slack_bytes)

    def _sweep(self, room_bytes: float) -> None:
        """Delete what was used longest ago beyond `room_bytes`, and what was never finished."""
        used, stale_ns = 0, time.time_ns() - _STALE_PART_NS
        files = sorted(self._files(), key=lambda entry: entry[1].st_mtime_ns, reverse=True)
        newest = next((path for path, _ in files if path.suffix == _SUFFIX), None)
        for path, stat in files:
            used += stat.st_size
            if path.suffix == _PART:
                excess = stat.st_mtime_ns < stale_ns
            else:
                excess = used > room_bytes and path != newest
            if excess:
                _delete(path)

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        with contextlib.suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                if _OURS.match(entry.name):
                    with contextlib.suppress(FileNotFoundError):
                        yield Path(entry.path), entry.stat()


def _save(path: Path, key: str, features: FeatureMap) -> None:
    arrays: dict[str, npt.NDArray[Any]] = {
        "values": np.ascontiguousarray(features.values),
        "scale": np.asarray(features.scale, np.float64),
        "offset": np.asarray(features.offset, np.float64),
    }
    if features.mask is not None:
        arrays["mask"] = np.ascontiguousarray(features.mask)
    save_file(arrays, path, metadata={"key": key, "crc32": str(_checksum(arrays))})


def _load(path: Path, key: str) -> FeatureMap:
    """Return the map in a file.

    Raises
    ------
    ValueError, KeyError, TypeError, SafetensorError, OSError
        If the file has gone, is damaged, or is of another key.
    """
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata() or {}
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if metadata["key"] != key or int(metadata["crc32"]) != _checksum(arrays):
        raise ValueError(f"{path} is damaged")
    return FeatureMap(**arrays)


def _checksum(arrays: dict[str, npt.NDArray[Any]]) -> int:
    crc = 0
    for name in sorted(arrays):
        content: Any = arrays[name].reshape(-1).view(np.uint8)  # read where it lies, not copied
        crc = zlib.crc32(content, crc)
    return crc


def _delete(path: Path) -> None:
    # Another process may be faster, or (on Windows) may just be reading it.
    with contextlib.suppress(OSError):
        path.unlink()
