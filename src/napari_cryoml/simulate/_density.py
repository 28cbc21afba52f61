"""Made-up protein complexes as clouds of Gaussians: cheap to turn, project and draw in 3-D."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from napari_cryoml._errors import InputError

Floats = npt.NDArray[np.float64]

_GAUSSIANS = 600
_SUBUNITS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Complex:
    """A density that is a sum of equal Gaussians.

    Parameters
    ----------
    centres : array of shape (n, 3)
        Pixels zyx from the centre of the complex.
    sigma : float
        Standard deviation of each Gaussian, pixels.
    mass : float
        Integral of each Gaussian.
    """

    centres: Floats
    sigma: float
    mass: float = 1.0

    def density(self, shape: Sequence[int], position: npt.ArrayLike) -> Floats:
        """Return the 3-D density on a grid of `shape` zyx, the complex lying at `position` zyx."""
        placed = self.centres + np.asarray(position, np.float64)
        return self.mass * render(placed, self.sigma, shape)

    def projection(
        self, shape: Sequence[int], position: npt.ArrayLike, rotation: npt.ArrayLike
    ) -> Floats:
        """Return the density summed along z after a rotation.

        Parameters
        ----------
        shape : sequence of int
            Shape yx of the grid.
        position : array of shape (2,)
            Pixel yx of the grid on which the centre of the complex falls.
        rotation : array of shape (3, 3)
            Acts on columns zyx: what lay along axis j ends along column j.
        """
        turned = self.centres @ np.asarray(rotation, np.float64).T
        placed = turned[:, 1:] + np.asarray(position, np.float64)
        return self.mass * render(placed, self.sigma, shape)


def render(centres: Floats, sigma: float, shape: Sequence[int]) -> Floats:
    """Return the sum of unit-mass Gaussians at `centres` (n, ndim) on a grid of `shape`.

    A Gaussian is a product over the axes, so the sum is a product of one small matrix an axis.
    """
    profiles = [
        np.exp(-np.square((np.arange(size) - centre[:, None]) / sigma) / 2)
        / (sigma * np.sqrt(2 * np.pi))
        for size, centre in zip(shape, centres.T, strict=True)
    ]
    *outer, last = profiles
    weights = outer[0]
    for profile in outer[1:]:
        weights = np.einsum("n...,nk->n...k", weights, profile)
    return np.asarray(np.tensordot(weights, last, axes=(0, 0)))


def random_complex(diameter: float, symmetry: str, seed: int) -> Complex:
    """Return a made-up complex: a few lumpy subunits, repeated by a point group.

    Parameters
    ----------
    diameter : float
        Diameter of the ball around the complex, pixels.
    symmetry : str
        Cyclic "Cn" about z or dihedral "Dn" with a further twofold axis along x.
    seed : int
        The same seed gives the same structure at any diameter.

    Returns
    -------
    Complex
        Its mass is the area of the disc of `diameter`: projections have about 1 a pixel.

    Raises
    ------
    InputError
        If the symmetry is not of the form C1, C2 ... or D1, D2 ...
    """
    rng = np.random.default_rng(seed)
    operations = point_group(symmetry)
    n_subunits = max(round(_SUBUNITS / len(operations)), 1)
    n_each = max(_GAUSSIANS // (n_subunits * len(operations)), 8)
    unit = np.concatenate([_subunit(n_each, rng) for _ in range(n_subunits)])
    centres = np.concatenate([unit @ operation.T for operation in operations])
    centres -= centres.mean(axis=0)
    sigma = diameter / 28
    reach = float(np.linalg.norm(centres, axis=1).max())
    mass = np.pi * (diameter / 2) ** 2 / len(centres)
    return Complex(centres * ((diameter / 2 - sigma) / reach), sigma, float(mass))


def point_group(symmetry: str) -> list[Floats]:
    """Return the rotations (3, 3), acting on columns zyx, of the point group Cn or Dn."""
    match = re.fullmatch(r"([CD])([1-9]\d?)", symmetry)
    if match is None:
        raise InputError(
            f"A symmetry is written C1, C2 ... for cyclic or D2, D3 ... for dihedral; "
            f"{symmetry!r} was given."
        )
    order = int(match[2])
    # The first column is z, so turning about it is the rotation vector (angle, 0, 0).
    turns = [Rotation.from_rotvec([2 * np.pi * k / order, 0, 0]) for k in range(order)]
    if match[1] == "D":
        flip = Rotation.from_rotvec([0, 0, np.pi])
        turns += [flip * turn for turn in turns]
    return [np.asarray(turn.as_matrix(), np.float64) for turn in turns]


def random_rotations(n: int, rng: np.random.Generator) -> Floats:
    """Return `n` rotations drawn evenly from all orientations, shape (n, 3, 3)."""
    if n == 0:
        return np.empty((0, 3, 3))
    return np.asarray(Rotation.random(n, rng).as_matrix(), np.float64)


def _subunit(n: int, rng: np.random.Generator) -> Floats:
    """Return `n` points that fill two or three overlapping domains away from the centre."""
    direction = rng.normal(size=3)
    place = direction / np.linalg.norm(direction) * rng.uniform(0.4, 0.6)
    domains = place + rng.normal(scale=0.2, size=(rng.integers(2, 4), 3))
    radii = rng.uniform(0.25, 0.45, len(domains))
    chosen = rng.integers(len(domains), size=n)
    steps = rng.normal(size=(n, 3))
    steps *= np.cbrt(rng.random((n, 1))) / np.linalg.norm(steps, axis=1, keepdims=True)
    return np.asarray(domains[chosen] + radii[chosen, None] * steps, np.float64)
