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
    wanted = rng.integers(len(radii), size=n)
    reaches = box / 2 + np.asarray(radii)[wanted] / 2
    middle = np.array([[0.0, 0.0, 0.0, own_radius]])
    return _scatter(wanted, radii, -reaches[:, None], reaches[:, None], middle, rng)


def fill(
    kinds: npt.NDArray[np.intp],
    radii: Sequence[float],
    shape: Sequence[int],
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.intp], Floats]:
    """Throw complexes into a volume so that each lies wholly inside.

    Parameters
    ----------
    kinds : array of shape (n,)
        Which complex each is; those that find no room are left out.
    radii : sequence of float
        Radius of each kind, voxels.
    shape : sequence of 3 int
        Shape zyx of the volume.

    Returns
    -------
    kinds : array of shape (m,)
        Of those that were placed.
    positions : array of shape (m, 3)
        Voxels zyx.
    """
    margins = np.asarray(radii)[kinds][:, None]
    high = np.asarray(shape) - 1 - margins
    return _scatter(kinds, radii, margins + 0 * high, high, np.empty((0, 4)), rng)


def _scatter(
    kinds: npt.NDArray[np.intp],
    radii: Sequence[float],
    low: Floats,
    high: Floats,
    balls: Floats,
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.intp], Floats]:
    """Place one after the other between `low` and `high` (n, 3), clear of `balls` (zyx, radius)."""
    n_before, placed = len(balls), []
    for kind, start, stop in zip(kinds, low, high, strict=True):
        darts = rng.uniform(0, 1, (_MOST_MISSES, 3)) * (stop - start) + start
        distances = np.linalg.norm(darts[:, None] - balls[:, :3], axis=2)
        free = (distances >= balls[:, 3] + radii[kind] + _GAP).all(axis=1)
        if free.any():
            placed.append(kind)
            balls = np.vstack([balls, [*darts[np.argmax(free)], radii[kind]]])
    return np.asarray(placed, np.intp), balls[n_before:, :3]
