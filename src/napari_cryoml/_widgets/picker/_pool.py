"""The picks of all images in one list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import Picks

_AXES = 3


@dataclass(frozen=True, slots=True, eq=False)
class PicksPool:
    """Picks of several images.

    Parameters
    ----------
    images : tuple of str
        Names of the images.
    numbers : array of shape (n,), int
        Of each pick, the number of its image in `images`.
    positions : array of shape (n, 3)
        Pixel zyx; z is 0 in a micrograph.
    scores : array of shape (n,)
    """

    images: tuple[str, ...]
    numbers: npt.NDArray[np.intp]
    positions: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float32]

    @classmethod
    def of(cls, tables: Iterable[Picks]) -> PicksPool:
        """Pool the picks of several images; those without scores are left out."""
        scored = [picks for picks in tables if picks.scores is not None and len(picks)]
        sizes = [len(picks) for picks in scored]
        padded = [np.pad(picks.positions, ((0, 0), (_AXES - picks.ndim, 0))) for picks in scored]
        return cls(
            tuple(picks.image for picks in scored),
            np.repeat(np.arange(len(scored)), sizes),
            np.concatenate([np.empty((0, _AXES)), *padded]),
            np.concatenate([np.empty(0, np.float32), *(picks.scores for picks in scored)]),
        )

    @property
    def places(self) -> npt.NDArray[np.float64]:
        """Number of the image and position of each pick, shape (n, 4)."""
        return np.column_stack([self.numbers, self.positions])

    def image(self, index: int) -> str:
        """Return the name of a pick's image."""
        return self.images[self.numbers[index]]
