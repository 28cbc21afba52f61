"""Files for vectors that are too many to be handed to another process on the GUI's thread."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

MANY_BYTES = 2**24
"""Vectors of this size go to another process by a file."""

Vectors: TypeAlias = npt.NDArray[np.floating[Any]]


class Scratch:
    """A folder that is made when it is needed."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._count = 0

    def lay_down(self, vectors: Vectors) -> Vectors | Path:
        """Return few vectors as they are, and the file of many."""
        if vectors.nbytes < MANY_BYTES:
            return vectors
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(
                prefix="napari-cryoml-", ignore_cleanup_errors=True
            )
        self._count += 1
        path = Path(self._folder.name) / f"vectors_{self._count}.npy"
        np.save(path, vectors, allow_pickle=False)
        return path

    def close(self) -> None:
        """Take the folder away."""
        if self._folder is not None:
            self._folder.cleanup()
