"""What a search has done so far, on disk."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.averaging._rigid import RigidPoses

_STATE = "search.json"
_CLUSTERS = "clusters.npz"


class DiscoveryStore:
    """A folder with one file for each cluster that was taken apart.

    A search of the same crops with the same options goes on where the last one ended; of others,
    it is refused.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    key : str
        What the results depend on; see `search_key`.

    Raises
    ------
    InputError
        If the folder holds the results of another search, or cannot be written.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._check(key)
        except OSError as error:
            raise InputError(
                f"Results cannot be kept in {folder}: {error.strerror or error}; choose another "
                "folder."
            ) from error

    def _check(self, key: str) -> None:
        place = self._folder / _STATE
        if not place.exists():
            part = place.with_name(f".{place.name}.part")
            part.write_text(json.dumps({"key": key}))
            part.replace(place)
            return
        try:
            known = json.loads(place.read_text())["key"]
        except (ValueError, KeyError, TypeError):
            known = ""
        if known != key:
            raise InputError(
                f"{self._folder} holds a search of other crops or with other options: choose "
                "another folder, or delete it."
            )

    def clusters(self) -> npt.NDArray[np.int32] | None:
        """Return the cluster of each crop, if it is known."""
        kept = self._load(_CLUSTERS)
        return None if kept is None else kept["labels"]

    def keep_clusters(self, labels: npt.NDArray[np.int32]) -> None:
        """Keep the cluster of each crop."""
        self._save(_CLUSTERS, {"labels": labels})

    def classes(self, cluster: int) -> tuple[npt.NDArray[np.intp], RigidPoses] | None:
        """Return class (n,) and pose of each particle of a cluster that were aligned, if known."""
        kept = self._load(_name(cluster))
        if kept is None:
            return None
        poses = RigidPoses(kept["rotations"], kept["shifts"], kept["scores"])
        return kept["labels"].astype(np.intp), poses

    def keep_classes(self, cluster: int, labels: npt.NDArray[np.intp], poses: RigidPoses) -> None:
        """Keep class and pose of each particle of a cluster that was aligned."""
        arrays = {
            "labels": labels,
            "rotations": poses.rotations,
            "shifts": poses.shifts,
            "scores": poses.scores,
        }
        self._save(_name(cluster), arrays)

    def _load(self, name: str) -> dict[str, npt.NDArray[Any]] | None:
        try:
            with np.load(self._folder / name, allow_pickle=False) as kept:
                return {key: kept[key] for key in kept.files}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError):
            return None  # a damaged part is worked out again

    def _save(self, name: str, arrays: dict[str, npt.NDArray[Any]]) -> None:
        part = self._folder / f".{name}.part"
        with part.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._folder / name)


def _name(cluster: int) -> str:
    return f"cluster_{cluster:05d}.npz"


def search_key(*parts: npt.NDArray[Any] | str) -> str:
    """Return a digest of what a search depends on: arrays and texts."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, str):
            digest.update(part.encode())
        elif part.dtype.kind == "U":
            digest.update("\n".join(part.tolist()).encode())
        else:
            digest.update(np.ascontiguousarray(part).tobytes())
        digest.update(b"\0")
    return digest.hexdigest()
