"""How each particle lies in its box."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RigidPoses:
    """Where each place of a reference lies in a box: ``rotation @ place + shift``, from the centre.

    The centre of a box of side n is voxel ``n // 2``.

    Parameters
    ----------
    rotations : array of shape (n, 3, 3)
        Act on columns zyx.
    shifts : array of shape (n, 3)
        Voxels zyx.
    scores : array of shape (n,), optional
        Correlation of each box with the reference in that pose; NaN by default.

    Raises
    ------
    InputError
        If shapes do not go together.
    """

    rotations: Floats
    shifts: Floats
    scores: Floats = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        n = len(self.rotations)
        if n and not len(self.scores):
            object.__setattr__(self, "scores", np.full(n, np.nan))
        shapes = (self.rotations.shape, self.shifts.shape, self.scores.shape)
        if shapes != ((n, 3, 3), (n, 3), (n,)):
            raise InputError(
                "Poses are rotations (n, 3, 3), shifts (n, 3) and scores (n,); arrays of shapes "
                f"{shapes[0]}, {shapes[1]} and {shapes[2]} were given."
            )

    def __len__(self) -> int:
        return len(self.rotations)

    @classmethod
    def unmoved(cls, n: int) -> RigidPoses:
        """Return poses of particles that lie in the centre as the reference does."""
        return cls(np.tile(np.eye(3), (n, 1, 1)), np.zeros((n, 3)))

    @classmethod
    def unknown(cls, n: int) -> RigidPoses:
        """Return n poses that nobody knows: NaN."""
        return cls(np.full((n, 3, 3), np.nan), np.full((n, 3), np.nan))

    def take(self, index: npt.NDArray[Any] | slice) -> RigidPoses:
        """Return the poses at `index`."""
        return RigidPoses(self.rotations[index], self.shifts[index], self.scores[index])

    def through(self, frame: RigidPoses) -> RigidPoses:
        """Return these poses, given against what lies in their reference.

        Parameters
        ----------
        frame : RigidPoses
            One pose: how the other reference lies in this one.

        Returns
        -------
        RigidPoses
            Against the other reference.
        """
        rotations = self.rotations @ frame.rotations[0]
        shifts = self.shifts + self.rotations @ frame.shifts[0]
        return RigidPoses(rotations, shifts, self.scores)

    def put(self, index: npt.NDArray[Any], poses: RigidPoses) -> RigidPoses:
        """Return these poses with those at `index` replaced."""
        parts = []
        for mine, theirs in (
            (self.rotations, poses.rotations),
            (self.shifts, poses.shifts),
            (self.scores, poses.scores),
        ):
            copy = np.array(mine)
            copy[index] = theirs
            parts.append(copy)
        return RigidPoses(*parts)


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """How n subtomograms lie, and which of k references each shows.

    Parameters
    ----------
    rotations : array of shape (n, k, 3, 3)
        Against each reference; NaN where a subtomogram was not aligned.
    shifts : array of shape (n, k, 3)
        Voxels zyx; NaN likewise.
    scores : array of shape (n, k)
        Correlation over the measured frequencies, noise divided out, -1 to 1; NaN likewise.
    """

    rotations: Floats
    shifts: Floats
    scores: Floats

    @classmethod
    def unknown(cls, n: int, k: int) -> Alignment:
        """Return the alignment of n subtomograms before any is aligned."""
        return cls(
            np.full((n, k, 3, 3), np.nan), np.full((n, k, 3), np.nan), np.full((n, k), np.nan)
        )

    def update(self, rows: npt.NDArray[np.intp], reference: int, poses: RigidPoses) -> None:
        """Write the poses of some rows against one reference."""
        self.rotations[rows, reference] = poses.rotations
        self.shifts[rows, reference] = poses.shifts
        self.scores[rows, reference] = poses.scores

    @property
    def aligned(self) -> npt.NDArray[np.bool_]:
        """Which subtomograms have a pose, shape (n,)."""
        return np.asarray(np.isfinite(self.scores).any(axis=1))

    @property
    def reference(self) -> npt.NDArray[np.intp]:
        """Number of the reference that each is most like, shape (n,); -1 without a pose."""
        best = np.where(np.isfinite(self.scores), self.scores, -np.inf).argmax(axis=1)
        return np.asarray(np.where(self.aligned, best, -1), np.intp)

    @property
    def margins(self) -> Floats:
        """Score of the best reference less that of the second, shape (n,); NaN of one alone."""
        if self.scores.shape[1] < 2:
            return np.full(len(self.scores), np.nan)
        last = np.sort(np.where(np.isfinite(self.scores), self.scores, -np.inf), axis=1)[:, -2:]
        gap = last[:, 1] - np.where(np.isfinite(last[:, 0]), last[:, 0], np.nan)
        return np.asarray(np.where(np.isfinite(gap), gap, np.nan))

    @property
    def poses(self) -> RigidPoses:
        """Poses against the best reference."""
        return self.against(np.maximum(self.reference, 0))

    def against(self, reference: npt.NDArray[np.intp] | int) -> RigidPoses:
        """Return the poses against one reference, or one for each subtomogram."""
        row = np.arange(len(self.scores))
        return RigidPoses(
            self.rotations[row, reference],
            self.shifts[row, reference],
            self.scores[row, reference],
        )
