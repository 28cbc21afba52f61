"""What a cell is made of: body, bud, nuclei and vacuoles, in numbers and as distances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Images: TypeAlias = npt.NDArray[np.float32]
Numbers: TypeAlias = npt.NDArray[np.floating[Any]]

_USUAL_RADIUS = 13.0
"""Radius of a mother cell, pixels, for which widths in this package are told."""

_OUTSIDE = -1e3


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """Cells of one crop each: where their parts lie, and how far each pixel is inside of them.

    Lengths are pixels and places are (y, x) in the crop; distances are positive inside.

    Parameters
    ----------
    unit : float
        Pixels that stand for one where a mother cell has a radius of 13.
    centres, axes : array of shape (n, 2)
        Middle of the mother, and its half axes along and across the axis of budding.
    angles : array of shape (n,)
        Direction of budding, radians from the x axis towards y.
    bud_centres : array of shape (n, 2)
    bud_radii : array of shape (n,)
        0 where there is no bud.
    nuclei, vacuoles : array of shape (n, 2, 2)
        Up to two of each.
    nucleus_radii, vacuole_radii : array of shape (n, 2)
        0 where there is none.
    body, nucleus, vacuole : array of shape (n, size, size)
        Signed distance to the surface, pixels.
    along : array of shape (n, size, size)
        Place on the axis of budding in radii, from -1 at the back of the mother.
    """

    unit: float
    centres: Numbers
    axes: Numbers
    angles: Numbers
    bud_centres: Numbers
    bud_radii: Numbers
    nuclei: Numbers
    nucleus_radii: Numbers
    vacuoles: Numbers
    vacuole_radii: Numbers
    body: Images
    nucleus: Images
    vacuole: Images
    along: Images

    def __len__(self) -> int:
        return len(self.angles)

    @property
    def size(self) -> int:
        """Side of the crops in pixels."""
        return int(self.body.shape[-1])

    @property
    def radii(self) -> Numbers:
        """Mean radius of each mother, pixels, shape (n,)."""
        return np.sqrt(self.axes[:, 0] * self.axes[:, 1])

    @property
    def directions(self) -> Numbers:
        """Unit vectors (y, x) towards the bud, shape (n, 2)."""
        return np.stack([np.sin(self.angles), np.cos(self.angles)], axis=-1)

    @property
    def inside(self) -> npt.NDArray[np.bool_]:
        """Which pixels belong to the cell, shape (n, size, size)."""
        return self.body > 0

    def reach(self, directions: Numbers) -> Numbers:
        """Return how far each cell goes from the middle of its crop, pixels, shape (n,).

        Parameters
        ----------
        directions : array of shape (n, 2)
            Unit vectors (y, x).
        """
        middle = (self.size - 1) / 2
        mother = ((self.centres - middle) * directions).sum(-1) + self.radii
        bud = ((self.bud_centres - middle) * directions).sum(-1) + self.bud_radii
        return np.where(self.bud_radii > 0, np.maximum(mother, bud), mother).astype(np.float32)

    def on_ellipse(self, turns: Numbers, depths: Numbers) -> Numbers:
        """Return places on ellipses in the mother, (n, k, 2).

        Parameters
        ----------
        turns : array of shape (n, k)
            Radians from the direction of budding.
        depths : array of shape (n, k)
            1 on the surface, 0 in the middle.
        """
        ahead = depths * self.axes[:, :1] * np.cos(turns)
        aside = depths * self.axes[:, 1:] * np.sin(turns)
        return self._placed(self.centres, ahead, aside)

    def in_bud(self, turns: Numbers, depths: Numbers) -> Numbers:
        """Return places on circles in the bud, (n, k, 2), as `on_ellipse` does in the mother."""
        far = depths * self.bud_radii[:, None]
        return self._placed(self.bud_centres, far * np.cos(turns), far * np.sin(turns))

    def _placed(self, origins: Numbers, ahead: Numbers, aside: Numbers) -> Numbers:
        sine, cosine = np.sin(self.angles)[:, None], np.cos(self.angles)[:, None]
        y = origins[:, :1] + sine * ahead + cosine * aside
        x = origins[:, 1:] + cosine * ahead - sine * aside
        return np.stack([y, x], axis=-1).astype(np.float32)


def draw_anatomy(
    n: int, size: int, radius: float, rng: np.random.Generator, *, budding: bool = True
) -> Anatomy:
    """Draw cells, their centroids near the middle of their crops.

    Parameters
    ----------
    n : int
    size : int
        Side of the crops in pixels.
    radius : float
        Mean radius of a mother, pixels.
    rng : Generator
    budding : bool
        Whether cells are yeast, two of three with a bud; others are round and have none.
    """
    own = radius * np.exp(rng.normal(0, 0.12, n))
    stretch = np.exp(np.abs(rng.normal(0, 0.08, n))) if budding else np.exp(rng.normal(0, 0.04, n))
    axes = np.stack([own * stretch, own / stretch], axis=-1)
    angles = rng.uniform(0, 2 * np.pi, n)
    ahead = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
    share = np.where(rng.random(n) < (2 / 3 if budding else 0), rng.uniform(0.25, 0.8, n), 0)
    bud_radii = share * own
    towards = (axes[:, 0] + 0.75 * bud_radii)[:, None] * ahead
    # The crop is cut around the centroid of both.
    balance = (share**2 / (1 + share**2))[:, None]
    centres = (size - 1) / 2 + rng.normal(0, 0.06 * radius, (n, 2)) - balance * towards
    bud_centres = centres + towards
    nuclei, nucleus_radii = _nuclei(centres, bud_centres, ahead, own, share, rng)
    vacuoles, vacuole_radii = _vacuoles(centres, ahead, own, rng)
    parts = (centres, axes, angles, bud_centres, bud_radii)
    inner = (nuclei, nucleus_radii, vacuoles, vacuole_radii)
    given = [np.asarray(part, np.float32) for part in (*parts, *inner)]
    return Anatomy(radius / _USUAL_RADIUS, *(given + list(_distances(size, *given))))


def _nuclei(
    centres: npt.NDArray[np.float64],
    buds: npt.NDArray[np.float64],
    ahead: npt.NDArray[np.float64],
    own: npt.NDArray[np.float64],
    share: npt.NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return places and radii of the nuclei; a large bud may have got its own."""
    n = len(own)
    divided = (share > 0.55) & (rng.random(n) < 0.5)
    forward = rng.uniform(0.25, 0.45, n) * own
    aside = np.stack([ahead[:, 1], -ahead[:, 0]], axis=-1) * rng.normal(0, 0.12, n)[:, None]
    first = centres + forward[:, None] * ahead + aside * own[:, None]
    radii = own * rng.uniform(0.27, 0.35, n)
    second = np.where(divided, np.minimum(radii, 0.5 * share * own), 0)
    return np.stack([first, buds], axis=1), np.stack([radii, second], axis=1)


