"""Images that are drawn when they are read, so that a list of any length costs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_DIFFERENT = 20  # the others of a long list show the same again


@dataclass(frozen=True)
class DrawnImage:
    """Blobs in noise, the same whenever they are drawn.

    Parameters
    ----------
    number : int
    side : int
        In pixels.
    """

    number: int
    side: int
    pixel_size: float | None = 4.0
    path: Path | None = None

    @property
    def name(self) -> str:
        """Name of the image."""
        return f"{self.number:07d}.mrc"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape in pixels."""
        return self.side, self.side

    def read(self, region: tuple[slice, ...] | None = None) -> npt.NDArray[np.float32]:
        """Return the pixels of `region`, all by default."""
        rng = np.random.default_rng(self.number % _DIFFERENT)
        pixels = rng.normal(size=self.shape).astype(np.float32)
        for y, x in rng.integers(10, self.side - 10, (max(self.side // 32, 1) ** 2, 2)):
            pixels[y - 4 : y + 5, x - 4 : x + 5] -= 1.5
        return pixels if region is None else pixels[region]


class DrawnImages(Sequence[Any]):
    """A list of such images, made one by one as they are asked for."""

    def __init__(self, n: int, side: int) -> None:
        self._n, self._side = n, side

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, number: Any) -> Any:
        if not 0 <= number < self._n:
            raise IndexError(number)
        return DrawnImage(number, self._side)
