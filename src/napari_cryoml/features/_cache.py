"""Feature maps kept at hand: the latest in memory, the others on disk."""

from __future__ import annotations

import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

from napari_cryoml.features._feature_map import FeatureMap
from napari_cryoml.features._shelf import Shelf

MIB = 1024**2


class FeatureCache:
    """Feature maps by key: the latest used in memory, all of them on disk as room allows.

    One thread may write while others read. Of two threads that want the same missing map, both
    make it, and one of the two equal results stays.

    Parameters
    ----------
    memory_bytes : int, default 512 MiB
        Room in memory. The map that was used last stays even where it alone is larger.
    folder : Path, optional
        Where maps are written, made when it is needed; several processes may share it. Without
        one, what leaves the memory is lost.
    disk_bytes : int, default 20 GiB
        Room in the folder; the maps that were used longest ago are deleted first.
    """

    def __init__(
        self,
        memory_bytes: int = 512 * MIB,
        folder: Path | None = None,
        disk_bytes: int = 20 * 1024 * MIB,
    ) -> None:
        self._memory_bytes = memory_bytes
        self._disk = None if folder is None else Shelf(Path(folder), disk_bytes)
        self._maps: OrderedDict[str, FeatureMap] = OrderedDict()
        self._memory_used = 0
        self._lock = threading.RLock()

    @property
    def memory_used(self) -> int:
        """Bytes of the maps that lie in memory."""
        return self._memory_used

    def __contains__(self, key: str) -> bool:
        """Tell whether a map of this key lies in memory or on disk, without reading it."""
        with self._lock:
            if key in self._maps:
                return True
        return self._disk is not None and self._disk.holds(key)

    def get(self, key: str) -> FeatureMap | None:
        """Return the map of `key`, or None where there is none, or its file is damaged."""
        with self._lock:
            found = self._maps.get(key)
            if found is not None:
                self._maps.move_to_end(key)
        if self._disk is None:
            return found
        if found is not None:
            self._disk.touch(key)
            return found
        loaded = self._disk.read(key)
        if loaded is not None:
            self._remember(key, loaded)
        return loaded

    def put(self, key: str, features: FeatureMap) -> None:
        """Keep a map in memory and, if there is a folder, on disk.

        Warns
        -----
        InputWarning
            Once, if the folder cannot be written; maps are kept in memory alone from then on.
        """
        self._remember(key, features)
        if self._disk is not None:
            self._disk.write(key, features)

    def get_or_make(self, key: str, make: Callable[[], FeatureMap]) -> FeatureMap:
        """Return the map of `key`; where there is none, `make` it and keep it."""
        found = self.get(key)
        if found is None:
            found = make()
            self.put(key, found)
        return found

    def clear(self) -> None:
        """Forget all maps, and delete their files; other files in the folder stay."""
        with self._lock:
            self._maps.clear()
            self._memory_used = 0
        if self._disk is not None:
            self._disk.clear()

    def _remember(self, key: str, features: FeatureMap) -> None:
        with self._lock:
            self._forget(key)
            self._maps[key] = features
            self._memory_used += features.nbytes
            while self._memory_used > self._memory_bytes and len(self._maps) > 1:
                self._forget(next(iter(self._maps)))

    def _forget(self, key: str) -> None:
        old = self._maps.pop(key, None)
        self._memory_used -= 0 if old is None else old.nbytes


def user_cache_folder() -> Path:
    """Return the folder of this user where features may be kept between runs; it may not exist.

    `$XDG_CACHE_HOME/napari-cryoml/features` where that is set, else the place that is usual on
    this system.
    """
    home = Path.home()
    usual = {
        "win32": Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local"),
        "darwin": home / "Library" / "Caches",
    }.get(sys.platform, home / ".cache")
    base = Path(os.environ.get("XDG_CACHE_HOME") or usual)
    return base / "napari-cryoml" / "features"


def neighbours(names: Sequence[str], current: str, n: int) -> list[str]:
    """Return up to `n` names around `current`, in the order in which they may be wanted next.

    The next comes first, then the previous, the next but one, and so on; beyond an end of the
    list, the other side goes on alone. Where `current` is not in the list, its first `n`.
    """
    ordered = list(names)
    if current not in ordered:
        return ordered[: max(n, 0)]
    here = ordered.index(current)
    steps = (sign * step for step in range(1, len(ordered)) for sign in (1, -1))
    places = [here + step for step in steps if 0 <= here + step < len(ordered)]
    return [ordered[place] for place in places[: max(n, 0)]]
