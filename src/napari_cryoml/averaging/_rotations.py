"""Sets of rotations, and how far apart two rotations are."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from napari_cryoml._errors import InputError

Matrices = npt.NDArray[np.float64]

_N_AT_15_DEGREES = 4608
_SPIRAL = 1.533751168755204288118041
"""Root of x^4 = x + 4, the second ratio of a super-Fibonacci spiral."""
_GROUP = re.compile(r"(C[1-9]\d*|D[1-9]\d*|T|O|I)$")


def even_rotations(n: int) -> Matrices:
    """Return rotations that lie evenly over all orientations, on a super-Fibonacci spiral.

    Parameters
    ----------
    n : int
        How many; `rotations_apart` reckons them from a step.

    Returns
    -------
    array of shape (n, 3, 3)

    References
    ----------
    Alexa 2022, Super-Fibonacci spirals: fast, low-discrepancy sampling of SO(3), CVPR 8281.
    """
    place = np.arange(n) + 0.5
    inner, outer = np.sqrt(place / n), np.sqrt(1 - place / n)
    one, two = 2 * np.pi * place / np.sqrt(2), 2 * np.pi * place / _SPIRAL
    quaternions = np.stack(
        [inner * np.sin(one), inner * np.cos(one), outer * np.sin(two), outer * np.cos(two)], -1
    )
    return np.asarray(Rotation.from_quat(quaternions).as_matrix())


def rotations_apart(step: float, symmetry: str = "C1") -> Matrices:
    """Return even rotations of which neighbours are about `step` degrees apart.

    Parameters
    ----------
    step : float
        Degrees.
    symmetry : str, default "C1"
        Of all rotations that show a particle of this point group alike, one is kept.

    Returns
    -------
    array of shape (n, 3, 3)
        4608 for 15 degrees and no symmetry.
    """
    rotations = even_rotations(max(round(_N_AT_15_DEGREES * (15 / step) ** 3), 1))
    group = point_group(symmetry)
    if len(group) == 1:
        return rotations
    # The trace grows as the angle from no rotation falls.
    alike = np.einsum("nij,gji->ng", rotations, group)
    return rotations[alike.argmax(axis=1) == 0]


def point_group(symmetry: str) -> Matrices:
    """Return the rotations of a point group, the first of which is none at all.

    Parameters
    ----------
    symmetry : str
        "C1", "C4", "D2", "T", "O" or "I"; the main axis is z.

    Returns
    -------
    array of shape (n, 3, 3)
        On columns zyx.

    Raises
    ------
    InputError
        If there is no such group.
    """
    name = symmetry.upper()
    if not _GROUP.match(name):
        raise InputError(
            f"There is no point group {symmetry!r}: give C1, C2, ..., D2, D3, ..., T, O or I."
        )
    group = Rotation.create_group(name, axis="Z")
    order = np.argsort(group.magnitude(), kind="stable")
    return np.ascontiguousarray(group.as_matrix()[order][:, ::-1, ::-1])


def nearby_rotations(radius: float) -> Matrices:
    """Return small rotations to try around another: none, six about the axes, eight between.

    Parameters
    ----------
    radius : float
        Angle of each, degrees.

    Returns
    -------
    array of shape (15, 3, 3)
    """
    corners = np.stack(np.meshgrid(*[(-1.0, 1.0)] * 3, indexing="ij"), -1).reshape(-1, 3)
    axes = np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3), corners / np.sqrt(3)])
    return np.asarray(Rotation.from_rotvec(np.deg2rad(radius) * axes).as_matrix())


def degrees_between(
    a: npt.NDArray[np.floating], b: npt.NDArray[np.floating], symmetry: str = "C1"
) -> npt.NDArray[np.float64]:
    """Return the angle by which rotations differ.

    Parameters
    ----------
    a, b : array of shape (..., 3, 3)
    symmetry : str, default "C1"
        Point group of the particle in its own frame; the smallest angle of all that look alike.

    Returns
    -------
    array of shape (...)
        Degrees, 0 to 180.
    """
    between = np.swapaxes(np.asarray(b, np.float64), -1, -2) @ np.asarray(a, np.float64)
    trace = np.einsum("...ij,gji->...g", between, point_group(symmetry)).max(axis=-1)
    return np.asarray(np.rad2deg(np.arccos(np.clip((trace - 1) / 2, -1, 1))))
