"""The average of subtomograms; importing it needs no torch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml.averaging._correlation import GOLD_STANDARD, ShellCorrelation
from napari_cryoml.averaging._masked_correlation import MaskedCorrelation
from napari_cryoml.averaging._rigid import RigidPoses
from napari_cryoml.jobs import Event

Volume = npt.NDArray[np.float32]

ONE_REFERENCE = "The poses of both halves come from one reference: the FSC is not gold-standard."


@dataclass(frozen=True, slots=True, eq=False)
class SubtomogramAverage:
    """The average of n subtomograms, of which some may not have been used.

    Parameters
    ----------
    average : array of shape (z, y, x), float32
        Of boxes that each have mean 0 and standard deviation 1; dark is dark as in the boxes.
    weights : array of shape (z, y, x // 2 + 1), float32
        How many particles measured each coefficient of ``numpy.fft.rfftn``.
    halves : array of shape (2, z, y, x), float32, or None
        Averages of either half of the particles; None of a single one.
    curves : MaskedCorrelation or None
        Of the halves.
    poses : RigidPoses
        Of the n particles against the average; NaN for those that were not used.
    half : array of shape (n,), int8
        0 or 1: in which half a particle is; -1 for those that were not used.
    gold_standard : bool
        Whether the halves were aligned without knowing of each other.
    pixel_size : float or None
        Angstrom.
    notes : tuple of str
        Sentences for the user.
    """

    average: Volume
    weights: Volume
    halves: npt.NDArray[np.float32] | None
    curves: MaskedCorrelation | None
    poses: RigidPoses
    half: npt.NDArray[np.int8]
    gold_standard: bool
    pixel_size: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def used(self) -> npt.NDArray[np.intp]:
        """Row numbers of the particles in the average, ascending."""
        return np.flatnonzero(self.half >= 0)

    @property
    def fsc(self) -> ShellCorrelation | None:
        """Correlation of the halves within the mask, corrected for it."""
        return None if self.curves is None else self.curves.corrected

    @property
    def resolution(self) -> float | None:
        """Angstrom (voxels without a voxel size) at which the halves correlate by 0.143."""
        return None if self.fsc is None else self.fsc.resolution(GOLD_STANDARD)

    def among(
        self, rows: npt.NDArray[np.intp], n: int, notes: tuple[str, ...] = ()
    ) -> SubtomogramAverage:
        """Return the same average as one of `n` boxes, of which only `rows` were looked at.

        Parameters
        ----------
        rows : array, intp
            Ascending; as many as this average was given.
        n : int
        notes : tuple of str
            Sentences to put before those of this average.
        """
        half: npt.NDArray[Any] = np.full(n, -1, np.int8)
        half[rows] = self.half
        return replace(
            self,
            poses=RigidPoses.unknown(n).put(rows, self.poses),
            half=half,
            notes=(*notes, *self.notes),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AverageStep(Event):
    """A round of an iterative average has ended.

    Parameters
    ----------
    iteration : int
        From 1.
    current : SubtomogramAverage
        What there is so far.
    """

    iteration: int
    current: SubtomogramAverage = field(repr=False)
