"""Images that had to be decoded as a whole, kept for a while."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

_Key = tuple[str, int, int]


class DecodedImages:
    """The most recently used decoded images, up to a number of bytes.

    A file that has changed on disk is decoded again.

    Parameters
    ----------
    max_bytes : int
        Budget; the newest image is kept even if it alone is larger.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._arrays: OrderedDict[_Key, npt.NDArray[Any]] = OrderedDict()
        self._lock = Lock()

    def get(self, path: Path, decode: Callable[[Path], npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Return the read-only pixels of `path`, decoded now or before."""
        status = path.stat()
        key = (str(path), status.st_mtime_ns, status.st_size)
        with self._lock:
            if key in self._arrays:
                self._arrays.move_to_end(key)
                return self._arrays[key]
        # Outside the lock: a slow file must not keep other threads from images already decoded.
        array = np.asarray(decode(path))
        array.flags.writeable = False
        with self._lock:
            self._arrays[key] = array
            self._shrink()
        return array

    def _shrink(self) -> None:
        while len(self._arrays) > 1 and self.n_bytes > self._max_bytes:
            self._arrays.popitem(last=False)

    @property
    def n_bytes(self) -> int:
        """Bytes held at the moment."""
        return sum(array.nbytes for array in self._arrays.values())


DECODED = DecodedImages(512 * 1024**2)
