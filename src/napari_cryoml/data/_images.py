"""Images that are read when they are needed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt


@runtime_checkable
class ImageSource(Protocol):
    """A micrograph or a tomogram that may still lie on disk.

    Sources travel to a child process by pickling; one that stands for a file carries its path,
    not its pixels.
    """

    @property
    def name(self) -> str:
        """File name without directory, or the name the user gave."""
        ...

    @property
    def path(self) -> Path | None:
        """The file, if there is one."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape in pixels, (y, x) or (z, y, x)."""
        ...

    @property
    def pixel_size(self) -> float | None:
        """Angstrom per pixel, or None where the file does not say."""
        ...

    def read(self, region: tuple[slice, ...] | None = None) -> npt.NDArray[np.float32]:
        """Return the pixels of `region` (all by default) as float32.

        Raises
        ------
        InputError
            If the file has gone or cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ArrayImage:
    """An image that lies in memory.

    Parameters
    ----------
    array : array of shape (y, x) or (z, y, x)
    name : str
    pixel_size : float, optional
        Angstrom per pixel.
    """

    array: npt.NDArray[Any]
    name: str = "image"
    pixel_size: float | None = None

    @property
    def path(self) -> Path | None:
        """None: the image lies in memory."""
        return None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape in pixels, (y, x) or (z, y, x)."""
        return tuple(self.array.shape)

    def read(self, region: tuple[slice, ...] | None = None) -> npt.NDArray[np.float32]:
        """Return the pixels of `region` (all by default) as float32."""
        part = self.array if region is None else self.array[region]
        return np.asarray(part, dtype=np.float32)
