"""Picks kept on disk under a name of all they depend on, so that a second run skips them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml.data import ImageSource, Picks, ScoreMap
from napari_cryoml.features import feature_key
from napari_cryoml.picking._image_work import PickedImage

_FORMAT = "picks 1"
_DAMAGED = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, InputError)


@dataclass(frozen=True, slots=True)
class KeptPicks:
    """A folder with a small file an image that was picked.

    A file is named by the image (its path, size and time of change), the model and the settings,
    and written whole or not at all. One that cannot be read is taken for missing.

    Parameters
    ----------
    folder : Path
        Made with the first file.
    """

    folder: Path

    def has(self, image: ImageSource, digest: str) -> bool:
        """Return whether there is a file about an image."""
        with contextlib.suppress(InputError):  # the image has gone, which picking it will say
            return self._path(image, digest).is_file()
        return False

    def read(self, image: ImageSource, digest: str, *, with_map: bool) -> PickedImage | None:
        """Return what was found in an image before, None if that is not known.

        Parameters
        ----------
        image : ImageSource
        digest : str
            Of model and settings, see `ImageWork.digest`.
        with_map : bool
            Whether the score map is needed too.
        """
        with contextlib.suppress(*_DAMAGED):
            with np.load(self._path(image, digest), allow_pickle=False) as file:
                parts = {name: file[name] for name in file.files}
            return _unpacked(parts, image, with_map=with_map)
        return None

    def keep(self, image: ImageSource, digest: str, found: PickedImage) -> None:
        """Write what was found in an image.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        path = self._path(image, digest)
        part = path.with_name(f".{uuid.uuid4().hex}.part")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with part.open("xb") as file:
                np.savez_compressed(file, allow_pickle=False, **_packed(found))
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise InputError(
                f"What is done cannot be kept in {self.folder} ({error.strerror or error}): choose "
                "another folder, or free some space."
            ) from error

    def _path(self, image: ImageSource, digest: str) -> Path:
        key = f"{_FORMAT} {feature_key(image)} {digest}"
        return self.folder / f"{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}.npz"


def _packed(found: PickedImage) -> dict[str, Any]:
    picks, score_map = found.picks, found.score_map
    parts: dict[str, Any] = {"positions": picks.positions, "device": np.array(found.device)}
    if picks.scores is not None:
        parts["scores"] = picks.scores
    numbers = {"pixel_size": picks.pixel_size, "diameter": picks.diameter}
    parts |= {name: np.array(value) for name, value in numbers.items() if value is not None}
    if score_map is not None:
        parts |= {"map": score_map.values, "scale": score_map.scale, "offset": score_map.offset}
    return parts


def _unpacked(parts: dict[str, Any], image: ImageSource, *, with_map: bool) -> PickedImage | None:
    score_map = None
    if with_map:
        if "map" not in parts:
            return None
        score_map = ScoreMap(parts["map"], parts["scale"], parts["offset"])
    pixel_size, diameter = (_number(parts, name) for name in ("pixel_size", "diameter"))
    picks = Picks(image.name, parts["positions"], parts.get("scores"), pixel_size, diameter)
    return PickedImage(picks, score_map, str(parts["device"]))


def _number(parts: dict[str, Any], name: str) -> float | None:
    return float(parts[name]) if name in parts else None
