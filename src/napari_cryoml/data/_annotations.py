"""What a user has said about places in an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError

POSITIVE = 1
NEGATIVE = 0
UNLABELLED = -1


@dataclass(frozen=True, slots=True, eq=False)
class Annotations:
    """Labelled places of one image; everywhere else is unlabelled.

    Parameters
    ----------
    positions : array of shape (n, ndim)
        Pixel (z)yx of the image at its own sampling.
    labels : array of shape (n,)
        `POSITIVE` (1) or `NEGATIVE` (0).
    """

    positions: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int8]

    def __post_init__(self) -> None:
        positions = np.asarray(self.positions, dtype=np.float64)
        labels = np.asarray(self.labels, dtype=np.int8)
        if positions.size == 0 and positions.ndim != 2:
            positions = positions.reshape(0, 2)
        if positions.ndim != 2 or labels.shape != (len(positions),):
            raise InputError(
                f"Labels need one row a position; {labels.shape} labels for positions of shape "
                f"{positions.shape} were given."
            )
        if not np.isin(labels, (POSITIVE, NEGATIVE)).all():
            raise InputError("A label is 1 (particle) or 0 (not a particle).")
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "labels", labels)

    def __len__(self) -> int:
        return len(self.positions)

    @classmethod
    def empty(cls, ndim: int) -> Annotations:
        """Return the annotations of an image nobody has labelled."""
        return cls(np.empty((0, ndim)), np.empty(0, np.int8))

    @classmethod
    def of_positives(cls, positions: npt.ArrayLike) -> Annotations:
        """Return annotations that call every one of `positions` a particle."""
        rows = np.asarray(positions, dtype=np.float64)
        return cls(rows, np.full(len(rows), POSITIVE, np.int8))

    @property
    def positives(self) -> npt.NDArray[np.float64]:
        """Positions labelled as particles, shape (n, ndim)."""
        return self.positions[self.labels == POSITIVE]

    @property
    def negatives(self) -> npt.NDArray[np.float64]:
        """Positions labelled as no particles, shape (n, ndim)."""
        return self.positions[self.labels == NEGATIVE]