def _vacuoles(
    centres: npt.NDArray[np.float64],
    ahead: npt.NDArray[np.float64],
    own: npt.NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return places and radii of one or two vacuoles behind the nucleus."""
    n = len(own)
    radii = own[:, None] * np.stack([rng.uniform(0.28, 0.46, n), rng.uniform(0.15, 0.25, n)], -1)
    radii[:, 1] *= rng.random(n) < 0.4
    back = np.pi + rng.normal(0, 0.5, n)
    turned = _turned(ahead, np.stack([back, back + rng.choice([-1.4, 1.4], n)], axis=-1))
    far = own[:, None] * np.array([0.42, 0.6]) * rng.uniform(0.85, 1.1, (n, 2))
    return centres[:, None] + turned * far[..., None], radii


def _turned(
    ahead: npt.NDArray[np.float64], turns: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return unit vectors (n, k, 2), turned by angles (n, k) out of `ahead`."""
    y, x = ahead[:, :1], ahead[:, 1:]
    sine, cosine = np.sin(turns), np.cos(turns)
    return np.stack([y * cosine + x * sine, x * cosine - y * sine], axis=-1)


def _distances(
    size: int,
    centres: Numbers,
    axes: Numbers,
    angles: Numbers,
    bud_centres: Numbers,
    bud_radii: Numbers,
    nuclei: Numbers,
    nucleus_radii: Numbers,
    vacuoles: Numbers,
    vacuole_radii: Numbers,
) -> tuple[Images, Images, Images, Images]:
    """Return the distances into body, nuclei and vacuoles, and the place along the axis."""
    grid = np.arange(size, dtype=np.float32)
    y = (grid - centres[:, :1])[:, :, None]
    x = (grid - centres[:, 1:])[:, None, :]
    sine, cosine = np.sin(angles)[:, None, None], np.cos(angles)[:, None, None]
    along = (sine * y + cosine * x) / axes[:, 0, None, None]
    across = (cosine * y - sine * x) / axes[:, 1, None, None]
    radii = np.sqrt(axes[:, 0] * axes[:, 1])[:, None, None]
    mother = (1 - np.sqrt(along**2 + across**2)) * radii
    body = np.maximum(mother, _into(bud_centres, bud_radii, grid))
    nucleus, vacuole = (
        np.maximum(_into(places[:, 0], radii[:, 0], grid), _into(places[:, 1], radii[:, 1], grid))
        for places, radii in ((nuclei, nucleus_radii), (vacuoles, vacuole_radii))
    )
    return body, nucleus, vacuole, along.astype(np.float32)


def _into(centres: Numbers, radii: Numbers, grid: Numbers) -> Images:
    """Return the distance into a circle for each pixel; far outside where there is none."""
    y = (grid - centres[:, :1])[:, :, None]
    x = (grid - centres[:, 1:])[:, None, :]
    distance = radii[:, None, None] - np.sqrt(y**2 + x**2)
    distance[radii <= 0] = _OUTSIDE
    return distance
