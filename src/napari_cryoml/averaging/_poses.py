"""How each crop is turned and moved to lie on the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_cryoml.averaging._mask import centre_of

Floats = npt.NDArray[np.float64]

FLIP = np.diag([-1.0, 1.0])
"""Mirrors top to bottom; acts on columns yx."""


def turns(angles_rad: npt.ArrayLike) -> Floats:
    """Return matrices (..., 2, 2) on columns yx that turn x towards y."""
    cos, sin = np.cos(angles_rad), np.sin(angles_rad)
    return np.stack([np.stack([cos, sin], -1), np.stack([-sin, cos], -1)], -2)


@dataclass(frozen=True, slots=True, eq=False)
class Poses:
    """Where each place of a crop comes to lie: ``matrix @ place + shift``, from the centre.

    Parameters
    ----------
    matrix : array of shape (n, 2, 2)
        Turns and, where the determinant is -1, mirrors; acts on columns yx.
    shift : array of shape (n, 2)
        Pixels yx, after the turn; of volumes that stay as they are (n, 3), zyx.
    """

    matrix: Floats
    shift: Floats

    @classmethod
    def unmoved(cls, n: int, ndim: int = 2) -> Poses:
        """Return poses that leave crops of `ndim` axes as they are."""
        return cls(np.tile(np.eye(2), (n, 1, 1)), np.zeros((n, ndim)))

    @classmethod
    def undoing(cls, angles_rad: Floats, shift: Floats, mirrored: npt.NDArray[np.bool_]) -> Poses:
        """Return what brings back images that were mirrored, then turned, then moved."""
        back = np.swapaxes(turns(angles_rad), -1, -2)
        matrix = np.where(mirrored[:, None, None], FLIP @ back, back)
        return cls(matrix, -np.einsum("nij,nj->ni", matrix, shift))

    @classmethod
    def of_halves(cls, second: npt.NDArray[np.bool_], a: Poses, b: Poses) -> Poses:
        """Return the poses of all images: `b` in order where `second`, `a` elsewhere."""
        matrix, shift = np.empty((len(second), 2, 2)), np.empty((len(second), 2))
        for mask, poses in ((~second, a), (second, b)):
            matrix[mask], shift[mask] = poses.matrix, poses.shift
        return cls(matrix, shift)

    def followed_by(self, other: Poses) -> Poses:
        """Return these poses, each followed by the single pose `other`."""
        matrix = other.matrix[0] @ self.matrix
        return Poses(matrix, self.shift @ other.matrix[0].T + other.shift[0])

    @property
    def mirrored(self) -> npt.NDArray[np.bool_]:
        """Which crops are mirrored, top to bottom, before they are turned; shape (n,)."""
        return np.asarray(np.linalg.det(self.matrix) < 0)

    @property
    def angles(self) -> Floats:
        """Turn of each crop in degrees, -180 to 180, x towards y; shape (n,)."""
        turn = np.where(self.mirrored[:, None, None], self.matrix @ FLIP, self.matrix)
        return np.asarray(np.rad2deg(np.arctan2(turn[:, 0, 1], turn[:, 0, 0])))

    def take(self, index: npt.NDArray[Any] | slice) -> Poses:
        """Return the poses at `index`."""
        return Poses(self.matrix[index], self.shift[index])


def placed(images: npt.NDArray[np.float32], poses: Poses) -> npt.NDArray[np.float32]:
    """Return images (n, y, x) turned and moved, by cubic splines.

    What comes in from beyond the border is the mirror image of what lies within.
    """
    centre = centre_of(images.shape[1:])
    # The inverse of a turn or a mirror is its transpose.
    offsets = centre - np.einsum("nji,nj->ni", poses.matrix, poses.shift + centre)
    splines = images.astype(np.float32)
    for axis in (1, 2):
        splines = ndimage.spline_filter1d(splines, 3, axis, np.float32, mode="mirror")
    out = np.empty(images.shape, np.float32)
    for row, spline in enumerate(splines):
        ndimage.affine_transform(
            spline,
            poses.matrix[row].T,
            offsets[row],
            output=out[row],
            order=3,
            mode="mirror",
            prefilter=False,
        )
    return out
