"""Where complexes lie in a crowd: balls that do not overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_MOST_MISSES = 200
_GAP = 1.0
"""Voxels left free between two balls."""


def place_neighbours(
    n: int, own_radius: float, radii: Sequence[float], box: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.intp], Floats]:
    """Throw complexes about the one in the middle of a box, so that they reach into the box.

    Parameters
    ----------
    n : int
        How many are wanted; fewer are placed where there is no room.
    own_radius : float
        Radius of what lies in the middle, voxels.
    radii : sequence of float
        Radius of each kind of complex, voxels.
    box : int
        Side of the box, voxels.

    Returns
    -------
    kinds : array of shape (m,)
        Which complex each is.
    offsets : array of shape (m, 3)
        Voxels zyx from the middle complex.
    """
    kinds: list[int] = []
    balls = np.array([[0.0, 0.0, 0.0, own_radius]])
    for _ in range(n):
        kind = int(rng.integers(len(radii)))
        centre = _free_place(balls, radii[kind], box / 2 + radii[kind] / 2, rng)
        if centre is not None:
            kinds.append(kind)
            balls = np.vstack([balls, [*centre, radii[kind]]])
    return np.asarray(kinds, np.intp), balls[1:, :3]


def _free_place(
    balls: Floats, radius: float, reach: float, rng: np.random.Generator
) -> Floats | None:
    darts = rng.uniform(-reach, reach, (_MOST_MISSES, 3))
    distances = np.linalg.norm(darts[:, None] - balls[:, :3], axis=2)
    free = (distances >= balls[:, 3] + radius + _GAP).all(axis=1)
    return darts[np.argmax(free)] if free.any() else None
