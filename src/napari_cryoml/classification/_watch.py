"""What looks at the vectors of crops while a network is trained; importing it needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.intp]


class WatchedVectors(Protocol):
    """The vectors that the network makes of crops as it is at this moment."""

    @property
    def validation(self) -> Rows:
        """Crops that choose the epoch, shape (k,): those to look at if the figure does so too."""
        ...

    @property
    def test(self) -> Rows:
        """Crops that no choice depends on, shape (m,): those to report."""
        ...

    def __call__(self, rows: Rows) -> npt.NDArray[np.float32]:
        """Return what the last layer classifies, shape (len(rows), d)."""
        ...


class Watch(Protocol):
    """Measures the vectors of crops, as by the functions of the proteins they show.

    To be carried out in another process, it must be picklable.
    """

    def __call__(self, epoch: int, vectors: WatchedVectors) -> Mapping[str, float]:
        """Return figures by name, larger ones better.

        Parameters
        ----------
        epoch : int
            Passes over the crops so far; 0 before the first step.
        vectors : WatchedVectors
        """
        ...
